//! This node's claim to be primary: written before PostgreSQL leaves recovery, ended
//! once it is known whether it did.

use super::evidence::Known;
use super::patience::patiently;
use super::{ballot, position, state};
use crate::election::{Ballot, EndOfClaim, taken_timelines};
use crate::instance::{Role, State};
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::Reign;
use crate::record::reign::Stage;
use crate::system::clock;
use crate::wal::{HalfOpen, Timeline};

/// Writes down who was elected, before PostgreSQL leaves recovery: from then on there may be
/// commits on a new branch, which the cluster must know of even if all nodes lose power the
/// next moment. First on this node's disk, since Pacemaker writes its own some time after it
/// has answered; then where the others see it, while `work` is done, which must open nothing.
pub fn publish_during(
    server: &dyn Server,
    cluster: &dyn Cluster,
    (ballot, known): (&Ballot, &mut Known),
    deadline: Deadline,
    work: &mut dyn FnMut(),
) -> Result<(), Failure> {
    let Some(own) = ballot.votes.get(&ballot.candidate) else {
        return Err(Failure::soft("This node's own vote is missing"));
    };
    let setting = server
        .synchronous_standby_names(deadline)
        .map_err(|why| Failure::soft(format!("synchronous_standby_names: {why}")))?;
    let sync = ballot::sync_rule(&setting);
    let mut claim = ballot.claim(own.position.clone(), sync);
    claim.particulars.data.clone_from(&known.data);
    claim.particulars.opens = next_timeline(server, ballot, own.position.timeline);
    claim.particulars.held_at = Some(clock::since_epoch().as_secs());
    known.all.add(claim.clone());
    known.keep(cluster);
    let name = Reign::CLAIM_NAME.of(cluster.resource());
    // Without it there is no promotion.
    let cluster = cluster.unshared();
    let claimed = cluster.set_permanent_during((&claim.primary, &name, &claim.encode()), work);
    Ok(claimed?)
}

/// The timeline that this promotion opens: PostgreSQL takes the first number above its own that
/// has no history file, and those that others may have opened get one before.
fn next_timeline(server: &dyn Server, ballot: &Ballot, own: Timeline) -> Option<Timeline> {
    let taken = taken_timelines(own, &ballot.reigns).unwrap_or_default();
    match server.wal_files() {
        Ok(files) => files.next_free(own, &taken),
        Err(error) => {
            log::warn!("Cannot tell which timeline this promotion opens: {error}");
            None
        }
    }
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
    let control = server.control_data(deadline)?;
    let (held, left) = position::of_claimant(server, &control, &claim)?;
    let term = claim.term;
    let came_to = match unpublished(&known, term) {
        Some(reign) => EndOfClaim::CameTrue(Box::new(reign.clone())),
        None => {
            let reign = known.published.of_node(&node, Stage::Opened);
            EndOfClaim::of(claim, &held, known.data.as_ref(), reign)
        }
    };
    match came_to {
        EndOfClaim::CameTrue(reign) => {
            let name = Reign::NAME.of(cluster.resource());
            cluster.set_permanent(&node, &name, &reign.encode())?;
            known.all.add(*reign);
        }
        EndOfClaim::NothingNew => {
            log::info!("The claim of this node came to nothing: deleting it");
            remove_what_is_left(server, left);
        }
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

/// The reign of this term or a later one that only the ledger has: no monitor of the primary has
/// run since its promotion.
fn unpublished(known: &Known, term: u64) -> Option<&Reign> {
    let kept = known.all.of_node(&known.node, Stage::Opened);
    let published = known.published.of_node(&known.node, Stage::Opened);
    kept.filter(|kept| kept.term >= term && published.is_none_or(|it| it.term < kept.term))
}

/// After PostgreSQL has left recovery: writes into this node's ledger which branch was opened,
/// for a promotion replays from an archive what nobody had voted with. The cluster's
/// configuration gets it by the first monitor; a failure here is none of the promotion.
pub fn note_opened(
    server: &dyn Server,
    cluster: &dyn Cluster,
    known: &mut Known,
    deadline: Deadline,
) {
    let Some(claim) = known.claim().cloned() else {
        return;
    };
    let control = match server.control_data(deadline) {
        Ok(control) => control,
        Err(error) => {
            log::warn!("Cannot note yet which timeline this promotion opened: {error}");
            return;
        }
    };
    let held = position::of_control(server, &control);
    if let EndOfClaim::CameTrue(reign) = EndOfClaim::of(claim, &held, known.data.as_ref(), None) {
        known.all.add(*reign);
        known.keep(cluster);
    }
}

/// No server reads WAL of a timeline that has no history, until it follows another branch of
/// that number: then it would take it for that branch's.
fn remove_what_is_left(server: &dyn Server, left: Option<HalfOpen>) {
    let Some(HalfOpen::WithoutHistory(timeline)) = left else {
        return;
    };
    log::info!(
        "Removing the WAL of timeline {timeline}, which a promotion of this node did not open"
    );
    if let Err(error) = server.remove_wal_of(timeline) {
        log::warn!("Cannot remove the WAL of timeline {timeline}: {error}");
    }
}

/// First the end, then the claim: other nodes have copies of it, which nobody deletes.
fn end(cluster: &dyn Cluster, node: &NodeName, term: u64) -> Result<(), ToolError> {
    let resource = cluster.resource();
    let ended = Reign::encode_ended(term);
    cluster.set_permanent(node, &Reign::ENDED_NAME.of(resource), &ended)?;
    cluster.delete_permanent(node, &Reign::CLAIM_NAME.of(resource))
}
