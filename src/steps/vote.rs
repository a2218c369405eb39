//! This node's vote, from pre-promote to post-promote.

use super::{ballot, position};
use crate::ocf::{Deadline, Failure};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::{Vote, last_reign};

/// Publishes what this standby holds. A node that cannot vote leaves no older vote
/// behind.
pub fn cast(server: &dyn Server, cluster: &dyn Cluster, deadline: Deadline) -> Result<(), Failure> {
    let held = match position::of_standby(server, position::LONGEST_REPLAY, deadline) {
        Ok(held) => held,
        Err(failure) => {
            withdraw(cluster)?;
            return Err(failure);
        }
    };
    let resource = cluster.resource();
    let reigns = ballot::reigns(resource, &cluster.permanent()?);
    let vote = Vote {
        position: held.position,
        term: Some(last_reign(&reigns).map_or(0, |reign| reign.term)),
        ends_with_shutdown: None,
        last_commit_age_s: held.last_commit_age_s,
    };
    let (timeline, lsn) = (vote.position.timeline, vote.position.lsn);
    log::info!("This node votes: timeline {timeline} at {lsn}");
    cluster.set_private(&Vote::attribute(resource), &vote.encode())?;
    Ok(cluster.set_private(&Vote::shared_attribute(resource), &vote.encode_shared())?)
}

/// Takes the vote back.
pub fn withdraw(cluster: &dyn Cluster) -> Result<(), ToolError> {
    let resource = cluster.resource();
    cluster.delete_private(&Vote::attribute(resource))?;
    cluster.delete_private(&Vote::shared_attribute(resource))
}
