//! demote: makes a standby of the primary, by a clean stop and a start in
//! recovery. Standbys get the shutdown checkpoint, and this node publishes
//! where it is: no new primary may lack it.

use std::time::Instant;

use postgres::Client;

use super::{Call, evidence, observe, start, stop};
use crate::election::Floor;
use crate::instance::{ClusterState, Role, State};
use crate::ocf::notify::Transition;
use crate::ocf::{Failure, OcfExit, Outcome};
use crate::pacemaker::{NodeName, Permanent, attributes};
use crate::postgres::session;

/// Demotes the instance.
pub fn run(call: &Call) -> Outcome {
    let deadline = call.request.deadline;
    match observe::state(call, deadline)? {
        State::Running(Role::Standby) => return Ok(OcfExit::Success),
        State::Stopped(_) | State::Crashed(_) => {}
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
            publish_shutdown(call)?;
        }
        other => return other.monitor(false),
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

/// Not publishing is no failure: the primary is stopped and must stay so.
fn publish_shutdown(call: &Call) -> Result<(), Failure> {
    let control = observe::control(call, call.request.deadline)?;
    if control.state != ClusterState::ShutDown {
        return Err(Failure::soft(
            "The primary stopped without a shutdown checkpoint",
        ));
    }
    let node = call.node()?;
    let floor = Floor {
        term: own_term(call, &node),
        node,
        system: Some(control.system),
        timeline: control.checkpoint_timeline,
        lsn: control.checkpoint,
    };
    log::info!(
        "The primary is stopped: its shutdown checkpoint is at {} on timeline {}",
        floor.lsn,
        floor.timeline
    );
    let name = Floor::attribute(&call.request.resource);
    if let Err(error) = attributes::set(&call.tools, &name, &floor.encode()) {
        log::warn!("Cannot publish the shutdown checkpoint: {error}");
    }
    Ok(())
}

/// The term of this node's last reign, which a later one settles.
fn own_term(call: &Call, node: &NodeName) -> u64 {
    let reigns = Permanent::read(&call.tools).map(|stored| evidence::reigns(call, &stored));
    let reigns = reigns.unwrap_or_else(|error| {
        log::warn!("Cannot read this node's reign: {error}");
        Vec::new()
    });
    let own = reigns.iter().filter(|reign| reign.primary == *node);
    own.map(|reign| reign.term).max().unwrap_or(0)
}
