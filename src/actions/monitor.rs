//! monitor: says what the instance is. Judges no configuration: a wrong
//! setting never stops a running instance. `OCF_CHECK_LEVEL=10` adds a write to
//! the look at a primary.

use std::time::Duration;

use crate::instance::replication::Details;
use crate::instance::{NoAnswer, Role, State};
use crate::ocf::request::check_level;
use crate::ocf::{Failure, OcfExit, Outcome};
use crate::postgres::{session, write_probe};
use crate::steps::rejoin::{diverged, rewind};
use crate::steps::{Call, offer, scores, state};

/// The level from which on the primary is asked to write.
const WRITE: u32 = 10;
const LONGEST_WRITE: Duration = Duration::from_secs(5);

/// Answers 0, 7, 8, or a failure with its reason.
pub fn run(call: &Call) -> Outcome {
    let probe = call.request.probe;
    if probe && !call.parameters.datadir.join("PG_VERSION").exists() {
        // A node without this database: nothing runs, and that is no fault.
        return Ok(OcfExit::NotRunning);
    }
    let (state, details) = state::state_and_details(call, call.request.deadline)?;
    if let State::Busy(role, refusal) = &state {
        log::warn!("The {role} runs but cannot be asked: {refusal}");
    }
    if !probe {
        look_after(call, details)?;
        if state == State::Running(Role::Primary) && check_level(&call.environment) >= WRITE {
            write(call)?;
        }
    }
    state.monitor(probe)
}

/// A primary that cannot write is no primary. One that is busy, or whose answer
/// says nothing of its storage, is.
fn write(call: &Call) -> Result<(), Failure> {
    let deadline = call.request.deadline.within(LONGEST_WRITE);
    let written = session::ask(&call.parameters, &call.user, deadline, write_probe::write);
    match written {
        Ok(None) => match write_probe::full(&call.parameters.datadir) {
            None => Ok(()),
            Some(path) => Err(Failure::soft(format!(
                "The primary cannot write: no space left in {}",
                path.display()
            ))),
        },
        Ok(Some(text)) => Err(Failure::soft(format!("The primary cannot write: {text}"))),
        Err(NoAnswer::Silent) => Err(Failure::soft(
            "The primary cannot write: no WAL record reached its disk in time",
        )),
        Err(refusal) => {
            log::warn!("Cannot see whether the primary can write: {refusal}");
            Ok(())
        }
    }
}

/// Scores and a reign of its own would make the role of the real primary, whose
/// commits it lacks, move here.
fn is_to_be_a_standby(call: &Call) -> bool {
    let role = call.environment.meta("role");
    role.is_some_and(|role| ["Unpromoted", "Slave"].contains(&role))
}

fn look_after(call: &Call, details: Option<Details>) -> Result<(), Failure> {
    match details {
        Some(Details::Primary(_)) if is_to_be_a_standby(call) => log::error!(
            "This instance is a primary, but not by Pacemaker: was it promoted by hand? It counts \
             for no election, and is demoted next"
        ),
        Some(Details::Primary(primary)) => scores::run(call, &primary),
        Some(Details::Standby { receives: true }) => diverged::follows(call),
        Some(Details::Standby { receives: false }) => check(call)?,
        None => {}
    }
    Ok(())
}

/// Only where the admin asked for a rewind, which needs a start, is a standby
/// failed that has diverged; a few times at most.
fn check(call: &Call) -> Result<(), Failure> {
    let diverged = diverged::run(call, diverged::AT_MONITOR);
    match diverged {
        Some(diverged) if rewind::is_worth_a_start(call, &diverged) => Err(Failure::soft(format!(
            "Restarting to rewind (rejoin=rewind): {}",
            diverged.how
        ))),
        Some(_) => Ok(()),
        None => {
            offer::if_nobody_is_a_candidate(call, "a standby that has not diverged");
            Ok(())
        }
    }
}
