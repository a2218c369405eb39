//! Who of the voters can be elected at all.

use std::collections::BTreeMap;

use super::ballot::Ballot;
use super::lineage::{Lineage, reigned_aside_of};
use super::rule::Rule;
use super::scores::scale::PRIMARY;
use crate::ocf::NodeName;
use crate::record::reign::Reign;
use crate::record::vote::Vote;
use crate::wal::{Lsn, Position, SystemId};

/// Where a voter stands in this election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Has not voted, or only in an earlier election.
    NotVoted,
    /// Holds another database.
    OtherSystem,
    /// Holds WAL that the branch elected last does not have.
    LeftBranch {
        /// Where the branches part, if that is known.
        fork: Option<Lsn>,
    },
    /// May be elected.
    Electable,
}

/// The counted votes of one ballot.
#[derive(Debug)]
pub(super) struct Count<'a> {
    pub(super) ballot: &'a Ballot,
    /// The reigns that count, oldest first.
    pub(super) reigns: Vec<&'a Reign>,
    /// Every voter.
    pub(super) standings: BTreeMap<&'a NodeName, Standing>,
    /// Whether all of them follow a branch for which nobody was elected.
    pub(super) adopts: bool,
}

impl<'a> Count<'a> {
    pub(super) fn of(ballot: &'a Ballot) -> Self {
        let mut count = Self {
            ballot,
            reigns: ballot.valid_reigns(),
            standings: BTreeMap::new(),
            adopts: false,
        };
        for node in &ballot.voters {
            let vote = ballot.current_vote(node);
            let standing = vote.map_or(Standing::NotVoted, |vote| count.standing_of(node, vote));
            count.standings.insert(node, standing);
        }
        if Rule::CommonBranch.holds() && count.has_common_branch() {
            count.adopts = true;
            let standings = count.standings.values_mut();
            standings.for_each(|standing| *standing = Standing::Electable);
        }
        count
    }

    /// Whether nobody is on the elected branch, and one voter holds all that anybody holds, the
    /// last primary included:
    ///
    /// ```text
    /// n1: 1 ────┐           n1 was elected last, and follows n2 now
    /// n2:       └── 2 ──    somebody promoted it by hand, in maintenance
    /// ```
    ///
    /// What the others would be refused for is nowhere any more, or in the branch itself.
    fn has_common_branch(&self) -> bool {
        let left = self.left_branch().count();
        if left == 0 || left < self.standings.len() {
            return false;
        }
        let is_known = |node: &NodeName| {
            let vote = self.ballot.current_vote(node);
            vote.is_some_and(|vote| !self.reigned_aside(node, vote))
        };
        let contains_all = |top: &NodeName| {
            let top = self.position(top);
            top.is_some_and(|top| self.covered_by(top).count() == left)
        };
        let primary = self.last_reign().map(|last| &last.primary);
        primary.is_some_and(|primary| self.standings.contains_key(primary))
            && self.standings.keys().all(|node| is_known(node))
            && self.standings.keys().any(|node| contains_all(node))
    }

    /// The primary that was elected last, if any ever was.
    pub(super) fn last_reign(&self) -> Option<&'a Reign> {
        self.reigns.last().copied()
    }

    /// The identity of the cluster's database: the last primary's, else the
    /// candidate's own.
    pub(super) fn system(&self) -> Option<SystemId> {
        let of_reign = self.last_reign().and_then(|reign| reign.branch.system);
        let own = self.ballot.votes.get(&self.ballot.candidate);
        of_reign.or_else(|| own.and_then(|vote| vote.position.system))
    }

    /// The voters with a given standing.
    pub(super) fn with(&self, wanted: Standing) -> impl Iterator<Item = &'a NodeName> + '_ {
        let standings = self.standings.iter();
        standings.filter_map(move |(node, standing)| (*standing == wanted).then_some(*node))
    }

    /// The voters that left the branch.
    pub(super) fn left_branch(&self) -> impl Iterator<Item = &'a NodeName> + '_ {
        let standings = self.standings.iter();
        standings.filter_map(|(node, standing)| {
            matches!(standing, Standing::LeftBranch { .. }).then_some(*node)
        })
    }

    /// What a voter that has voted holds.
    pub(super) fn position(&self, node: &NodeName) -> Option<&'a Position> {
        self.ballot.current_vote(node).map(|vote| &vote.position)
    }

    fn standing_of(&self, node: &NodeName, vote: &Vote) -> Standing {
        let position = &vote.position;
        let systems = (position.system, self.system());
        if Rule::System.holds() && matches!(systems, (Some(a), Some(b)) if a != b) {
            return Standing::OtherSystem;
        }
        match self.last_reign() {
            Some(last) if Rule::Branch.holds() => self.lineage_standing(last, node, vote),
            _ => Standing::Electable,
        }
    }

    fn lineage_standing(&self, last: &Reign, node: &NodeName, vote: &Vote) -> Standing {
        let held = &vote.position;
        if Rule::OwnReign.holds() && self.reigned_aside(node, vote) {
            return Standing::LeftBranch { fork: None };
        }
        if self.was_opened_by_hand(last, held) {
            return Standing::LeftBranch { fork: None };
        }
        if self.is_beyond_all_elections(last, held) {
            let fork = held.history.switch_point_of(last.branch.timeline);
            return Standing::LeftBranch { fork };
        }
        match last.lineage_of(held) {
            Lineage::Left { fork } => Standing::LeftBranch { fork: Some(fork) },
            // Too old to tell. With a higher timeline and no history it is the vote of a
            // node on PAF, which followed a later promotion.
            Lineage::Unknown if held.timeline < last.branch.timeline => {
                Standing::LeftBranch { fork: None }
            }
            _ => Standing::Electable,
        }
    }

    /// Whether somebody promoted a node past the cluster, and this position is on its branch:
    /// a shutdown checkpoint shows that the node was a primary on this timeline, and no
    /// election is on record for that. Its followers are no better than itself: without it
    /// they would be elected over it, with less.
    fn was_opened_by_hand(&self, last: &Reign, held: &Position) -> bool {
        let beyond = last.is_opened() && held.timeline > last.branch.timeline;
        let checkpoints = self.ballot.shutdown_checkpoints.iter();
        let mut here =
            checkpoints.filter(|left| left.timeline == held.timeline && left.concerns(held));
        let is_on_record = |left| {
            self.reigns
                .iter()
                .any(|reign| reign.may_have_ended_at(left))
        };
        beyond && here.any(|left| !is_on_record(left))
    }

    /// Whether a position is on a timeline that nobody was elected for:
    ///
    /// ```text
    /// n1: 1 ────┬─────      n1 was elected last, and has the score of a primary
    /// n2:       └── 2 ──    somebody ran pg_promote() here
    /// ```
    ///
    /// If a node on PAF had opened timeline 2, no election would be on record either.
    /// But a primary on PAF gives itself the score of a primary; a promotion by hand
    /// leaves it with n1.
    ///
    /// Nor is the timeline opened by hand if the record of its election was lost: the voters
    /// were told of it before.
    fn is_beyond_all_elections(&self, last: &Reign, held: &Position) -> bool {
        let beyond = last.is_opened() && held.timeline > last.branch.timeline;
        if self.ballot.was_promised_after(last) {
            return false;
        }
        let mut scores = self.ballot.scores.iter();
        let of_others = scores.any(|(node, score)| *score >= PRIMARY && *node != last.primary);
        let of_last = self.ballot.scores.get(&last.primary);
        beyond && !of_others && of_last.is_some_and(|score| *score >= PRIMARY)
    }

    /// Whether the node holds a branch that it opened as primary, and that a
    /// later election did not start from.
    fn reigned_aside(&self, node: &NodeName, vote: &Vote) -> bool {
        let mut reigns = self.reigns.iter();
        reigns.any(|later| reigned_aside_of(&self.reigns, later, node, vote))
    }
}
