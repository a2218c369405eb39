//! The table of scores, and what must hold for all of them.

use proptest::prelude::*;

use super::*;
use crate::instance::replication::SenderState;
use crate::testing::{check, node};

const NOW: u64 = 1_000_000;
const NAMES: [&str; 4] = ["n1", "n2", "n3", "n4"];

fn roster(facts: &[&str]) -> Roster {
    let mut roster = Roster {
        primary: node("n1"),
        senders: Vec::new(),
        members: ["n1", "n2", "n3"].map(node).into(),
        offline: BTreeSet::new(),
        scores: BTreeMap::new(),
        missing_since: BTreeMap::new(),
        now: NOW,
        maxlag: 0,
        grace_s: DEFAULT_GRACE_S,
    };
    for fact in facts {
        add_fact(&mut roster, &fact.split_whitespace().collect::<Vec<_>>());
    }
    roster
}

fn add_fact(roster: &mut Roster, fact: &[&str]) {
    match fact {
        ["score", name, score] => {
            roster.scores.insert(node(name), score.parse().unwrap());
        }
        ["sender", name, state, lag] => roster.senders.push(Sender {
            name: (*name).to_owned(),
            state: SenderState::from_column(state),
            lag: lag.parse().ok(),
        }),
        ["offline", name] => {
            roster.members.remove(&node(name));
            roster.offline.insert(node(name));
        }
        ["missing", name, seconds] => {
            let seconds: u64 = seconds.parse().unwrap();
            roster.missing_since.insert(node(name), NOW - seconds);
        }
        ["maxlag", bytes] => roster.maxlag = bytes.parse().unwrap(),
        other => panic!("unknown fact {other:?}"),
    }
}

#[test]
fn the_table_of_scores_holds() {
    check(include_str!("testdata/ranking.txt"), |facts| {
        let ranking = rank(&roster(facts));
        let changes = ranking.changes.iter();
        let mut lines: Vec<String> = changes
            .map(|change| format!("{} {}: {}", change.node, change.score, change.reason))
            .collect();
        lines.extend(
            ranking
                .notices
                .iter()
                .map(|notice| format!("notice: {notice}")),
        );
        lines.join("\n")
    });
}

fn senders() -> impl Strategy<Value = Vec<Sender>> {
    let state = prop::sample::select(vec!["streaming", "catchup", "startup", "backup"]);
    let lag = prop::option::of(0..100_000_000_u64);
    let sender = (prop::sample::select(NAMES.to_vec()), state, lag);
    prop::collection::vec(sender, 0..5).prop_map(|rows| {
        let row = |(name, state, lag): (&str, &str, Option<u64>)| Sender {
            name: name.to_owned(),
            state: SenderState::from_column(state),
            lag,
        };
        rows.into_iter().map(row).collect()
    })
}

fn rosters() -> impl Strategy<Value = Roster> {
    let scores = prop::collection::btree_map(
        prop::sample::select(NAMES.to_vec()).prop_map(node),
        -1001..1002_i32,
        0..4,
    );
    let maxlag = prop::sample::select(vec![0, 1_000, 50_000_000]);
    (senders(), scores, maxlag).prop_map(|(senders, scores, maxlag)| Roster {
        senders,
        scores,
        maxlag,
        members: ["n1", "n2", "n3"].map(node).into(),
        offline: [node("n4")].into(),
        ..roster(&[])
    })
}

/// The roster as it is once the changes are written.
fn applied(roster: &Roster, ranking: &Ranking) -> Roster {
    let mut next = roster.clone();
    for change in &ranking.changes {
        next.scores.insert(change.node.clone(), change.score);
    }
    next.missing_since = ranking.missing_since.clone();
    next
}

proptest! {
    #[test]
    fn what_was_written_is_not_written_again(roster in rosters()) {
        let next = applied(&roster, &rank(&roster));
        prop_assert_eq!(rank(&next).changes, vec![]);
    }

    #[test]
    fn small_changes_of_lag_write_nothing(
        base in 0..50_000_000_u64,
        lags in prop::collection::vec((0..8_000_000_u64, 0..8_000_000_u64), 3),
    ) {
        let sender = |(name, lag): (&&str, u64)| Sender {
            name: (*name).to_owned(),
            state: SenderState::Following,
            lag: Some(base + lag),
        };
        let with = |lags: Vec<u64>| Roster {
            senders: NAMES[1..].iter().zip(lags).map(sender).collect(),
            members: NAMES.map(node).into(),
            ..roster(&[])
        };
        let first = with(lags.iter().map(|(before, _)| *before).collect());
        let settled = applied(&first, &rank(&first));
        let later = with(lags.iter().map(|(_, after)| *after).collect());
        let later = Roster { scores: settled.scores, ..later };
        prop_assert_eq!(rank(&later).changes, vec![]);
    }

    #[test]
    fn the_first_is_never_clearly_behind(roster in rosters()) {
        let next = applied(&roster, &rank(&roster));
        let follows = |sender: &&Sender| {
            sender.state == SenderState::Following
                && next.scores.get(&node(&sender.name)) == Some(&FIRST_STANDBY)
                && !next.missing_since.contains_key(&node(&sender.name))
                && sender.name != "n1" && sender.name != "n4"
        };
        if next.senders.iter().filter(|sender| sender.name.starts_with('n')).count() < 2 {
            return Ok(());
        }
        let first = next.senders.iter().filter(follows).filter_map(|s| s.lag).min();
        let best = next.senders.iter()
            .filter(|s| s.state == SenderState::Following && s.name != "n1" && s.name != "n4")
            .filter_map(|s| s.lag).min();
        if let (Some(first), Some(best)) = (first, best) {
            prop_assert!(first <= best + 16 * 1024 * 1024);
        }
    }

    #[test]
    fn only_the_primary_has_more_than_a_standby(roster in rosters()) {
        let next = applied(&roster, &rank(&roster));
        for (name, score) in &next.scores {
            prop_assert!(*score <= FIRST_STANDBY || *name == next.primary);
        }
    }

    #[test]
    fn a_good_standby_is_never_without_a_score(roster in rosters()) {
        let next = applied(&roster, &rank(&roster));
        for sender in roster.senders.iter().filter(|s| s.name == "n2" || s.name == "n3") {
            if sender.state == SenderState::Following && sender.lag.is_some_and(|lag| lag <= 750) {
                prop_assert!(next.scores[&node(&sender.name)] > 0);
            }
        }
    }
}
