//! This node's vote, from pre-promote to post-promote.

use super::{ballot, position};
use crate::ocf::{Deadline, Failure};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::Vote;

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
    let vote = Vote::cast(held.position, &reigns, held.last_commit_age);
    let (timeline, lsn) = (vote.position.timeline, vote.position.lsn);
    log::info!("This node votes: timeline {timeline} at {lsn}");
    cluster.set_private(&Vote::NAME.of(resource), &vote.encode())?;
    Ok(cluster.set_private(&Vote::PAF_NAME.of(resource), &vote.encode_paf())?)
}

/// Takes the vote back.
pub fn withdraw(cluster: &dyn Cluster) -> Result<(), ToolError> {
    let resource = cluster.resource();
    cluster.delete_private(&Vote::NAME.of(resource))?;
    cluster.delete_private(&Vote::PAF_NAME.of(resource))
}
