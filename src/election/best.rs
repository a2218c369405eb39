//! Who of the electable voters is to be promoted: the one that nobody beats.

use std::cmp::Reverse;

use super::rule::Rule;
use super::standing::{Count, Standing};
use crate::ocf::NodeName;
use crate::wal::{Position, Relation};

impl<'a> Count<'a> {
    /// The voters that can be elected, with what they hold. Where nobody is left
    /// on the elected branch and an admin forces the candidate's timeline, the voters
    /// that left it.
    pub(super) fn electable(&self) -> Vec<(&'a NodeName, &'a Position)> {
        let on_branch: Vec<_> = self.with(Standing::Electable).collect();
        let nodes = if on_branch.is_empty() && self.is_forced(&self.ballot.candidate) {
            self.left_branch().collect()
        } else {
            on_branch
        };
        nodes
            .into_iter()
            .filter_map(|node| Some((node, self.position(node)?)))
            .collect()
    }

    /// Whether an admin's force applies to the promotion of this node.
    pub(super) fn is_forced(&self, node: &NodeName) -> bool {
        let position = self.position(node);
        position.is_some_and(|position| self.ballot.is_forced(node, position))
    }

    /// The node to elect: the candidate unless somebody beats it whom Pacemaker may
    /// promote; of several, the one that Pacemaker would rather have.
    pub(super) fn best(&self) -> Option<&'a NodeName> {
        let mut electable = self.electable();
        electable.retain(|(node, _)| self.bar_of(node).is_none());
        let is_beaten = |held: &Position| electable.iter().any(|(_, other)| beats(other, held));
        let unbeaten = electable.iter().filter(|(_, held)| !is_beaten(held));
        unbeaten
            .map(|(node, _)| *node)
            .min_by_key(|node| self.preference(node))
    }

    /// Small is preferred: not excluded, the candidate, a high score, the name.
    fn preference(&self, node: &'a NodeName) -> impl Ord + use<'a> {
        let excluded = self.exclusion_of(node).is_some();
        let other = *node != self.ballot.candidate;
        let score = self.ballot.scores.get(node).copied();
        (excluded, other, Reverse(score), node)
    }
}

/// Whether `this` must win over `that`. Where the facts do not tell, the higher
/// timeline was opened later.
pub(super) fn beats(this: &Position, that: &Position) -> bool {
    if !Rule::BestWins.holds() {
        return false;
    }
    if !Rule::History.holds() {
        return (this.timeline, this.lsn) > (that.timeline, that.lsn);
    }
    match that.compare(this) {
        Relation::Behind => true,
        Relation::Diverged { .. } | Relation::Unknown => this.timeline > that.timeline,
        Relation::Same | Relation::Ahead | Relation::OtherSystem => false,
    }
}
