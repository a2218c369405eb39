//! stop: succeeds when nothing of the server runs, by proof, whatever the control file
//! says.
//!
//! With nothing running it needs no parameter to be right, no control file to be readable
//! and no cluster: a failed stop costs the node.

use super::Call;
use super::perform::perform;
use crate::instance::plan::{Step, Verb, plan};
use crate::instance::{NoAnswer, Postmaster, State};
use crate::ocf::Outcome;
use crate::steps::state;

/// Stops the server. Pacemaker may leave it at that, as on a node whose promotions were refused too
/// often, and that node may be the only one that was told of a candidate.
pub fn run(call: &Call) -> Outcome {
    let stopped = stop(call);
    if stopped.is_ok() {
        call.testify();
    }
    stopped
}

fn stop(call: &Call) -> Outcome {
    match call.server.postmaster() {
        Ok(Postmaster::None) => {
            log::info!("No process of the instance is running");
            return perform(call, &[Step::PublishShutdownIfAny]);
        }
        // To succeed without proof would let another node be promoted beside a server that runs.
        Err(error) if error.is_blind() => return Err(error.into()),
        _ => {}
    }
    let deadline = call.request.deadline.within(state::SILENCE);
    let state = state::now(&*call.server, deadline).unwrap_or_else(|failure| {
        log::warn!("Stopping the instance although its state is not known: {failure}");
        State::Failing(NoAnswer::Silent)
    });
    perform(call, plan(Verb::Stop, &state)?)
}
