//! promote: holds the election, and opens the server for writing if this node wins it.

use std::time::Duration;

use super::Call;
use super::perform::perform;
use crate::instance::plan::{Verb, plan};
use crate::ocf::Outcome;
use crate::steps::state;

/// How long a standby may refuse connections before the promotion fails: a crowd of
/// readers leaves a place free sooner.
const LONGEST_BUSY: Duration = Duration::from_secs(10);

/// Promotes the server.
pub fn run(call: &Call) -> Outcome {
    let deadline = call.request.deadline;
    let state = state::settled(&*call.server, deadline.within(LONGEST_BUSY), deadline)?;
    perform(call, plan(Verb::Promote, &state)?)
}
