//! Where a primary was stopped cleanly: published by its node after every such
//! stop, and remembered by the others, whom it may not outlive.

use std::time::Duration;

use super::{Call, ballot, state};
use crate::instance::{ClusterState, ControlData};
use crate::ocf::notify::Transition;
use crate::ocf::{Failure, NodeName};
use crate::pacemaker::tool::ToolError;
use crate::pacemaker::{Permanent, attributes};
use crate::record::{Floor, Reign};

/// How often a daemon that does not answer is asked again.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// After the clean stop of a primary: there must be a shutdown checkpoint. That
/// it cannot be published is no failure: the instance is stopped and stays so.
pub fn publish_after_stop(call: &Call) -> Result<(), Failure> {
    let control = state::control(call, call.request.deadline)?;
    if control.state != ClusterState::ShutDown {
        return Err(Failure::soft(
            "The primary stopped without a shutdown checkpoint",
        ));
    }
    warn(publish(call, &control));
    Ok(())
}

/// Publishes the shutdown checkpoint of this stopped instance, if it was a
/// primary; a crashed one has none. Nothing fails for it.
pub fn publish_if_possible(call: &Call) {
    let published =
        state::control(call, call.request.deadline).and_then(|control| match control.state {
            ClusterState::ShutDown => publish(call, &control),
            _ => Ok(()),
        });
    warn(published);
}

fn warn(published: Result<(), Failure>) {
    if let Err(failure) = published {
        log::warn!("Cannot publish where the primary was stopped: {failure}");
    }
}

fn publish(call: &Call, control: &ControlData) -> Result<(), Failure> {
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
    let (name, value) = (Floor::attribute(&call.request.resource), floor.encode());
    Ok(again(call, || attributes::set(&call.tools, &name, &value))?)
}

/// Copies what a node published that this transition demoted or stopped.
pub fn remember(call: &Call) -> Result<(), ToolError> {
    let Some(transition) = Transition::from_environment(&call.environment) else {
        return Ok(());
    };
    let resource = &call.request.resource;
    let published = again(call, || {
        attributes::of_all_nodes(&call.tools, &Floor::attribute(resource))
    })?;
    let news = published
        .iter()
        .filter(|(node, _)| transition.demote.contains(*node))
        .filter_map(|(_, value)| Some((Floor::decode(value).ok()?, value)))
        .max_by_key(|(floor, _)| (floor.timeline, floor.lsn));
    match news {
        Some((_, value)) => attributes::set(&call.tools, &Floor::copy_attribute(resource), value),
        None => Ok(()),
    }
}

/// The term of this node's last reign; `None` if the cluster does not tell.
fn own_term(call: &Call, node: &NodeName) -> Option<u64> {
    match again(call, || Permanent::read(&call.tools)) {
        Ok(stored) => Some(last_term(&ballot::reigns(call, &stored), node)),
        Err(error) => {
            log::warn!("Cannot read this node's reign: {error}");
            None
        }
    }
}

/// 0 if it never was primary under this agent.
fn last_term(reigns: &[Reign], node: &NodeName) -> u64 {
    let own = reigns.iter().filter(|reign| reign.primary == *node);
    own.map(|reign| reign.term).max().unwrap_or(0)
}

fn again<T>(call: &Call, ask: impl Fn() -> Result<T, ToolError>) -> Result<T, ToolError> {
    for _ in 1..TRIES {
        match ask() {
            Err(error) if call.request.deadline.sleep(PAUSE) => log::warn!("{error}"),
            answer => return answer,
        }
    }
    ask()
}
