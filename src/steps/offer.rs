//! Offers this node where the cluster has nobody whom Pacemaker may promote.
//!
//! An offer is no claim: who becomes primary is decided by the election. But a node that
//! the last primary has excluded (it lagged, or did not stream) never offers itself: how
//! much it lacks is not known. It says what an admin can do.

use crate::election::scores::{LAST_CHOICE, Offer};
use crate::ocf::NodeName;
use crate::pacemaker::{Cluster, ToolError};

/// Makes this node a candidate if no node of the partition is one; `why` is what makes
/// it a good one. A failure here never fails the action.
pub fn if_nobody_is_a_candidate(cluster: &dyn Cluster, why: &str) {
    if let Err(error) = offer(cluster, why) {
        log::warn!("Cannot tell whether any node is a candidate for promotion: {error}");
    }
}

fn offer(cluster: &dyn Cluster, why: &str) -> Result<(), ToolError> {
    let scores = cluster.permanent()?.scores(cluster.resource());
    let members = cluster.members()?;
    let node = cluster.node()?;
    match Offer::of(&node, &scores, &members) {
        Offer::Needless => Ok(()),
        Offer::Excluded { score } => {
            log::warn!("{}", hint(cluster.resource(), &node, score));
            Ok(())
        }
        Offer::Score(score) => {
            log::info!("No node is a candidate for promotion: offering this one, {why}");
            cluster.set_score(&node, score)
        }
    }
}

fn hint(resource: &str, node: &NodeName, score: i32) -> String {
    format!(
        "No node may be promoted: the last primary excluded every standby (promotion score of \
         {node}: {score}). Bring back the last primary. Or, to promote {node} and lose the \
         commits that it lacks: crm_attribute --lifetime forever --node {node} --name master-{resource} \
         --update {LAST_CHOICE}"
    )
}
