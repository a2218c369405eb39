//! Has the winner of an election replay all that it holds, before PostgreSQL is told to
//! leave recovery. `crate::instance::replay` decides what is done about what holds it up.
//!
//! This comes before `pg_ctl promote`, since a server that was told to leave recovery may
//! not be restarted: it could be opening its timeline.

use std::time::{Duration, Instant};

use super::{bring_down, startup, state};
use crate::instance::StartOption;
use crate::instance::capacity::TooSmall;
use crate::instance::replay::{LONGEST_RESTORE, Next, Replay, Seen};
use crate::ocf::{Deadline, Failure, time};
use crate::postgres::Server;
use crate::wal::Lsn;

const POLL: Duration = Duration::from_millis(10);
/// How long a question may take.
const LONGEST_LOOK: Duration = Duration::from_secs(3);
/// How long what was ended may take to go.
const AFTER_END: Duration = Duration::from_secs(1);
/// How often it is said what is waited for.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// A promotion is not begun with less time than this: one that is cut off half-way is
/// worse than one that was not begun.
pub const SHORTEST_PROMOTION: Duration = Duration::from_secs(2);

/// The rest of the replay.
pub struct Rest<'a> {
    /// The standby.
    pub server: &'a dyn Server,
    /// What it voted: so much has to be replayed.
    pub target: Lsn,
    /// By when the promotion must have come true.
    pub deadline: Deadline,
}

/// What has been seen and done so far.
struct Course {
    replayed: Lsn,
    moved: Instant,
    said: Instant,
    options: Vec<StartOption>,
}

impl Rest<'_> {
    /// Returns once PostgreSQL can leave recovery, or cannot be asked.
    pub fn finish(&self) -> Result<(), Failure> {
        let now = time::now();
        let mut course = Course {
            replayed: Lsn::ZERO,
            moved: now,
            said: now,
            options: Vec::new(),
        };
        loop {
            let replay = match self.server.replay(self.deadline.within(LONGEST_LOOK)) {
                Ok(replay) => replay,
                Err(why) => {
                    log::warn!("Cannot tell how far the replay is, promoting all the same: {why}");
                    return self.is_there_time("replay is unknown");
                }
            };
            if self.step(&mut course, replay)? {
                return Ok(());
            }
        }
    }

    /// Does what is next; `true` once there is nothing more to do.
    fn step(&self, course: &mut Course, replay: Replay) -> Result<bool, Failure> {
        course.note(&replay);
        let lacking = self.lacking(&replay)?;
        let seen = Seen {
            replay,
            target: self.target,
            restoring: state::restoring(self.server),
            still: time::since(course.moved),
            lacking: &lacking,
        };
        let next = seen.next();
        self.is_there_time(&seen.to_string())?;
        match next {
            Next::Promote => return Ok(true),
            Next::Wait => course.say(&seen),
            Next::Resume => self.resume(),
            Next::EndSessions { all } => self.end_sessions(all, &seen),
            Next::RestartLarger | Next::RestartWithoutArchive => {
                self.restart(course, next, &seen)?;
            }
        }
        self.deadline.sleep(POLL);
        Ok(false)
    }

    /// Settings are looked at only where they may be why replay is paused.
    fn lacking(&self, replay: &Replay) -> Result<Vec<TooSmall>, Failure> {
        if !replay.paused {
            return Ok(Vec::new());
        }
        let control = self.server.control_data(self.deadline)?;
        Ok(replay.capacity.lacks(&control.needed))
    }

    fn is_there_time(&self, waits_for: &str) -> Result<(), Failure> {
        if self.deadline.left() >= SHORTEST_PROMOTION {
            return Ok(());
        }
        Err(Failure::soft(format!(
            "Not promoted, too little time is left: {waits_for}"
        )))
    }

    fn resume(&self) {
        log::info!("Replay is paused: resuming it");
        if let Err(why) = self
            .server
            .resume_replay(self.deadline.within(LONGEST_LOOK))
        {
            log::warn!("Cannot resume a replay that is paused: {why}");
        }
    }

    /// A restart, which a failed promotion leads to, would end them too.
    fn end_sessions(&self, all: bool, seen: &Seen<'_>) {
        let which = if all { "all" } else { "busy" };
        match self
            .server
            .end_sessions(all, self.deadline.within(LONGEST_LOOK))
        {
            Ok(count) => {
                log::warn!("Ended {which} sessions, which may hold up replay ({count}): {seen}")
            }
            Err(why) => log::warn!("Cannot end the sessions that may hold up replay: {why}"),
        }
        self.deadline.sleep(AFTER_END);
    }

    fn restart(&self, course: &mut Course, next: Next, seen: &Seen<'_>) -> Result<(), Failure> {
        let before = course.options.len();
        if next == Next::RestartLarger && before == 0 {
            course.options.extend(startup::larger(seen.lacking));
        }
        let hangs = seen.restoring.is_some_and(|time| time >= LONGEST_RESTORE);
        if hangs && !course.options.contains(&StartOption::WithoutArchive) {
            log::warn!("{seen}: promoting without the archive, with what this node has itself");
            course.options.push(StartOption::WithoutArchive);
        }
        if course.options.len() == before {
            return Err(Failure::soft(format!(
                "Not promoted, a restart did not help: {seen}"
            )));
        }
        bring_down::standby(self.server, self.deadline.within(self.deadline.left() / 2))?;
        startup::start_with(self.server, &course.options, self.deadline)?;
        course.moved = time::now();
        Ok(())
    }
}

impl Course {
    fn note(&mut self, replay: &Replay) {
        if replay.replayed != self.replayed {
            self.replayed = replay.replayed;
            self.moved = time::now();
        }
    }

    fn say(&mut self, seen: &Seen<'_>) {
        if time::since(self.said) >= SAY_EVERY {
            log::info!("Before the promotion: {seen}");
            self.said = time::now();
        }
    }
}
