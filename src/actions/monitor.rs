//! monitor: says what the instance is. Judges no configuration: a wrong
//! setting never stops a running instance.

use super::{Call, give_scores, observe};
use crate::instance::State;
use crate::ocf::{OcfExit, Outcome};

/// Answers 0, 7, 8, or a failure with its reason.
pub fn run(call: &Call) -> Outcome {
    let probe = call.request.probe;
    if probe && !call.parameters.datadir.join("PG_VERSION").exists() {
        // A node without this database: nothing runs, and that is no fault.
        return Ok(OcfExit::NotRunning);
    }
    let (state, primary) = observe::state_of_primary(call, call.request.deadline)?;
    if let State::Busy(role, refusal) = &state {
        log::warn!("The {role} runs but cannot be asked: {refusal}");
    }
    if let (Some(primary), false) = (primary, probe) {
        give_scores::run(call, &primary);
    }
    state.monitor(probe)
}
