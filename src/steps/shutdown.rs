//! Where a primary was stopped cleanly: its node publishes that after every such stop,
//! and the other nodes keep a copy, in case the node goes away.

use std::time::Duration;

use super::ballot;
use super::patience::patiently;
use crate::instance::{ClusterState, ControlData};
use crate::ocf::notify::Transition;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::{Reign, ShutdownCheckpoint};

/// How long the control file is looked at, at most: a disk that hangs must not use up the
/// time of a stop that has succeeded, nor of the start that follows.
const LOOK: Duration = Duration::from_secs(10);

/// After the clean stop of a primary: there must be a shutdown checkpoint. That it
/// cannot be published is no failure: the server is stopped and stays so.
pub fn publish_after_stop(
    server: &dyn Server,
    cluster: &dyn Cluster,
    deadline: Deadline,
) -> Result<(), Failure> {
    let control = server.control_data(deadline.within(LOOK))?;
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
    let control = server.control_data(deadline.within(LOOK));
    let control = control.map_err(Failure::from);
    let published = control.and_then(|control| match control.state {
        ClusterState::ShutDown => publish(cluster, &control, deadline),
        _ => Ok(()),
    });
    warn(published);
}

fn warn(published: Result<(), Failure>) {
    if let Err(failure) = published {
        log::warn!("Cannot publish the shutdown checkpoint of this node: {failure}");
    }
}

fn publish(
    cluster: &dyn Cluster,
    control: &ControlData,
    deadline: Deadline,
) -> Result<(), Failure> {
    let node = cluster.node()?;
    let (system, start) = (control.system, control.checkpoint_start());
    let reigns = reigns(cluster, deadline);
    let checkpoint = ShutdownCheckpoint::of(node, system, start, reigns.as_deref());
    log::info!(
        "The primary is stopped: its shutdown checkpoint is at {} on timeline {}",
        checkpoint.lsn,
        checkpoint.timeline
    );
    let name = ShutdownCheckpoint::NAME.of(cluster.resource());
    let value = checkpoint.encode();
    Ok(patiently(deadline, || cluster.set_private(&name, &value))?)
}

/// Copies what a node published that this transition demoted or stopped.
pub fn remember(
    cluster: &dyn Cluster,
    transition: &Transition,
    deadline: Deadline,
) -> Result<(), ToolError> {
    let resource = cluster.resource();
    let name = ShutdownCheckpoint::NAME.of(resource);
    let published = patiently(deadline, || cluster.of_members(&name))?;
    let is_demoted = |node: &NodeName| transition.demote.contains(node);
    match ShutdownCheckpoint::to_copy(published.iter(), is_demoted) {
        Some(value) => cluster.set_private(&ShutdownCheckpoint::COPY_NAME.of(resource), value),
        None => Ok(()),
    }
}

/// All claims and reigns; `None` if the cluster does not tell.
fn reigns(cluster: &dyn Cluster, deadline: Deadline) -> Option<Vec<Reign>> {
    match patiently(deadline, || cluster.permanent()) {
        Ok(stored) => Some(ballot::reigns(cluster.resource(), &stored)),
        Err(error) => {
            log::warn!("Cannot read this node's reign: {error}");
            None
        }
    }
}
