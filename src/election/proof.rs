//! What the votes prove about nodes that are not there.

use super::lineage::reigned_aside_of;
use super::rule::Rule;
use super::scores::scale::is_excluded;
use super::standing::{Count, Standing};
use crate::ocf::NodeName;
use crate::record::reign::Reign;
use crate::record::shutdown::ShutdownCheckpoint;
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
        let voters = self.covered_by(held).chain(self.outside_of(reign));
        voters.filter(|node| !self.is_fresh_since(node, reign.term))
    }

    /// Whether a voter's data took the place of others that may have confirmed commits of this
    /// election's reign, and are not known to hold them. Such a voter shows nothing: a commit
    /// that is not on it may be one that it confirmed.
    pub(super) fn is_fresh_since(&self, node: &NodeName, term: u64) -> bool {
        let vote = self.ballot.current_vote(node);
        let fresh = vote.and_then(|vote| Some((vote.fresh?, &vote.position)));
        let fresh = fresh.filter(|_| Rule::FreshData.holds());
        fresh.is_some_and(|(fresh, held)| fresh.term >= term && !fresh.is_made_up_by(held))
    }

    /// The voters that hold nothing of a reign's branch.
    pub(super) fn outside_of(&self, reign: &Reign) -> impl Iterator<Item = &'a NodeName> {
        let outside = self.standings.iter().filter(|(node, standing)| {
            let theirs = self.ballot.current_vote(node);
            let theirs = theirs.filter(|_| **standing != Standing::OtherSystem);
            theirs.is_some_and(|theirs| {
                reign.is_untouched_by(&theirs.position)
                    || reigned_aside_of(&self.reigns, reign, node, theirs)
            })
        });
        outside.map(|(node, _)| *node)
    }

    /// Whether the primary of a reign votes, with what it wrote then, and a
    /// position contains all of that.
    pub(super) fn primary_is_covered(&self, reign: &Reign, held: &Position) -> bool {
        self.ballot
            .current_vote(&reign.primary)
            .is_some_and(|own| reign.is_of_data(own) && reign.is_passed_by(&own.position))
            && self.covered_by(held).any(|node| *node == reign.primary)
    }

    /// The shutdown checkpoints that bind in this election: of this database, left by a
    /// primary that was elected, and nobody was elected since. Where a branch is adopted, all
    /// that vote gave up the one before, whoever left a checkpoint on that included: as after a
    /// recovery of all nodes to a point in time.
    pub(super) fn binding_checkpoints(
        &self,
        held: &Position,
    ) -> impl Iterator<Item = &'a ShutdownCheckpoint> {
        let checkpoints = self.ballot.shutdown_checkpoints.iter();
        checkpoints.filter(|checkpoint| {
            let superseded = self.reigns.iter().any(|reign| reign.supersedes(checkpoint));
            let given_up = self.adopts && self.position(&checkpoint.node).is_some();
            checkpoint.concerns(held)
                && self.is_of_a_primary(checkpoint)
                && !superseded
                && !given_up
        })
    }

    /// Whether the cluster had elected the node that left the checkpoint. Where no
    /// election is on record nothing speaks against it.
    fn is_of_a_primary(&self, checkpoint: &ShutdownCheckpoint) -> bool {
        let mut reigns = self.ballot.reigns.iter();
        reigns.len() == 0 || reigns.any(|reign| reign.may_have_ended_at(checkpoint))
    }

    /// Whether a position contains everything that the last primary wrote.
    fn holds_end_of_last(&self, held: &Position) -> bool {
        let mut checkpoints = self.binding_checkpoints(held);
        self.last_reign()
            .is_some_and(|last| self.primary_is_covered(last, held))
            || checkpoints.any(|checkpoint| checkpoint.is_held_by(held) == Some(true))
    }

    /// The score by which the last primary excluded a node. It is outdated where
    /// the node holds all that there was to get.
    pub(super) fn exclusion_of(&self, node: &NodeName) -> Option<i32> {
        let score = self.ballot.scores.get(node).copied();
        let score = score.filter(|score| is_excluded(*score))?;
        let held = self.position(node)?;
        (Rule::Exclusion.holds() && !self.holds_end_of_last(held)).then_some(score)
    }
}
