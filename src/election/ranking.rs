//! The promotion scores that a running primary gives, with PAF's meaning:
//! 1001 the primary; 1000, 990 … streaming standbys, the best first; −1 just
//! connecting; −1000 not connected; 0 − rank beyond maxlag.
//!
//! Unlike PAF's, a score that is good stays for a while when its standby is
//! not connected: right after a promotion no standby is, and a second failure
//! must still find a candidate. The election looks at what nodes really hold.

use std::collections::BTreeMap;

use crate::ocf::notify::Nodes;
use crate::pacemaker::NodeName;

/// The primary's own score.
pub const PRIMARY: i32 = 1001;
/// The best standby's score, also that of a node that won an election.
pub const BEST_STANDBY: i32 = 1000;
/// Between two ranks.
pub const STEP: i32 = 10;
const CONNECTING: i32 = -1;
const NOT_CONNECTED: i32 = -1000;
/// Seconds for which a missing standby keeps a good score.
const GRACE: u64 = 60;
/// Standbys this close (bytes) are equal: one WAL segment.
pub const CLOSE: u64 = 16 * 1024 * 1024;

/// One row of `pg_stat_replication` that names a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standby {
    /// `application_name`.
    pub node: NodeName,
    /// `startup`, `backup`, `catchup`, `streaming`, `stopping`.
    pub state: String,
    /// Bytes not yet written there; `None` before its first report.
    pub lag: Option<u64>,
}

/// What the primary sees.
#[derive(Debug, Clone)]
pub struct View {
    /// The primary's own node.
    pub primary: NodeName,
    /// Who streams from it.
    pub standbys: Vec<Standby>,
    /// The nodes of the cluster's partition.
    pub members: Nodes,
    /// The scores as stored.
    pub scores: BTreeMap<NodeName, i32>,
    /// Since when a node is missing: seconds since the epoch.
    pub missing: BTreeMap<NodeName, u64>,
    /// Now: seconds since the epoch.
    pub now: u64,
    /// Parameter maxlag; 0 = no limit.
    pub maxlag: u64,
}

/// What follows: scores to write and who is missing since when.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// Only scores that change.
    pub changes: BTreeMap<NodeName, i32>,
    /// Members that do not stream, and since when.
    pub missing: BTreeMap<NodeName, u64>,
}

/// The scores of all members.
pub fn rank(view: &View) -> Ranking {
    let mut ranking = Ranking::default();
    let mut wanted = streaming_scores(view);
    wanted.insert(view.primary.clone(), PRIMARY);
    for node in &view.members {
        if !wanted.contains_key(node) {
            let since = view.missing.get(node).copied().unwrap_or(view.now);
            ranking.missing.insert(node.clone(), since);
            wanted.insert(node.clone(), missing_score(view, node, since));
        }
    }
    ranking.changes = wanted
        .into_iter()
        .filter(|(node, score)| view.scores.get(node) != Some(score))
        .collect();
    ranking
}

fn streaming_scores(view: &View) -> BTreeMap<NodeName, i32> {
    let mut standbys: Vec<_> = view
        .standbys
        .iter()
        .filter(|standby| view.members.contains(&standby.node) && standby.node != view.primary)
        .collect();
    standbys.sort_by_key(|standby| order(view, standby));
    standbys
        .into_iter()
        .zip(0..)
        .map(|(standby, rank)| (standby.node.clone(), score(view, standby, rank)))
        .collect()
}

/// By lag in steps of a segment, then by the present score, so that equal
/// standbys keep their order and the CIB is left alone.
fn order<'a>(view: &View, standby: &'a Standby) -> (u64, i32, &'a NodeName) {
    let present = view.scores.get(&standby.node).copied();
    let lag = standby.lag.map_or(u64::MAX, |lag| lag / CLOSE);
    (lag, -present.unwrap_or(NOT_CONNECTED), &standby.node)
}

fn score(view: &View, standby: &Standby, rank: i32) -> i32 {
    let good = BEST_STANDBY - STEP * rank;
    let limited = view.maxlag > 0;
    match standby.state.as_str() {
        "startup" | "backup" => CONNECTING,
        _ if limited && standby.lag.is_none_or(|lag| lag > view.maxlag) => -good,
        _ => good,
    }
}

fn missing_score(view: &View, node: &NodeName, since: u64) -> i32 {
    let present = view.scores.get(node).copied().unwrap_or(NOT_CONNECTED);
    let lately = view.now.saturating_sub(since) < GRACE;
    if present >= 0 && lately {
        return present.min(BEST_STANDBY);
    }
    NOT_CONNECTED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn standby(name: &str, state: &str, lag: u64) -> Standby {
        Standby {
            node: node(name),
            state: state.to_owned(),
            lag: Some(lag),
        }
    }

    fn view(standbys: Vec<Standby>, scores: &[(&str, i32)]) -> View {
        View {
            primary: node("n1"),
            standbys,
            members: ["n1", "n2", "n3"].map(node).into(),
            scores: scores
                .iter()
                .map(|(name, score)| (node(name), *score))
                .collect(),
            missing: BTreeMap::new(),
            now: 1_000,
            maxlag: 0,
        }
    }

    fn changes(view: &View) -> Vec<(String, i32)> {
        let changes = rank(view).changes;
        changes
            .iter()
            .map(|(node, score)| (node.to_string(), *score))
            .collect()
    }

    #[test]
    fn a_small_change_of_lag_writes_nothing() {
        let settled = [("n1", 1001), ("n2", 990), ("n3", 1000)];
        let following = vec![
            standby("n2", "streaming", 0),
            standby("n3", "streaming", 4_096),
        ];
        assert_eq!(changes(&view(following, &settled)), []);
    }

    #[test]
    fn right_after_a_switchover_the_standbys_stay_candidates() {
        let before = [("n1", 1000), ("n2", 1001), ("n3", 990)];
        let expected = [("n1".to_owned(), 1001), ("n2".to_owned(), 1000)];
        assert_eq!(changes(&view(Vec::new(), &before)), expected);
    }

    #[test]
    fn a_standby_that_stays_away_is_no_candidate() {
        let mut away = view(
            vec![standby("n3", "streaming", 0)],
            &[("n1", 1001), ("n2", 990), ("n3", 1000)],
        );
        away.missing.insert(node("n2"), away.now - GRACE);
        assert_eq!(changes(&away), [("n2".to_owned(), -1000)]);
    }

    #[test]
    fn names_are_compared_by_equality() {
        let rows = vec![
            standby("n10", "streaming", 0),
            standby("n2", "streaming", 0),
        ];
        let ranking = rank(&view(rows, &[("n1", 1001), ("n3", -1000)]));
        assert_eq!(ranking.changes, [(node("n2"), 1000)].into());
    }

    #[test]
    fn beyond_maxlag_and_unknown_lag_exclude() {
        let mut rows = vec![standby("n2", "streaming", 101), standby("n3", "catchup", 0)];
        rows[1].lag = None;
        let mut limited = view(rows, &[("n1", 1001)]);
        limited.maxlag = 100;
        let scores = rank(&limited).changes;
        assert!(scores[&node("n2")] < 0 && scores[&node("n3")] < 0);
    }
}
