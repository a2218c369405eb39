//! Offers this node where the cluster has nobody whom Pacemaker may promote.
//!
//! An offer is no claim: who becomes primary is decided by the election. But a node that
//! the last primary has excluded (it lagged, or did not stream) never offers itself: how
//! much it lacks is not known. It says what an admin can do.

use super::bars;
use super::evidence::published;
use crate::election::scores::{LAST_CHOICE, Offer};
use crate::ocf::NodeName;
use crate::pacemaker::{Cluster, ToolError};
use crate::record::reign::last_term;
use crate::record::score;
use crate::system::{Notes, clock};

/// Makes this node a candidate if no node of the partition is one; `why` is what makes
/// it a good one. A failure here never fails the action.
pub fn if_nobody_is_a_candidate(cluster: &dyn Cluster, notes: &Notes, why: &str) {
    if let Err(error) = offer(cluster, notes, why) {
        log::warn!("Cannot tell whether any node is a candidate for promotion: {error}");
    }
}

fn offer(cluster: &dyn Cluster, notes: &Notes, why: &str) -> Result<(), ToolError> {
    let permanent = cluster.permanent()?;
    let scores = permanent.scores(cluster.resource());
    let members = cluster.members()?;
    let node = cluster.node()?;
    let term = last_term(&published(cluster.resource(), &permanent).0.reigns());
    let yielded = bars::yielded(notes, term);
    let is_in_vain = yielded.is_some_and(|one| one.came_to_nothing(&members, clock::since_epoch()));
    let again = Offer::again(scores.get(&node).copied(), is_in_vain);
    match again.unwrap_or_else(|| Offer::of(&node, &scores, &members)) {
        Offer::Needless => Ok(()),
        Offer::Excluded { score } => {
            log::warn!("{}", hint(cluster.resource(), &node, score));
            Ok(())
        }
        Offer::Score(score) => {
            log::info!("No node can be promoted: offering this one, {why}");
            cluster.set_score(&node, score)
        }
    }
}

fn hint(resource: &str, node: &NodeName, score: i32) -> String {
    let score = score::encode(score);
    format!(
        "No node may be promoted: the last primary excluded every standby (promotion score of \
         {node}: {score}). Bring back the last primary. Or, to promote {node} and lose the \
         commits that it lacks: crm_attribute --lifetime forever --node {node} --name master-{resource} \
         --update {LAST_CHOICE}"
    )
}
