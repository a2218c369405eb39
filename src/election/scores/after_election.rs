//! The scores of a new primary and of those that can follow it, before it has
//! seen anybody stream.
//!
//! Pacemaker moves the role at once to a node with a higher score: one whose own
//! promotion was refused a moment ago may have it. And right after a promotion
//! the standbys are not connected, on a cluster's first start they have no score
//! at all: their votes show what they hold, so the winner makes candidates of
//! those that are close behind it.

use std::collections::BTreeMap;

use super::{FIRST_STANDBY, PRIMARY, STEP};
use crate::election::ballot::Ballot;
use crate::ocf::NodeName;
use crate::wal::{Position, Relation};

/// Bytes that a voter may be behind without a `maxlag`: one WAL segment.
const CLOSE: u64 = 16 * 1024 * 1024;

/// The scores that the candidate writes once it has won, in this order: its own,
/// unless it is the highest already (the first monitor then raises it), before
/// anybody else gets one; then those of voters that are no candidates yet,
/// though they are at most `maxlag` bytes (0: one WAL segment) behind it.
pub fn scores_of_winner(ballot: &Ballot, maxlag: u64) -> Vec<(NodeName, i32)> {
    let heirs = heirs(ballot, maxlag);
    let own = (!is_highest(ballot, &heirs)).then(|| (ballot.candidate.clone(), PRIMARY));
    own.into_iter().chain(heirs).collect()
}

/// Writing a score aborts the transition, and the address is started later for it.
fn is_highest(ballot: &Ballot, heirs: &BTreeMap<NodeName, i32>) -> bool {
    let score = |node: &NodeName| heirs.get(node).or_else(|| ballot.scores.get(node));
    let mut voters = ballot.voters.iter();
    score(&ballot.candidate)
        .is_some_and(|own| voters.all(|node| *node == ballot.candidate || score(node) < Some(own)))
}

fn heirs(ballot: &Ballot, maxlag: u64) -> BTreeMap<NodeName, i32> {
    let Some(winner) = ballot.votes.get(&ballot.candidate) else {
        return BTreeMap::new();
    };
    let limit = if maxlag > 0 { maxlag } else { CLOSE };
    ballot
        .voters
        .iter()
        .filter(|node| **node != ballot.candidate)
        .filter(|node| ballot.scores.get(*node).is_none_or(|score| *score < 0))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Vote;

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn ballot(votes: &[(&str, &str)], scores: &[(&str, i32)]) -> Ballot {
        let mut ballot = Ballot::new(node("n1"));
        for (name, vote) in votes {
            ballot.voters.insert(node(name));
            let vote = Vote::decode_shared(vote).unwrap();
            ballot.votes.insert(node(name), vote);
        }
        ballot.scores = scores
            .iter()
            .map(|(name, score)| (node(name), *score))
            .collect();
        ballot
    }

    #[test]
    fn on_a_first_start_every_close_voter_becomes_a_candidate() {
        let votes = [("n1", "1#20000000"), ("n2", "1#19999000"), ("n3", "1#100")];
        let first = ballot(&votes, &[("n1", 1)]);
        assert_eq!(heirs(&first, 0), BTreeMap::from([(node("n2"), 990)]));
        assert_eq!(heirs(&first, 10), BTreeMap::new());
    }

    /// One that was refused had 1000, and Pacemaker demoted the winner for it.
    #[test]
    fn the_winner_has_the_highest_score_at_once_and_writes_it_once() {
        let votes = [("n1", "2#200"), ("n2", "2#200")];
        let refused = ballot(&votes, &[("n1", 990), ("n2", 1000)]);
        assert_eq!(scores_of_winner(&refused, 0), [(node("n1"), 1001)]);
        let best = ballot(&votes, &[("n1", 1000), ("n2", 990), ("gone", 1001)]);
        assert_eq!(scores_of_winner(&best, 0), []);
        let again = ballot(&votes, &[("n1", 1001), ("n2", -1)]);
        assert_eq!(scores_of_winner(&again, 0), [(node("n2"), 990)]);
    }

    #[test]
    fn a_candidate_keeps_its_score_and_an_unknown_branch_is_none() {
        let votes = [("n1", "2#200"), ("n2", "2#200"), ("n3", "3#200")];
        let later = ballot(&votes, &[("n1", 1000), ("n2", 990), ("n3", -1000)]);
        assert_eq!(heirs(&later, 0), BTreeMap::new());
    }
}
