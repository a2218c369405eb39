//! stop: succeeds when nothing of the instance runs, whatever the control
//! file says. A standby may be stopped hard within the deadline, which loses
//! nothing; a primary is only ever asked to stop cleanly.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::wrong_parameters;
use crate::instance::{ClusterState, NoAnswer, Postmaster, Role, State};
use crate::ocf::parameters::datadir;
use crate::ocf::{Deadline, Environment, Failure, OcfExit, Outcome};
use crate::postgres::postmaster::{self, LookError};
use crate::postgres::server::{self, StopMode};
use crate::postgres::standby_signal;
use crate::steps::{Call, shutdown, state};

const POLL: Duration = Duration::from_millis(20);
/// How long the children of a dead postmaster have to notice.
const CHILDREN_NOTICE: Duration = Duration::from_secs(2);
/// Kept at the end of the time for the immediate stop and for SIGKILL each.
const HARD_STEP: Duration = Duration::from_secs(5);

/// Stops the instance. With nothing running it needs no parameter to be right,
/// no control file to be readable and no cluster: a failed stop costs the node.
pub fn run(environment: &Environment) -> Outcome {
    let prepared = Call::prepare(environment);
    let datadir = match &prepared {
        Ok(call) => Some(call.parameters.datadir.clone()),
        Err(_) => datadir(environment),
    };
    match datadir.map(|datadir| postmaster::look(&datadir)) {
        Some(Ok(Postmaster::None)) => return Ok(nothing_runs(prepared.as_ref().ok())),
        // To succeed without proof would let another node be promoted beside a server that runs.
        Some(Err(blind @ (LookError::Unseen(_) | LookError::ProcessTable(_)))) => {
            return Err(Failure::soft(blind.to_string()));
        }
        _ => {}
    }
    match prepared {
        Ok(call) => stop(&call),
        Err(failure) => wrong_parameters::stop(environment, failure),
    }
}

fn nothing_runs(call: Option<&Call>) -> OcfExit {
    log::info!("Nothing of the instance runs");
    if let Some(call) = call {
        shutdown::publish_if_possible(call);
    }
    OcfExit::Success
}

fn stop(call: &Call) -> Outcome {
    let deadline = call.request.deadline;
    let state = state::state(call, deadline.within(state::SILENCE));
    if let Ok(State::LeftBehind(_)) = state {
        return clear_left_behind(call, deadline);
    }
    let state = state.unwrap_or_else(|failure| {
        log::warn!("Stopping an instance whose state is not known: {failure}");
        State::Failing(NoAnswer::Silent)
    });
    if !is_primary(call, &state, deadline) {
        return stop_standby(call, deadline);
    }
    let outcome = stop_cleanly(call, deadline)?;
    shutdown::publish_if_possible(call);
    Ok(outcome)
}

/// The postmaster is dead, so the crash has happened: what its children still
/// do adds nothing to what WAL replay will find. Idle ones notice at once; a
/// busy one may hold the shared memory for minutes, and no server can start.
pub fn clear_left_behind(call: &Call, deadline: Deadline) -> Outcome {
    if gone(&call.parameters.datadir, deadline.within(CHILDREN_NOTICE)) {
        return Ok(OcfExit::Success);
    }
    kill_all(&call.parameters.datadir);
    if gone(&call.parameters.datadir, deadline) {
        return Ok(OcfExit::Success);
    }
    Err(outlives_sigkill())
}

/// What even SIGKILL does not end waits for its storage.
pub fn outlives_sigkill() -> Failure {
    Failure::soft("Processes of the instance outlive SIGKILL: is its storage hung?")
}

/// In doubt it is a primary: that is never stopped hard.
fn is_primary(call: &Call, state: &State, deadline: Deadline) -> bool {
    match state {
        State::Running(role) | State::Busy(role, _) => *role == Role::Primary,
        _ => {
            !standby_signal::is_there(&call.parameters.datadir)
                || state::control(call, deadline)
                    .is_ok_and(|control| control.state == ClusterState::InProduction)
        }
    }
}

/// Fast stop: sessions are cut, standbys get the shutdown checkpoint. The caller
/// tells the cluster where it is.
pub fn stop_cleanly(call: &Call, deadline: Deadline) -> Outcome {
    ask_to_stop(call, StopMode::Fast, deadline)?;
    if gone(&call.parameters.datadir, deadline) {
        return Ok(OcfExit::Success);
    }
    Err(Failure::soft(
        "The primary did not stop in time; it is not stopped hard, its node must be fenced",
    ))
}

/// One that answers nobody may be slow or frozen. It shows within a few seconds, by
/// noting that it stops; a frozen one is left to the stop that follows, or to
/// fencing, and clients do not wait longer for it.
pub fn stop_silent(call: &Call, deadline: Deadline) -> Result<(), Failure> {
    let datadir = &call.parameters.datadir;
    ask_to_stop(call, StopMode::Fast, deadline.within(state::SILENCE))?;
    if gone(datadir, deadline.within(state::SILENCE)) {
        return Ok(());
    }
    if postmaster::is_stopping(datadir) && gone(datadir, deadline) {
        return Ok(());
    }
    Err(Failure::soft(
        "PostgreSQL answers nobody and does not stop: its node is fenced unless the next stop helps",
    ))
}

/// A standby is asked, then stopped hard: that loses nothing.
pub fn stop_standby(call: &Call, deadline: Deadline) -> Outcome {
    let patient = deadline.less(HARD_STEP * 2);
    ask_to_stop(call, StopMode::Fast, patient)?;
    if gone(&call.parameters.datadir, patient) {
        return Ok(OcfExit::Success);
    }
    log::warn!("The standby does not stop: stopping it with mode immediate");
    ask_to_stop(call, StopMode::Immediate, deadline.less(HARD_STEP))?;
    if gone(&call.parameters.datadir, deadline.less(HARD_STEP)) {
        return Ok(OcfExit::Success);
    }
    kill_all(&call.parameters.datadir);
    if gone(&call.parameters.datadir, deadline) {
        return Ok(OcfExit::Success);
    }
    Err(outlives_sigkill())
}

/// A postmaster that has just ended is no error: `gone` looks next.
fn ask_to_stop(call: &Call, mode: StopMode, deadline: Deadline) -> Result<(), Failure> {
    let Ok(Postmaster::Alive(pid)) = postmaster::look(&call.parameters.datadir) else {
        return Ok(());
    };
    if let Err(error) = server::stop(&call.parameters, &call.user, mode, deadline) {
        log::warn!("{error}");
        // What pg_ctl would have sent.
        postmaster::signal(
            pid,
            match mode {
                StopMode::Fast => Signal::SIGINT,
                StopMode::Immediate => Signal::SIGQUIT,
            },
        );
    }
    Ok(())
}

/// SIGKILL, after which a stopped (SIGSTOP) process ends too.
pub fn kill_all(datadir: &Path) {
    for pid in postmaster::processes(datadir) {
        log::warn!("Killing process {pid} of the instance");
        postmaster::signal(pid, Signal::SIGKILL);
    }
}

/// Waits until no process of the instance is left.
pub fn gone(datadir: &Path, deadline: Deadline) -> bool {
    loop {
        match postmaster::look(datadir) {
            Ok(Postmaster::None) => return true,
            _ if !deadline.sleep(POLL) => return false,
            _ => {}
        }
    }
}
