//! This node's vote, from pre-promote to post-promote.

use super::evidence::{Known, LEDGER};
use super::position;
use crate::election::Unreadable;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::{Fresh, Vote};

/// Publishes what this standby holds, and what it has seen of elections. A node that cannot
/// vote leaves no older vote behind.
///
/// Before that it notes on its disk who is the candidate: from its vote on the candidate may
/// become primary, and if that goes together with the record of it, this node knows that it
/// may have been.
pub fn cast(
    server: &dyn Server,
    cluster: &dyn Cluster,
    candidates: &[NodeName],
    deadline: Deadline,
) -> Result<(), Failure> {
    let held = match position::of_standby(server, position::LONGEST_REPLAY, deadline) {
        Ok(held) => held,
        Err(failure) => {
            withdraw(cluster)?;
            return Err(failure);
        }
    };
    let resource = cluster.resource();
    let mut known = Known::gather(server, cluster, &cluster.permanent()?)?;
    if let Some(until) = held.damaged_until {
        known.fresh = Some(Fresh::lacking(known.fresh, known.all.last_term(), until));
    }
    let term = known.all.last_term().saturating_add(1);
    for candidate in candidates {
        known.all.promise(candidate, term);
    }
    known.keep(cluster);
    let own = Unreadable {
        node: known.node.clone(),
        what: LEDGER,
    };
    let vote = Vote {
        ledger_is_unreadable: known.unreadable.contains(&own),
        fresh: known.fresh,
        last_commit_age: held.last_commit_age,
        ..Vote::cast(held.position, known.all, known.data)
    };
    let (timeline, lsn) = (vote.position.timeline, vote.position.lsn);
    log::info!("This node votes: timeline {timeline} at {lsn}");
    let (own, shared) = (vote.encode(), vote.encode_paf());
    let (own_name, shared_name) = (Vote::NAME.of(resource), Vote::PAF_NAME.of(resource));
    Ok(cluster.set_private_each(&[(&own_name, &own), (&shared_name, &shared)])?)
}

/// Takes the vote back, in both forms at once: the address of a new primary waits for it.
pub fn withdraw(cluster: &dyn Cluster) -> Result<(), ToolError> {
    let resource = cluster.resource();
    let (own, shared) = (Vote::NAME.of(resource), Vote::PAF_NAME.of(resource));
    cluster.delete_private_each(&[&shared, &own])
}
