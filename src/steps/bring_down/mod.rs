//! Brings the server down. A standby may be stopped hard within the deadline, which
//! loses nothing. A primary is asked to stop cleanly, and is given all the time there is as
//! long as anything of it moves.
//!
//! # A primary that hangs
//!
//! `stop`, and nothing else, ends a primary by SIGKILL, where it neither answers nor moves:
//! no process that the stop waits for has used processor or disk for 15 s, or a signal has stopped
//! its postmaster (SIGSTOP), which then hears of nothing. Otherwise the stop would fail, and
//! Pacemaker would fence the node. That is a power cut: it ends the same processes at the same
//! point, and takes besides what the kernel has in memory and not yet on disk. So SIGKILL loses
//! nothing that fencing would not lose. What was acknowledged is in WAL that was flushed; it stays
//! on this node, and here comes back within seconds to take part in the election. `demote` never
//! does it: there a primary that fails is stopped next.
//!
//! What outlives SIGKILL waits for its storage, and only fencing ends it: at once.

mod ask;
mod clean;
mod moving;
mod patience;
mod receivers;
mod watch;

use std::time::Duration;

pub use receivers::Receivers;

use self::ask::{ask_to_stop, wait_until_gone};
use self::clean::End;
use self::moving::wait_until_gone_or_hung;
use super::state::SILENCE;
use crate::instance::Postmaster;
use crate::ocf::{Deadline, Failure, OcfExit, Outcome};
use crate::postgres::{Server, StopMode};

/// How long the children of a dead postmaster have to notice.
const CHILDREN_NOTICE: Duration = Duration::from_secs(2);
/// How long they have once they were told.
const CHILDREN_QUIT: Duration = Duration::from_millis(100);
/// Kept at the end of the time for the immediate stop and for SIGKILL each.
const HARD_STEP: Duration = Duration::from_secs(5);

/// Clean stop of a primary: sessions are cut, standbys get the shutdown checkpoint. The
/// caller tells the cluster where it is.
pub fn cleanly(server: &dyn Server, receivers: &Receivers, deadline: Deadline) -> Outcome {
    match clean::stop(server, receivers, deadline) {
        End::Gone => Ok(OcfExit::Success),
        End::LeftBehind => left_behind(server, deadline),
        End::Late => Err(late()),
        End::Hung => Err(Failure::soft(
            "The primary does not stop, and nothing of it moves: the stop that follows ends it",
        )),
    }
}

/// The same for `stop`, which ends a primary that hangs.
pub fn for_good(server: &dyn Server, receivers: &Receivers, deadline: Deadline) -> Outcome {
    let reserve = HARD_STEP.min(deadline.left() / 4);
    match clean::stop(server, receivers, deadline.less(reserve)) {
        End::Gone => Ok(OcfExit::Success),
        End::LeftBehind => left_behind(server, deadline),
        End::Late => Err(late()),
        End::Hung => {
            log::error!(
                "The primary neither answers nor stops, and nothing of it moves: ending it by \
                 SIGKILL, or else its node would be fenced, which is a power cut"
            );
            kill(server, deadline.within(HARD_STEP))
        }
    }
}

fn late() -> Failure {
    Failure::soft(
        "The primary did not stop in time; it still works, so it is not killed, and this node must be fenced",
    )
}

/// A server that answers nobody may be slow or frozen. It shows within a few seconds, by
/// noting that it stops; a frozen one is left to the stop that follows, or to fencing,
/// and clients do not wait longer for it.
pub fn silent(server: &dyn Server, deadline: Deadline) -> Result<(), Failure> {
    if matches!(server.postmaster(), Ok(Postmaster::Alive(pid)) if server.is_frozen(pid)) {
        return Err(neither_answers_nor_stops());
    }
    ask_to_stop(server, StopMode::Fast, deadline.within(SILENCE));
    if wait_until_gone(server, deadline.within(SILENCE)) {
        return Ok(());
    }
    if server.lock_file().is_some_and(|file| file.is_stopping()) {
        return cleanly(server, &Receivers::default(), deadline).map(drop);
    }
    Err(neither_answers_nor_stops())
}

fn neither_answers_nor_stops() -> Failure {
    Failure::soft(
        "PostgreSQL neither answers nor stops; this node will be fenced unless the next stop succeeds",
    )
}

/// A standby is asked, then stopped hard: that loses nothing. Pacemaker may hold up a
/// promotion until it is stopped, so one that hangs is not waited for.
pub fn standby(server: &dyn Server, deadline: Deadline) -> Outcome {
    let patient = deadline.less(HARD_STEP * 2);
    ask_to_stop(server, StopMode::Fast, patient.within(SILENCE));
    match wait_until_gone_or_hung(server, patience::OF_HUNG_STANDBY, patient) {
        End::Gone => return Ok(OcfExit::Success),
        End::Hung => {
            log::warn!("The standby does not stop, and nothing of it moves: killing it");
            return kill(server, deadline);
        }
        End::LeftBehind | End::Late => {}
    }
    log::warn!("The standby did not stop in time: stopping it again with mode immediate");
    let patient = deadline.less(HARD_STEP);
    ask_to_stop(server, StopMode::Immediate, patient);
    if wait_until_gone(server, patient) {
        return Ok(OcfExit::Success);
    }
    kill(server, deadline)
}

/// Stops a server that cannot be asked what it is: only where its files show beyond doubt
/// that it is a standby may it be forced while it moves.
pub fn by_files(server: &dyn Server, deadline: Deadline) -> Outcome {
    if server.role_files().is_surely_standby() {
        return standby(server, deadline);
    }
    for_good(server, &Receivers::default(), deadline)
}

/// The postmaster is dead, so the crash has happened: what its children still do adds
/// nothing to what WAL replay will find. Idle ones notice at once; a busy one may hold
/// the shared memory for minutes, and no server can start. So they are told to end. Where
/// one of them may be a postmaster that has no lock file any more, or not yet, nobody is
/// told, and it has time to show itself.
pub fn left_behind(server: &dyn Server, deadline: Deadline) -> Outcome {
    let patient = deadline.within(CHILDREN_NOTICE);
    while !server.quit_orphans() {
        match server.postmaster() {
            Ok(Postmaster::None) => return Ok(OcfExit::Success),
            _ if !patient.sleep(ask::POLL) => return kill(server, deadline),
            _ => {}
        }
    }
    if wait_until_gone(server, deadline.within(CHILDREN_QUIT)) {
        return Ok(OcfExit::Success);
    }
    kill(server, deadline)
}

/// What even SIGKILL does not end waits for its storage.
fn kill(server: &dyn Server, deadline: Deadline) -> Outcome {
    server.kill_all();
    if wait_until_gone(server, deadline) {
        return Ok(OcfExit::Success);
    }
    Err(Failure::soft(
        "Processes of the instance survive SIGKILL: is the storage hung?",
    ))
}
