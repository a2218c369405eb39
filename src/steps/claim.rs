//! This node's claim to be primary: written before PostgreSQL leaves recovery, ended
//! once it is known whether it did.

use super::patience::patiently;
use super::{ballot, position, state};
use crate::election::{Ballot, EndOfClaim};
use crate::instance::{Role, State};
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::Reign;

/// Says in the CIB who was elected, before PostgreSQL leaves recovery: from then on
/// there may be commits on a new branch, which the cluster must know of even if all
/// nodes lose power the next moment.
pub fn publish(
    server: &dyn Server,
    cluster: &dyn Cluster,
    ballot: &Ballot,
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(own) = ballot.votes.get(&ballot.candidate) else {
        return Err(Failure::soft("This node's own vote is missing"));
    };
    let setting = server
        .synchronous_standby_names(deadline)
        .map_err(|why| Failure::soft(format!("synchronous_standby_names: {why}")))?;
    let sync = ballot::sync_rule(&setting);
    let held = own.position.clone();
    let claim = Reign::claim(ballot.candidate.clone(), held, sync, &ballot.reigns);
    let name = Reign::CLAIM_NAME.of(cluster.resource());
    // Without it there is no promotion.
    let cluster = cluster.unshared();
    Ok(cluster.set_permanent(&claim.primary, &name, &claim.encode())?)
}

/// A claim that did not come true would forbid others. But in doubt it stays: a server
/// that cannot be asked may have left recovery.
pub fn withdraw(server: &dyn Server, cluster: &dyn Cluster, node: &NodeName, deadline: Deadline) {
    let now = state::now(server, deadline);
    if !matches!(now, Ok(State::Running(Role::Standby))) {
        return;
    }
    if let Err(error) = delete(cluster, node) {
        log::warn!("Cannot withdraw the claim of this promotion: {error}");
    }
}

/// Before a start: ends the claim that an interrupted promotion of this node left, by
/// what the control file says. It came true and is a reign, or it never did. One that is
/// still there after the start looks true as soon as this node follows another primary;
/// but a start does not wait for a Pacemaker that stays silent.
pub fn end_before_start(server: &dyn Server, cluster: &dyn Cluster, deadline: Deadline) {
    let ended = patiently(deadline, || try_end_before_start(server, cluster, deadline));
    if let Err(failure) = ended {
        log::warn!("Cannot tell whether a promotion of this node left a claim: {failure}");
    }
}

fn try_end_before_start(
    server: &dyn Server,
    cluster: &dyn Cluster,
    deadline: Deadline,
) -> Result<(), Failure> {
    let (node, resource) = (cluster.node()?, cluster.resource());
    let stored = cluster.permanent()?;
    let name = Reign::CLAIM_NAME.of(resource);
    let Some(text) = stored.values(&name).get(&node).copied() else {
        return Ok(());
    };
    let held = position::of_control(server, &server.control_data(deadline)?);
    let reign = ballot::reign_of(resource, &stored, &node);
    let claim = Reign::decode(node.clone(), text);
    match EndOfClaim::of(claim, &held, reign.as_ref()) {
        EndOfClaim::CameTrue(reign) => {
            cluster.set_permanent(&node, &Reign::NAME.of(resource), &reign.encode())?;
        }
        EndOfClaim::NothingNew => log::info!("The claim of this node came to nothing: deleting it"),
        EndOfClaim::Unreadable(error) => {
            log::warn!("Deleting the claim of this node, which cannot be read: {error}");
        }
    }
    Ok(delete(cluster, &node)?)
}

fn delete(cluster: &dyn Cluster, node: &NodeName) -> Result<(), ToolError> {
    cluster.delete_permanent(node, &Reign::CLAIM_NAME.of(cluster.resource()))
}
