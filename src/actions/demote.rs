//! demote: makes a standby of the primary, by a clean stop and a start in recovery.
//! Standbys get the shutdown checkpoint, and this node publishes where it is: no new
//! primary may lack it.

use super::Call;
use super::perform::perform;
use crate::instance::State;
use crate::instance::plan::{Verb, plan};
use crate::ocf::Outcome;
use crate::steps::state;

/// Demotes the server.
pub fn run(call: &Call) -> Outcome {
    let deadline = call.request.deadline.within(state::SILENCE);
    let state = state::now(&*call.server, deadline)?;
    if let State::Failing(why) = &state {
        log::warn!("PostgreSQL runs, but: {why}. Stopping it anyway");
    }
    perform(call, plan(Verb::Demote, &state)?)
}
