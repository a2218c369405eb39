//! Who can follow a new primary that has not seen anybody stream yet.
//!
//! Right after a promotion the standbys are not connected, and on a cluster's
//! first start they have no score at all. Their votes show what they hold, so
//! the winner makes candidates of those that are close behind it.

use std::collections::BTreeMap;

use super::Vote;
use super::ranking::{BEST_STANDBY, CLOSE, STEP};
use crate::pacemaker::NodeName;

/// The scores to write: of voters that are no candidates yet, though they are
/// at most `maxlag` bytes (0: one WAL segment) behind the winner.
pub fn heirs(
    winner: &NodeName,
    votes: &BTreeMap<NodeName, Vote>,
    scores: &BTreeMap<NodeName, i32>,
    maxlag: u64,
) -> BTreeMap<NodeName, i32> {
    let Some(best) = votes.get(winner) else {
        return BTreeMap::new();
    };
    let limit = if maxlag > 0 { maxlag } else { CLOSE };
    let is_close = |vote: &Vote| {
        let lag = best.lsn.as_u64().saturating_sub(vote.lsn.as_u64());
        vote.timeline == best.timeline && lag <= limit
    };
    votes
        .iter()
        .filter(|(node, vote)| *node != winner && is_close(vote))
        .filter(|(node, _)| scores.get(*node).is_none_or(|score| *score < 0))
        .zip(0..)
        .map(|((node, _), rank)| (node.clone(), BEST_STANDBY - STEP * (rank + 1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_name<T>(entries: Vec<(&str, T)>) -> BTreeMap<NodeName, T> {
        let named = |(name, value)| (NodeName::new(name).unwrap(), value);
        entries.into_iter().map(named).collect()
    }

    fn votes(entries: Vec<(&str, &str)>) -> BTreeMap<NodeName, Vote> {
        let parsed = |(name, vote): (_, &str)| (name, vote.parse().unwrap());
        by_name(entries.into_iter().map(parsed).collect())
    }

    #[test]
    fn on_a_first_start_every_close_voter_becomes_a_candidate() {
        let winner = NodeName::new("n1").unwrap();
        let votes = votes(vec![
            ("n1", "1#20000000"),
            ("n2", "1#19999000"),
            ("n3", "1#100"),
        ]);
        let scores = by_name(vec![("n1", 1)]);
        assert_eq!(
            heirs(&winner, &votes, &scores, 0),
            by_name(vec![("n2", 990)])
        );
        assert_eq!(heirs(&winner, &votes, &scores, 10), by_name(vec![]));
    }

    #[test]
    fn a_candidate_keeps_its_score_and_another_timeline_is_none() {
        let winner = NodeName::new("n1").unwrap();
        let votes = votes(vec![("n1", "2#200"), ("n2", "2#200"), ("n3", "1#200")]);
        let scores = by_name(vec![("n1", 1000), ("n2", 990), ("n3", -1000)]);
        assert_eq!(heirs(&winner, &votes, &scores, 0), by_name(vec![]));
    }
}
