//! start: has the server run as a standby, always. Only promote opens a server for
//! writing.

use super::Call;
use super::perform::{perform, validate};
use crate::instance::plan::{Verb, plan};
use crate::ocf::{Outcome, Parameters};
use crate::steps::{rebuild, state};

/// Starts the server.
pub fn run(call: &Call) -> Outcome {
    // A start is the time to insist on what other actions only log.
    Parameters::from_environment(&call.environment)?;
    rebuild::before_start(&*call.server)?;
    // Where nothing can be seen, the reason may be a missing mount or program.
    let state = state::now(&*call.server, call.request.deadline)
        .or_else(|failure| validate(call).and(Err(failure)))?;
    perform(call, plan(Verb::Start, &state)?)
}
