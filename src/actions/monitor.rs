//! monitor: says what the instance is. Judges no configuration: a wrong
//! setting never stops a running instance.

use super::{Call, check_branch, give_scores, observe, offer, rejoin};
use crate::instance::State;
use crate::ocf::{Failure, OcfExit, Outcome};
use crate::postgres::replication::Details;

/// Answers 0, 7, 8, or a failure with its reason.
pub fn run(call: &Call) -> Outcome {
    let probe = call.request.probe;
    if probe && !call.parameters.datadir.join("PG_VERSION").exists() {
        // A node without this database: nothing runs, and that is no fault.
        return Ok(OcfExit::NotRunning);
    }
    let (state, details) = observe::state_and_details(call, call.request.deadline)?;
    if let State::Busy(role, refusal) = &state {
        log::warn!("The {role} runs but cannot be asked: {refusal}");
    }
    if !probe {
        look_after(call, details)?;
    }
    state.monitor(probe)
}

fn look_after(call: &Call, details: Option<Details>) -> Result<(), Failure> {
    match details {
        Some(Details::Primary(primary)) => give_scores::run(call, &primary),
        Some(Details::Standby { receives: true }) => check_branch::follows(call),
        Some(Details::Standby { receives: false }) => check(call)?,
        None => {}
    }
    Ok(())
}

/// Only where the admin asked for a rewind, which needs a start, is a standby
/// failed that has diverged; a few times at most.
fn check(call: &Call) -> Result<(), Failure> {
    let diverged = check_branch::run(call, check_branch::AT_MONITOR);
    match diverged {
        Some(diverged) if rejoin::is_worth_a_start(call, &diverged) => Err(Failure::soft(format!(
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
