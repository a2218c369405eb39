//! The clean stop of a primary: PostgreSQL cuts the sessions, sends all WAL to its
//! receivers, writes the shutdown checkpoint, sends that too, and has the archiver end its
//! work. What of it may wait without end is given a bound here, and nothing else is
//! touched.
//!
//! * A receiver that is frozen: `instance::walsenders` says whose walsender is ended.
//! * The archiver: once the control file says "shut down", and nobody receives any more,
//!   nothing of the stop is left to do. The immediate stop of such a server cuts off the
//!   archiver and its command alone; the next start finds a clean shutdown, and the `.ready`
//!   files tell what is still to be archived.
//!
//! A single process is never killed: PostgreSQL would take that for a crash.

use std::collections::BTreeSet;
use std::time::Instant;

use super::ask::{POLL, ask_to_stop};
use super::patience;
use super::receivers::Receivers;
use super::watch::Watch;
use crate::instance::{ClusterState, Postmaster, Process};
use crate::ocf::{Deadline, time};
use crate::postgres::{Server, StopMode};
use crate::steps::state::SILENCE;

/// How a stop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing of the server runs, by proof.
    Gone,
    /// The postmaster is gone, and some of its children are not.
    LeftBehind,
    /// It was still at it when the time was over.
    Late,
    /// Nothing of it moves.
    Hung,
}

/// Asks the primary to stop, and waits for its end.
pub fn stop(server: &dyn Server, receivers: &Receivers, deadline: Deadline) -> End {
    ask_to_stop(server, StopMode::Fast, deadline.within(SILENCE));
    let mut stop = Stop {
        server,
        receivers,
        deadline,
        signalled: None,
        ended: BTreeSet::new(),
        was_cut_off: false,
        acted: time::now(),
    };
    stop.wait()
}

struct Stop<'a> {
    server: &'a dyn Server,
    receivers: &'a Receivers,
    deadline: Deadline,
    /// When walsenders were sent a signal last.
    signalled: Option<Instant>,
    /// To which, so far.
    ended: BTreeSet<i32>,
    was_cut_off: bool,
    /// When something new was done about what holds the stop.
    acted: Instant,
}

impl Stop<'_> {
    fn wait(&mut self) -> End {
        let mut watch: Option<Watch> = None;
        let mut looked: Option<Instant> = None;
        loop {
            let is_due = looked.is_none_or(|at| time::since(at) >= patience::LOOK);
            match self.server.postmaster() {
                Ok(Postmaster::None) => return End::Gone,
                Ok(Postmaster::LeftBehind(_)) => return End::LeftBehind,
                Ok(Postmaster::Alive(pid)) if is_due => {
                    looked = Some(time::now());
                    if self.look(&mut watch, pid) == Some(End::Hung) {
                        return End::Hung;
                    }
                }
                _ => {}
            }
            if !self.deadline.sleep(POLL) {
                return End::Late;
            }
        }
    }

    fn look(&mut self, watch: &mut Option<Watch>, postmaster: i32) -> Option<End> {
        let seen = self.server.activity(postmaster);
        let Some(watch) = watch else {
            *watch = Some(Watch::begin(seen));
            return None;
        };
        watch.look(seen);
        self.end_walsenders(&self.receivers.to_end(watch));
        self.cut_off_archiver(watch);
        let hangs_for = watch.hangs_for().min(time::since(self.acted));
        let is_hung = hangs_for >= patience::OF_HUNG;
        (is_hung || watch.is_frozen_for() >= patience::OF_FROZEN).then_some(End::Hung)
    }

    /// Again and again: one that is about to say good bye to nobody needs a second signal.
    fn end_walsenders(&mut self, over: &[&Process]) {
        let lately = |at: Instant| time::since(at) < patience::AGAIN;
        if over.is_empty() || self.signalled.is_some_and(lately) {
            return;
        }
        self.signalled = Some(time::now());
        for process in over {
            if self.ended.insert(process.pid) {
                self.acted = time::now();
                self.tell(process);
            }
            self.server.terminate(process);
        }
    }

    fn tell(&self, process: &Process) {
        let whose = if self.receivers.is_foreign(process) {
            "a receiver of WAL that is no node of the cluster"
        } else {
            "a standby that receives nothing"
        };
        let (pid, title) = (process.pid, &process.title);
        log::warn!("The stop waits for {whose}: ending its walsender {pid} ({title})");
    }

    fn cut_off_archiver(&mut self, watch: &Watch) {
        let is_written = watch.now().control == Some(ClusterState::ShutDown);
        let receives = watch.now().children.iter().any(Process::is_walsender);
        let is_left = is_written && !receives && watch.lasts() >= patience::OF_ARCHIVER;
        if !is_left || self.was_cut_off {
            return;
        }
        self.was_cut_off = true;
        self.acted = time::now();
        log::warn!(
            "The shutdown checkpoint is written and sent; not waiting any longer for the archiver. \
             WAL files that it has left to archive: {}",
            self.server.not_archived()
        );
        ask_to_stop(
            self.server,
            StopMode::Immediate,
            self.deadline.within(SILENCE),
        );
    }
}
