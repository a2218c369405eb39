//! Where a primary was stopped cleanly: its node publishes that after every such stop,
//! and the other nodes keep a copy, in case the node goes away.

use std::time::Duration;

use super::ballot;
use crate::instance::{ClusterState, ControlData};
use crate::ocf::notify::Transition;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::{Floor, Reign};

/// How often a daemon that does not answer is asked again.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// After the clean stop of a primary: there must be a shutdown checkpoint. That it
/// cannot be published is no failure: the server is stopped and stays so.
pub fn publish_after_stop(
    server: &dyn Server,
    cluster: &dyn Cluster,
    deadline: Deadline,
) -> Result<(), Failure> {
    let control = server.control_data(deadline)?;
    if control.state != ClusterState::ShutDown {
        return Err(Failure::soft(
            "The primary stopped without a shutdown checkpoint",
        ));
    }
    warn(publish(cluster, &control, deadline));
    Ok(())
}

/// Publishes the shutdown checkpoint of this stopped server, if it was a primary; a
/// crashed one has none. Nothing fails for it.
pub fn publish_if_possible(server: &dyn Server, cluster: &dyn Cluster, deadline: Deadline) {
    let control = server.control_data(deadline).map_err(Failure::from);
    let published = control.and_then(|control| match control.state {
        ClusterState::ShutDown => publish(cluster, &control, deadline),
        _ => Ok(()),
    });
    warn(published);
}

fn warn(published: Result<(), Failure>) {
    if let Err(failure) = published {
        log::warn!("Cannot publish where the primary was stopped: {failure}");
    }
}

fn publish(
    cluster: &dyn Cluster,
    control: &ControlData,
    deadline: Deadline,
) -> Result<(), Failure> {
    let node = cluster.node()?;
    let floor = Floor {
        term: own_term(cluster, &node, deadline),
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
    let (name, value) = (Floor::attribute(cluster.resource()), floor.encode());
    Ok(patiently(deadline, || cluster.set_private(&name, &value))?)
}

/// Copies what a node published that this transition demoted or stopped.
pub fn remember(
    cluster: &dyn Cluster,
    transition: &Transition,
    deadline: Deadline,
) -> Result<(), ToolError> {
    let resource = cluster.resource();
    let published = patiently(deadline, || cluster.of_members(&Floor::attribute(resource)))?;
    let news = published
        .iter()
        .filter(|(node, _)| transition.demote.contains(*node))
        .filter_map(|(_, value)| Some((Floor::decode(value).ok()?, value)))
        .max_by_key(|(floor, _)| (floor.timeline, floor.lsn));
    match news {
        Some((_, value)) => cluster.set_private(&Floor::copy_attribute(resource), value),
        None => Ok(()),
    }
}

/// The term of this node's last reign; `None` if the cluster does not tell.
fn own_term(cluster: &dyn Cluster, node: &NodeName, deadline: Deadline) -> Option<u64> {
    match patiently(deadline, || cluster.permanent()) {
        Ok(stored) => Some(last_term(
            &ballot::reigns(cluster.resource(), &stored),
            node,
        )),
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

fn patiently<T>(
    deadline: Deadline,
    ask: impl Fn() -> Result<T, ToolError>,
) -> Result<T, ToolError> {
    for _ in 1..TRIES {
        match ask() {
            Err(error) if deadline.sleep(PAUSE) => log::warn!("{error}"),
            answer => return answer,
        }
    }
    ask()
}
