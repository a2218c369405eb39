//! What the votes prove about nodes that are not there.

use super::count::Count;
use super::reign::{Reign, Stage};
use super::rule::Rule;
use crate::pacemaker::NodeName;
use crate::wal::{Position, Relation};

impl<'a> Count<'a> {
    /// The voters whose whole WAL a position contains. Others cannot vouch for
    /// it.
    pub(super) fn covered_by(&self, held: &Position) -> impl Iterator<Item = &'a NodeName> {
        let voted = self.standings.keys().copied();
        voted.filter(|node| {
            let theirs = self.position(node).map(|theirs| theirs.compare(held));
            matches!(theirs, Some(Relation::Same | Relation::Behind))
        })
    }

    /// Whether the primary of a reign votes, with what it wrote then, and a
    /// position contains all of that.
    pub(super) fn primary_is_covered(&self, reign: &Reign, held: &Position) -> bool {
        self.has_reigned(reign) && self.covered_by(held).any(|node| *node == reign.primary)
    }

    /// Whether a position contains everything that the last primary wrote.
    pub(super) fn holds_end_of_last(&self, held: &Position) -> bool {
        let last = self.last_reign();
        let of_last = last.map(|last| last.branch.timeline);
        let floors = self
            .ballot
            .floors
            .iter()
            .filter(|floor| Some(floor.timeline) >= of_last);
        let mut floors = floors.filter(|floor| floor.concerns(held));
        last.is_some_and(|last| self.primary_is_covered(last, held))
            || floors.any(|floor| floor.is_held_by(held) == Some(true))
    }

    /// The score by which the last primary excluded a node. It is outdated where
    /// the node holds all that there was to get.
    pub(super) fn exclusion_of(&self, node: &NodeName) -> Option<i32> {
        let score = self
            .ballot
            .scores
            .get(node)
            .copied()
            .filter(|score| *score < 0)?;
        let held = self.position(node)?;
        (Rule::Exclusion.holds() && !self.holds_end_of_last(held)).then_some(score)
    }

    /// Whether the vote of a reign's primary shows the branch it opened.
    fn has_reigned(&self, reign: &Reign) -> bool {
        let held = self.position(&reign.primary).map(|held| held.timeline);
        match reign.stage {
            Stage::Claimed => held > Some(reign.branch.timeline),
            Stage::Opened => held >= Some(reign.branch.timeline),
        }
    }
}
