//! Who of the voters can be elected at all, and who of them holds most.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::ballot::Ballot;
use super::lineage::Lineage;
use super::rule::Rule;
use super::scores::PRIMARY;
use crate::ocf::NodeName;
use crate::record::reign::{Reign, Stage};
use crate::record::vote::Vote;
use crate::wal::{Lsn, Position, Relation, SystemId};

/// Where a voter stands in this election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Has not voted, or only in an earlier election.
    Mute,
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
}

impl<'a> Count<'a> {
    pub(super) fn of(ballot: &'a Ballot) -> Self {
        let mut count = Self {
            ballot,
            reigns: ballot.valid_reigns(),
            standings: BTreeMap::new(),
        };
        for node in &ballot.voters {
            let vote = ballot.current_vote(node);
            let standing = vote.map_or(Standing::Mute, |vote| count.standing_of(node, vote));
            count.standings.insert(node, standing);
        }
        count
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

    /// What a voter that has voted holds.
    pub(super) fn position(&self, node: &NodeName) -> Option<&'a Position> {
        self.ballot.current_vote(node).map(|vote| &vote.position)
    }

    /// The voters that can be elected, with what they hold. Where nobody is left
    /// on the elected branch and an admin forces the candidate's timeline, those
    /// who left it.
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

    /// The voters that left the branch.
    pub(super) fn left_branch(&self) -> impl Iterator<Item = &'a NodeName> + '_ {
        let standings = self.standings.iter();
        standings.filter_map(|(node, standing)| {
            matches!(standing, Standing::LeftBranch { .. }).then_some(*node)
        })
    }

    /// Whether an admin's force applies to the promotion of this node.
    pub(super) fn is_forced(&self, node: &NodeName) -> bool {
        let timeline = self.position(node).map(|position| position.timeline);
        self.ballot
            .force
            .is_some_and(|force| Some(force.timeline) == timeline)
    }

    /// The node to elect: the candidate unless somebody beats it; of several,
    /// the one that Pacemaker would rather have.
    pub(super) fn best(&self) -> Option<&'a NodeName> {
        let electable = self.electable();
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

    fn standing_of(&self, node: &NodeName, vote: &Vote) -> Standing {
        let position = &vote.position;
        let systems = (position.system, self.system());
        if Rule::System.holds() && matches!(systems, (Some(a), Some(b)) if a != b) {
            return Standing::OtherSystem;
        }
        match self.last_reign() {
            Some(last) if Rule::Branch.holds() => self.lineage_standing(last, node, position),
            _ => Standing::Electable,
        }
    }

    fn lineage_standing(&self, last: &Reign, node: &NodeName, held: &Position) -> Standing {
        if Rule::OwnReign.holds() && self.reigned_aside(node, held) {
            return Standing::LeftBranch { fork: None };
        }
        if self.was_opened_by_hand(last, node, held) {
            return Standing::LeftBranch { fork: None };
        }
        if self.is_beyond_all_elections(last, held) {
            let fork = held.history.switch_point_of(last.branch.timeline);
            return Standing::LeftBranch { fork };
        }
        match last.lineage_of(held) {
            Lineage::Left { fork } => Standing::LeftBranch { fork: Some(fork) },
            // Too old to tell. A higher timeline without history is a Perl
            // vote of a node that followed a later promotion.
            Lineage::Unknown if held.timeline < last.branch.timeline => {
                Standing::LeftBranch { fork: None }
            }
            _ => Standing::Electable,
        }
    }

    /// Whether the node was a primary on its own timeline, as its floor shows, and
    /// no election is on record for it: somebody promoted it past the cluster.
    fn was_opened_by_hand(&self, last: &Reign, node: &NodeName, held: &Position) -> bool {
        let beyond = last.stage == Stage::Opened && held.timeline > last.branch.timeline;
        let mut own = self.ballot.floors.iter().filter(|floor| {
            floor.node == *node && floor.timeline == held.timeline && floor.concerns(held)
        });
        beyond && own.any(|floor| !self.reigns.iter().any(|r| r.may_have_ended_at(floor)))
    }

    /// Whether a position is on a timeline that nobody was elected for. One that
    /// a node on the Perl agent opened is not on record either, but such a primary
    /// gave itself the primary's score; a promotion by hand leaves it to the last
    /// one elected.
    fn is_beyond_all_elections(&self, last: &Reign, held: &Position) -> bool {
        let beyond = last.stage == Stage::Opened && held.timeline > last.branch.timeline;
        let mut scores = self.ballot.scores.iter();
        let of_others = scores.any(|(node, score)| *score >= PRIMARY && *node != last.primary);
        let of_last = self.ballot.scores.get(&last.primary);
        beyond && !of_others && of_last.is_some_and(|score| *score >= PRIMARY)
    }

    /// Whether the node holds a branch that it opened as primary, and that a
    /// later election did not start from.
    fn reigned_aside(&self, node: &NodeName, held: &Position) -> bool {
        let mut reigns = self.reigns.iter();
        reigns.any(|later| self.reigned_aside_of(later, node, held))
    }
}

/// Whether `this` must win over `that`. Where the facts do not settle it, the
/// higher timeline was opened later.
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
