//! Whether a node offers itself where the cluster has nobody whom Pacemaker may
//! promote, as after the loss of all nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::scale::{GRACE, LAST_CHOICE, OUTVOTED, is_excluded};
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

/// The node that this one gave way to, in an election that nobody has won since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yielded {
    /// The other node.
    pub to: NodeName,
    /// When, as the time since the epoch.
    pub since: Duration,
}

impl Yielded {
    /// Whether the other node is gone, or had its chance.
    pub fn came_to_nothing(&self, members: &BTreeSet<NodeName>, now: Duration) -> bool {
        !members.contains(&self.to) || now.saturating_sub(self.since) >= GRACE
    }
}

impl Offer {
    /// Of a node that excluded itself when it gave way, because Pacemaker would have tried it
    /// again: if the other was not promoted, it stands again.
    pub fn again(score: Option<i32>, is_in_vain: bool) -> Option<Self> {
        (score == Some(OUTVOTED) && is_in_vain).then_some(Self::Score(LAST_CHOICE))
    }

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
