//! Offers this node where the cluster has nobody whom Pacemaker may promote.
//!
//! An offer is no claim: who becomes primary is decided by the election. But a
//! node that the last primary has excluded (it lagged, or did not stream) never
//! offers itself: how much it lacks is not known. It says what an admin can do.

use super::Call;
use crate::election::scores::{ELECTED, is_excluded};
use crate::ocf::{Failure, NodeName};
use crate::pacemaker::{Permanent, membership, permanent};

/// Makes this node a candidate if no node of the partition is one; `why` is
/// what makes it a good one. A failure here never fails the action.
pub fn if_nobody_is_a_candidate(call: &Call, why: &str) {
    if let Err(failure) = offer(call, why) {
        log::warn!("Cannot see whether anybody may be promoted: {failure}");
    }
}

fn offer(call: &Call, why: &str) -> Result<(), Failure> {
    let resource = &call.request.resource;
    let scores = Permanent::read(&call.tools)?.scores(resource);
    let members = membership::partition(&call.tools)?;
    let is_candidate = |node: &NodeName| scores.get(node).is_some_and(|score| !is_excluded(*score));
    if members.iter().any(is_candidate) {
        return Ok(());
    }
    let node = call.node()?;
    match scores.get(&node) {
        Some(score) => {
            log::warn!("{}", hint(resource, &node, *score));
            Ok(())
        }
        None => {
            log::info!("No candidate around: offering this node, {why}");
            Ok(permanent::set_score(&call.tools, resource, &node, ELECTED)?)
        }
    }
}

fn hint(resource: &str, node: &NodeName, score: i32) -> String {
    format!(
        "No node may be promoted: each was excluded when the last primary saw it last (promotion \
         score of {node}: {score}). Bring back the last primary, or, to promote {node} and lose \
         what it lacks: crm_attribute --lifetime forever --node {node} --name master-{resource} \
         --update {ELECTED}"
    )
}
