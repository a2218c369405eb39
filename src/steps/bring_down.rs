//! Brings the server down. A standby may be stopped hard within the deadline, which
//! loses nothing; a primary is only ever asked to stop cleanly.

use std::time::Duration;

use super::state::SILENCE;
use crate::instance::Postmaster;
use crate::ocf::{Deadline, Failure, OcfExit, Outcome};
use crate::postgres::{Server, StopMode};

const POLL: Duration = Duration::from_millis(20);
/// How long the children of a dead postmaster have to notice.
const CHILDREN_NOTICE: Duration = Duration::from_secs(2);
/// Kept at the end of the time for the immediate stop and for SIGKILL each.
const HARD_STEP: Duration = Duration::from_secs(5);

/// Fast stop of a primary: sessions are cut, standbys get the shutdown checkpoint. The
/// caller tells the cluster where it is.
pub fn cleanly(server: &dyn Server, deadline: Deadline) -> Outcome {
    ask_to_stop(server, StopMode::Fast, deadline);
    if wait_until_gone(server, deadline) {
        return Ok(OcfExit::Success);
    }
    Err(Failure::soft(
        "The primary did not stop in time; a primary is never killed, so this node must be fenced",
    ))
}

/// A server that answers nobody may be slow or frozen. It shows within a few seconds, by
/// noting that it stops; a frozen one is left to the stop that follows, or to fencing,
/// and clients do not wait longer for it.
pub fn silent(server: &dyn Server, deadline: Deadline) -> Result<(), Failure> {
    ask_to_stop(server, StopMode::Fast, deadline.within(SILENCE));
    if wait_until_gone(server, deadline.within(SILENCE)) {
        return Ok(());
    }
    let is_stopping = server.lock_file().is_some_and(|file| file.is_stopping());
    if is_stopping && wait_until_gone(server, deadline) {
        return Ok(());
    }
    Err(Failure::soft(
        "PostgreSQL neither answers nor stops; this node will be fenced unless the next stop succeeds",
    ))
}

/// A standby is asked, then stopped hard: that loses nothing.
pub fn standby(server: &dyn Server, deadline: Deadline) -> Outcome {
    let patient = deadline.less(HARD_STEP * 2);
    ask_to_stop(server, StopMode::Fast, patient);
    if wait_until_gone(server, patient) {
        return Ok(OcfExit::Success);
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
/// that it is a standby may it be forced.
pub fn by_files(server: &dyn Server, deadline: Deadline) -> Outcome {
    if server.role_files().is_surely_standby() {
        return standby(server, deadline);
    }
    cleanly(server, deadline)
}

/// The postmaster is dead, so the crash has happened: what its children still do adds
/// nothing to what WAL replay will find. Idle ones notice at once; a busy one may hold
/// the shared memory for minutes, and no server can start.
pub fn left_behind(server: &dyn Server, deadline: Deadline) -> Outcome {
    if wait_until_gone(server, deadline.within(CHILDREN_NOTICE)) {
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

/// A postmaster that has just ended is no error: whether it is gone is looked at next.
fn ask_to_stop(server: &dyn Server, mode: StopMode, deadline: Deadline) {
    let Ok(Postmaster::Alive(postmaster)) = server.postmaster() else {
        return;
    };
    if let Err(error) = server.stop(mode, deadline) {
        log::warn!("{error}");
        server.signal_stop(postmaster, mode);
    }
}

/// Waits until no process of the server is left, by proof.
fn wait_until_gone(server: &dyn Server, deadline: Deadline) -> bool {
    loop {
        match server.postmaster() {
            Ok(Postmaster::None) => return true,
            _ if !deadline.sleep(POLL) => return false,
            _ => {}
        }
    }
}
