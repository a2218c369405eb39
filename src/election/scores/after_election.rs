//! The scores that follow from the outcome of an election.
//!
//! A candidate that is not the best makes Pacemaker try the best next. The winner
//! must have the highest score at once: Pacemaker moves the role to a node with a
//! higher one, and a node whose own promotion was refused a moment ago may have it.
//! And right after a promotion no standby is connected yet, on a cluster's first
//! start none even has a score. But their votes show what they hold, so the winner
//! makes candidates of those that are close behind it.

use std::collections::BTreeMap;

use super::scale::{CLOSE, FIRST_STANDBY, LAST_CHOICE, OUTVOTED, PRIMARY, STEP, is_excluded};
use crate::election::ballot::Ballot;
use crate::election::verdict::Verdict;
use crate::ocf::NodeName;
use crate::wal::{Position, Relation};

impl Verdict {
    /// The scores that the candidate writes, in this order. `maxlag` is in bytes; 0:
    /// one WAL segment.
    pub fn scores(&self, ballot: &Ballot, maxlag: u64) -> Vec<(NodeName, i32)> {
        match self {
            Self::Promote { .. } => of_winner(ballot, maxlag),
            Self::Yield { to, .. } => vec![
                (to.clone(), FIRST_STANDBY),
                (ballot.candidate.clone(), score_of_loser(ballot, to)),
            ],
            Self::Wait { .. } | Self::Refuse { .. } => Vec::new(),
        }
    }
}

/// Pacemaker takes it again only where it has no better one; not even then where the constraint
/// of a move would have it tried for ever. `offer` brings it back if the other is not promoted,
/// and the monitor of the primary once it is close.
fn score_of_loser(ballot: &Ballot, to: &NodeName) -> i32 {
    if ballot.is_chosen_before(to) {
        OUTVOTED
    } else {
        LAST_CHOICE
    }
}

/// First the winner's own score, before anybody else gets one; but not if it is the
/// highest already, since the first monitor will raise it. Then those of the new
/// candidates.
fn of_winner(ballot: &Ballot, maxlag: u64) -> Vec<(NodeName, i32)> {
    let new = new_candidates(ballot, maxlag);
    let own = (!is_highest(ballot, &new)).then(|| (ballot.candidate.clone(), PRIMARY));
    own.into_iter().chain(new).collect()
}

/// Whether the candidate's score is the highest. Each score that is written aborts the
/// transition, and the address is started later for it.
fn is_highest(ballot: &Ballot, new: &BTreeMap<NodeName, i32>) -> bool {
    let score = |node: &NodeName| new.get(node).or_else(|| ballot.scores.get(node));
    let mut voters = ballot.voters.iter();
    score(&ballot.candidate)
        .is_some_and(|own| voters.all(|node| *node == ballot.candidate || score(node) < Some(own)))
}

/// The voters that are no candidates, though they are close behind the winner. Not one that a
/// constraint would have promoted next.
fn new_candidates(ballot: &Ballot, maxlag: u64) -> BTreeMap<NodeName, i32> {
    let Some(winner) = ballot.votes.get(&ballot.candidate) else {
        return BTreeMap::new();
    };
    let limit = if maxlag > 0 { maxlag } else { CLOSE };
    ballot
        .voters
        .iter()
        .filter(|node| **node != ballot.candidate)
        .filter(|node| {
            let score = ballot.scores.get(*node).copied();
            score.is_none_or(|score| is_excluded(score) && score != OUTVOTED)
        })
        .filter(|node| {
            let vote = ballot.current_vote(node);
            vote.is_some_and(|vote| is_close(&winner.position, &vote.position, limit))
        })
        .zip(1..)
        .map(|(node, place)| (node.clone(), FIRST_STANDBY - STEP * place))
        .collect()
}

fn is_close(winner: &Position, other: &Position, limit: u64) -> bool {
    let follows = matches!(winner.compare(other), Relation::Same | Relation::Ahead);
    let lag = winner.lsn.bytes_since(other.lsn);
    follows && lag.is_some_and(|lag| lag <= limit)
}
