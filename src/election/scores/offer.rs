//! Whether a node offers itself where the cluster has nobody whom Pacemaker may
//! promote, as after the loss of all nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::scale::{LAST_CHOICE, is_excluded};
use crate::ocf::NodeName;

/// What a node does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Nothing: some member is a candidate.
    Needless,
    /// It takes this score. That is no claim: the election decides.
    Score(i32),
    /// Nothing, since the last primary excluded it, and how much it lacks is not known.
    /// It tells what an admin can do.
    Excluded {
        /// Its score.
        score: i32,
    },
}

impl Offer {
    /// Of `node`, by the stored scores and the nodes of the partition.
    pub fn of(
        node: &NodeName,
        scores: &BTreeMap<NodeName, i32>,
        members: &BTreeSet<NodeName>,
    ) -> Self {
        let score = |node: &NodeName| scores.get(node).copied();
        let mut members = members.iter();
        if members.any(|member| score(member).is_some_and(|score| !is_excluded(score))) {
            return Self::Needless;
        }
        match score(node) {
            Some(score) => Self::Excluded { score },
            None => Self::Score(LAST_CHOICE),
        }
    }
}
