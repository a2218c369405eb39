//! demote: makes a standby of the primary, by a clean stop and a start in
//! recovery. Standbys get the shutdown checkpoint, and this node publishes
//! where it is: no new primary may lack it.

use std::time::Instant;

use postgres::Client;

use super::{start, stop};
use crate::instance::{Role, State};
use crate::ocf::notify::Transition;
use crate::ocf::{OcfExit, Outcome};
use crate::postgres::{session, standby_signal};
use crate::steps::{Call, shutdown, state};

/// Demotes the instance.
pub fn run(call: &Call) -> Outcome {
    let deadline = call.request.deadline;
    match state::state(call, deadline.within(state::SILENCE))? {
        State::Running(Role::Standby) => return Ok(OcfExit::Success),
        // Also by hand, or by a demotion that ended too late to publish it.
        State::Stopped(Role::Primary) => shutdown::publish_if_possible(call),
        State::Stopped(Role::Standby) | State::Crashed(_) => {}
        State::LeftBehind(_) => {
            stop::clear_left_behind(call, deadline)?;
        }
        state @ (State::Running(Role::Primary)
        | State::Busy(Role::Primary, _)
        | State::Transient(_)) => {
            if state == State::Running(Role::Primary) {
                checkpoint_first(call);
            }
            stop::stop_cleanly(call, deadline)?;
            shutdown::publish_after_stop(call)?;
        }
        State::Failing(refusal) => {
            log::warn!("PostgreSQL runs, but: {refusal}. Stopping it all the same");
            stop::stop_silent(call, deadline)?;
            if !standby_signal::is_there(&call.parameters.datadir) {
                shutdown::publish_after_stop(call)?;
            }
        }
        other @ State::Busy(Role::Standby, _) => return other.monitor(false),
    }
    if is_stopped_next(call) {
        log::info!("Stopped; not started as a standby, since this transition stops it next");
        return Ok(OcfExit::Success);
    }
    start::start_as_standby(call, deadline)
}

/// A stop writes all dirty buffers, and nobody is served meanwhile. What is
/// written before, while clients still are, is not written then. Its time is
/// bounded, and nothing depends on it.
fn checkpoint_first(call: &Call) {
    let begin = Instant::now();
    let bound = call.request.deadline.left() / 2;
    let deadline = call.request.deadline.within(bound);
    let checkpoint = |client: &mut Client| client.batch_execute("CHECKPOINT");
    match session::ask(&call.parameters, &call.user, deadline, checkpoint) {
        Ok(()) => log::info!(
            "Checkpoint before the stop: {} ms",
            begin.elapsed().as_millis()
        ),
        Err(refusal) => log::warn!("No checkpoint before the stop: {refusal}"),
    }
}

/// Starting what is stopped a moment later would only cost time.
fn is_stopped_next(call: &Call) -> bool {
    let transition = Transition::from_environment(&call.environment);
    let node = call.request.node.as_ref();
    matches!((transition, node), (Some(transition), Some(node)) if transition.stop.contains(node))
}
