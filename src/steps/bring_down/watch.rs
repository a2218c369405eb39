//! Watches the processes of a server that stops: for how long has each done nothing?

use std::time::{Duration, Instant};

use crate::instance::{Activity, ClusterState, Process};
use crate::ocf::time;

/// What was seen of a stop so far.
pub struct Watch {
    first: Activity,
    now: Activity,
    part: Part,
    since: Instant,
    /// When the last process ended that the stop waits for.
    ended: Instant,
    seen: Vec<Seen>,
    /// Since when a signal has kept the postmaster from doing anything.
    frozen: Option<Instant>,
}

/// The parts of a stop follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    is_stopping: bool,
    control: Option<ClusterState>,
    has_sessions: bool,
}

/// A process as it was when it did something last.
struct Seen {
    process: Process,
    disk: Option<u64>,
    moved: Instant,
}

impl Watch {
    /// Begins with a first look.
    pub fn begin(first: Activity) -> Self {
        let moment = time::now();
        let mut watch = Self {
            part: Part {
                is_stopping: first.is_stopping,
                control: first.control,
                has_sessions: true,
            },
            first: first.clone(),
            now: Activity::default(),
            since: moment,
            ended: moment,
            seen: Vec::new(),
            frozen: None,
        };
        watch.look(first);
        watch
    }

    /// Adds a look.
    pub fn look(&mut self, now: Activity) {
        let moment = time::now();
        let part = Part {
            is_stopping: now.is_stopping,
            control: now.control,
            has_sessions: now.has_sessions(&self.first),
        };
        if part != self.part {
            (self.part, self.since) = (part, moment);
        }
        let left = now.to_wait_for(&self.first);
        let before = self.now.to_wait_for(&self.first);
        let has_ended = |old: &&Process| !left.iter().any(|one| one.is(old));
        if before.into_iter().any(|old| has_ended(&old)) {
            self.ended = moment;
        }
        let is_frozen = now.postmaster.as_ref().is_some_and(Process::is_frozen);
        self.frozen = is_frozen.then_some(self.frozen.unwrap_or(moment));
        self.seen = self.update(&now, moment);
        self.now = now;
    }

    fn update(&mut self, now: &Activity, moment: Instant) -> Vec<Seen> {
        let mut old = std::mem::take(&mut self.seen);
        let processes = now.postmaster.iter().chain(&now.children);
        processes
            .map(|process| {
                let known = old.iter().position(|seen| seen.process.is(process));
                let known = known.map(|index| old.swap_remove(index));
                known
                    .filter(|seen| !moved(seen, process, now.disk))
                    .unwrap_or_else(|| Seen {
                        process: process.clone(),
                        disk: now.disk,
                        moved: moment,
                    })
            })
            .collect()
    }

    /// The last look.
    pub fn now(&self) -> &Activity {
        &self.now
    }

    /// Whether anything runs that ends before the shutdown checkpoint.
    pub fn has_sessions(&self) -> bool {
        self.part.has_sessions
    }

    /// For how long the stop has been where it is.
    pub fn lasts(&self) -> Duration {
        time::since(self.since)
    }

    /// For how long this process has done nothing in this part of the stop.
    pub fn idle(&self, process: &Process) -> Duration {
        let seen = self.seen.iter().find(|seen| seen.process.is(process));
        let idle = seen.map_or(Duration::ZERO, |seen| time::since(seen.moved));
        idle.min(self.lasts())
    }

    /// For how long a signal has kept the postmaster from doing anything.
    pub fn is_frozen_for(&self) -> Duration {
        self.frozen.map_or(Duration::ZERO, time::since)
    }

    /// For how long nothing has moved that the stop waits for.
    pub fn hangs_for(&self) -> Duration {
        let waits_for = self.now.to_wait_for(&self.first);
        let idle = waits_for.iter().map(|process| self.idle(process)).min();
        idle.unwrap_or_default().min(time::since(self.ended))
    }
}

fn moved(seen: &Seen, now: &Process, disk: Option<u64>) -> bool {
    let disk_moved = seen.disk.zip(disk).map(|(before, now)| before != now);
    now.moved_since(&seen.process, disk_moved)
}
