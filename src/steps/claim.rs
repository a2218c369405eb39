//! This node's claim to be primary: written before PostgreSQL leaves recovery, ended
//! once it is known whether it did.

use super::evidence::Known;
use super::patience::patiently;
use super::{ballot, position, state};
use crate::election::{Ballot, EndOfClaim};
use crate::instance::{Role, State};
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::Reign;
use crate::record::reign::Stage;
use crate::system::clock;

/// Writes down who was elected, before PostgreSQL leaves recovery: from then on there may be
/// commits on a new branch, which the cluster must know of even if all nodes lose power the
/// next moment. First on this node's disk, since Pacemaker writes its own some time after it
/// has answered; then where the others see it.
pub fn publish(
    server: &dyn Server,
    cluster: &dyn Cluster,
    (ballot, known): (&Ballot, &mut Known),
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(own) = ballot.votes.get(&ballot.candidate) else {
        return Err(Failure::soft("This node's own vote is missing"));
    };
    let setting = server
        .synchronous_standby_names(deadline)
        .map_err(|why| Failure::soft(format!("synchronous_standby_names: {why}")))?;
    let sync = ballot::sync_rule(&setting);
    let (node, held) = (ballot.candidate.clone(), own.position.clone());
    let mut claim = Reign::claim(node, held, sync, ballot.next_term());
    claim.particulars.data.clone_from(&known.data);
    claim.particulars.held_at = Some(clock::since_epoch().as_secs());
    known.all.add(claim.clone());
    known.keep(cluster);
    let name = Reign::CLAIM_NAME.of(cluster.resource());
    // Without it there is no promotion.
    let cluster = cluster.unshared();
    Ok(cluster.set_permanent(&claim.primary, &name, &claim.encode())?)
}

/// A claim that did not come true would forbid others. But in doubt it stays: a server
/// that cannot be asked may have left recovery.
pub fn withdraw(server: &dyn Server, cluster: &dyn Cluster, ballot: &Ballot, deadline: Deadline) {
    let now = state::now(server, deadline);
    if !matches!(now, Ok(State::Running(Role::Standby))) {
        return;
    }
    if let Err(error) = end(cluster, &ballot.candidate, ballot.next_term()) {
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
    let mut known = Known::gather(server, cluster, &cluster.permanent()?)?;
    let node = known.node.clone();
    let Some(claim) = known.claim().cloned() else {
        known.keep(cluster);
        return Ok(());
    };
    let held = position::of_control(server, &server.control_data(deadline)?);
    let (term, reign) = (claim.term, known.all.of_node(&node, Stage::Opened));
    match EndOfClaim::of(claim, &held, known.data.as_ref(), reign) {
        EndOfClaim::CameTrue(reign) => {
            let name = Reign::NAME.of(cluster.resource());
            cluster.set_permanent(&node, &name, &reign.encode())?;
            known.all.add(reign);
        }
        EndOfClaim::NothingNew => log::info!("The claim of this node came to nothing: deleting it"),
        EndOfClaim::OfOtherData => {
            log::warn!(
                "The claim of this node is of data that are not here any more: whether it came \
                 true is not known, and it stays"
            );
            known.keep(cluster);
            return Ok(());
        }
    }
    known.all.end_claims(&node, term);
    known.keep(cluster);
    Ok(end(cluster, &node, term)?)
}

/// First the end, then the claim: other nodes have copies of it, which nobody deletes.
fn end(cluster: &dyn Cluster, node: &NodeName, term: u64) -> Result<(), ToolError> {
    let resource = cluster.resource();
    let ended = Reign::encode_ended(term);
    cluster.set_permanent(node, &Reign::ENDED_NAME.of(resource), &ended)?;
    cluster.delete_permanent(node, &Reign::CLAIM_NAME.of(resource))
}
