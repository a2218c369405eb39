//! What the votes prove about nodes that are not there.

use super::rule::Rule;
use super::standing::{Count, Standing};
use crate::ocf::NodeName;
use crate::record::reign::Reign;
use crate::record::shutdown::Floor;
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

    /// The voters that show whether a commit of a reign is missing from a
    /// position: what they hold of that reign, it contains.
    pub(super) fn vouching_for(
        &self,
        reign: &Reign,
        held: &Position,
    ) -> impl Iterator<Item = &'a NodeName> {
        let outside = self.standings.iter().filter(|(node, standing)| {
            let theirs = self.position(node);
            let theirs = theirs.filter(|_| **standing != Standing::OtherSystem);
            theirs.is_some_and(|theirs| {
                reign.is_untouched_by(theirs) || self.reigned_aside_of(reign, node, theirs)
            })
        });
        self.covered_by(held).chain(outside.map(|(node, _)| *node))
    }

    /// Whether the node holds a branch that it opened as primary, and that this
    /// later reign did not begin on; so it has nothing of that one. Histories do
    /// not show it where both have the same number and the same fork. They do show
    /// that a node was rewound or rebuilt by hand: then it holds nothing of its own.
    pub(super) fn reigned_aside_of(&self, later: &Reign, node: &NodeName, held: &Position) -> bool {
        let own = self.reigns.iter().filter(|reign| reign.primary == *node);
        let mut kept = own.filter(|own| own.is_passed_by(held) && !own.is_untouched_by(held));
        kept.any(|own| own.term < later.term && !later.began_on(own))
    }

    /// Whether the primary of a reign votes, with what it wrote then, and a
    /// position contains all of that.
    pub(super) fn primary_is_covered(&self, reign: &Reign, held: &Position) -> bool {
        self.position(&reign.primary)
            .is_some_and(|own| reign.is_passed_by(own))
            && self.covered_by(held).any(|node| *node == reign.primary)
    }

    /// The floors that bind in this election: of this database, left by a primary
    /// that was elected, and nobody was elected since.
    pub(super) fn binding_floors(&self, held: &Position) -> impl Iterator<Item = &'a Floor> {
        let settled = |floor: &Floor| self.reigns.iter().any(|reign| reign.settles(floor));
        let floors = self.ballot.floors.iter();
        floors.filter(move |floor| {
            floor.concerns(held) && self.is_of_a_primary(floor) && !settled(floor)
        })
    }

    /// Whether the cluster had elected the node whose floor it is. Where no election
    /// is on record nothing speaks against it.
    fn is_of_a_primary(&self, floor: &Floor) -> bool {
        let reigns = &self.ballot.reigns;
        reigns.is_empty() || reigns.iter().any(|reign| reign.may_have_ended_at(floor))
    }

    /// Whether a position contains everything that the last primary wrote.
    pub(super) fn holds_end_of_last(&self, held: &Position) -> bool {
        let mut floors = self.binding_floors(held);
        self.last_reign()
            .is_some_and(|last| self.primary_is_covered(last, held))
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
}
