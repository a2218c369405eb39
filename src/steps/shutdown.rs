//! Where a primary was stopped cleanly: its node publishes that after every such stop,
//! and the other nodes keep a copy, in case the node goes away.

use std::time::Duration;

use super::evidence::{self, Known};
use super::patience::patiently;
use crate::instance::{ClusterState, ControlData};
use crate::ocf::notify::Transition;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::ShutdownCheckpoint;

/// How long the control file is looked at, at most: a disk that hangs must not use up the
/// time of a stop that has succeeded, nor of the start that follows.
const LOOK: Duration = Duration::from_secs(10);
/// How long the attribute of a demoted node may be on its way. A crashed primary has none,
/// and each moment here is one without a primary.
const LONGEST_ARRIVAL: Duration = Duration::from_millis(200);
const POLL: Duration = Duration::from_millis(20);

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
    warn(publish(server, cluster, &control, deadline));
    Ok(())
}

/// Publishes the shutdown checkpoint of this stopped server, if it was a primary; a
/// crashed one has none. Nothing fails for it.
pub fn publish_if_possible(server: &dyn Server, cluster: &dyn Cluster, deadline: Deadline) {
    let control = server.control_data(deadline.within(LOOK));
    let control = control.map_err(Failure::from);
    let published = control.and_then(|control| match control.state {
        ClusterState::ShutDown => publish(server, cluster, &control, deadline),
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
    server: &dyn Server,
    cluster: &dyn Cluster,
    control: &ControlData,
    deadline: Deadline,
) -> Result<(), Failure> {
    let node = cluster.node()?;
    let (system, start) = (control.system, control.checkpoint_start());
    let known = known(server, cluster, deadline);
    let reigns = known.as_ref().map(|known| known.all.reigns());
    let checkpoint = ShutdownCheckpoint::of(node, system, start, reigns.as_deref());
    if let Some(known) = known {
        keep(known, cluster, &checkpoint);
    }
    log::info!(
        "The primary is stopped: its shutdown checkpoint is at {} on timeline {}",
        checkpoint.lsn,
        checkpoint.timeline
    );
    let name = ShutdownCheckpoint::NAME.of(cluster.resource());
    let value = checkpoint.encode();
    Ok(patiently(deadline, || cluster.set_private(&name, &value))?)
}

/// As `remember`, right after a demotion: the attribute may still be on its way, as long as the
/// node is a member.
pub fn await_and_remember(
    server: &dyn Server,
    cluster: &dyn Cluster,
    transition: &Transition,
    deadline: Deadline,
) -> Result<(), ToolError> {
    let patience = deadline.within(LONGEST_ARRIVAL);
    while !remember(server, cluster, transition, deadline)? {
        let members = cluster.members()?;
        let may_come = transition.demote.iter().any(|node| members.contains(node));
        if !may_come || !patience.sleep(POLL) {
            break;
        }
    }
    Ok(())
}

/// Copies what a node published that this transition demoted or stopped; `false` if there is
/// nothing.
pub fn remember(
    server: &dyn Server,
    cluster: &dyn Cluster,
    transition: &Transition,
    deadline: Deadline,
) -> Result<bool, ToolError> {
    let resource = cluster.resource();
    let name = ShutdownCheckpoint::NAME.of(resource);
    let is_demoted = |node: &NodeName| transition.demote.contains(node);
    let published = patiently(deadline, || cluster.of_members(&name))?;
    let Some(value) = ShutdownCheckpoint::to_copy(published.iter(), is_demoted) else {
        return Ok(false);
    };
    cluster.set_private(&ShutdownCheckpoint::COPY_NAME.of(resource), value)?;
    let known = known(server, cluster, deadline);
    if let (Ok(checkpoint), Some(known)) = (ShutdownCheckpoint::decode(value), known) {
        keep(known, cluster, &checkpoint);
    }
    Ok(true)
}

/// Copies the newest checkpoint of another node that this node's ledger has. Votes tell it
/// anyway: the copy is for a candidate of the first version, which reads no votes for it.
pub fn copy_known(cluster: &dyn Cluster) -> Result<(), ToolError> {
    let node = cluster.node()?;
    let known = evidence::of_ledger(cluster, &node).checkpoints();
    let lines: Vec<_> = known.iter().map(|one| (&one.node, one.encode())).collect();
    let lines = lines.iter().map(|(of, line)| (*of, line));
    let Some(newest) = ShutdownCheckpoint::to_copy(lines, |of| *of != node) else {
        return Ok(());
    };
    let name = ShutdownCheckpoint::COPY_NAME.of(cluster.resource());
    cluster.set_private(&name, newest)
}

/// A restart of Pacemaker everywhere takes the attribute with it.
fn keep(mut known: Known, cluster: &dyn Cluster, checkpoint: &ShutdownCheckpoint) {
    known.all.add_checkpoint(checkpoint.clone());
    known.keep(cluster);
}

/// What this node knows of elections; `None` if the cluster does not tell.
fn known(server: &dyn Server, cluster: &dyn Cluster, deadline: Deadline) -> Option<Known> {
    let known = patiently(deadline, || {
        Known::gather(server, cluster, &cluster.permanent()?)
    });
    match known {
        Ok(known) => Some(known),
        Err(error) => {
            log::warn!("Cannot read this node's reign: {error}");
            None
        }
    }
}
