//! The table of scores, and what must hold for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use crate::election::scores::scale::{EXCLUDED, FIRST_STANDBY, OUTVOTED};
use crate::election::scores::{
    GRACE, LAST_CHOICE, Offer, Ranking, Reach, Roster, Yielded, exclusion_of_diverged, rank,
};
use crate::election::verdict::Ground;
use crate::election::{Ballot, Verdict, elect};
use crate::instance::replication::{Sender, SenderState};
use crate::ocf::NodeName;
use crate::record::Vote;
use crate::record::score::{self, INFINITY};
use crate::testing::{check, node};

const NOW: Duration = Duration::from_secs(1_000_000);
const NAMES: [&str; 4] = ["n1", "n2", "n3", "n4"];

/// The primary n1 with what is said of its standbys.
pub fn roster(facts: &[&str]) -> Roster {
    let mut roster = Roster {
        primary: node("n1"),
        senders: Vec::new(),
        members: ["n1", "n2", "n3"].map(node).into(),
        offline: BTreeSet::new(),
        scores: BTreeMap::new(),
        unknown_error: BTreeSet::new(),
        impaired: BTreeSet::new(),
        listed: BTreeSet::new(),
        missing_since: BTreeMap::new(),
        now: NOW,
        maxlag: 0,
        grace: GRACE,
    };
    for fact in facts {
        add_fact(&mut roster, &fact.split_whitespace().collect::<Vec<_>>());
    }
    roster
}

fn add_fact(roster: &mut Roster, fact: &[&str]) {
    match fact {
        ["score", name, score] => {
            roster
                .scores
                .insert(node(name), score::decode(score).unwrap());
        }
        ["sender", name, state, lag] => roster.senders.push(Sender {
            name: (*name).to_owned(),
            state: SenderState::from_column(state),
            lag: lag.parse().ok(),
            confirms: false,
        }),
        ["offline", name] => {
            roster.members.remove(&node(name));
            roster.offline.insert(node(name));
        }
        ["missing", name, seconds] => {
            let missing = Duration::from_secs(seconds.parse().unwrap());
            roster.missing_since.insert(node(name), NOW - missing);
        }
        ["unknown-error", name] => {
            roster.unknown_error.insert(node(name));
        }
        ["impaired", name] => {
            roster.impaired.insert(node(name));
        }
        ["listed", names @ ..] => roster
            .listed
            .extend(names.iter().map(|&name| name.to_owned())),
        ["maxlag", bytes] => roster.maxlag = bytes.parse().unwrap(),
        other => panic!("unknown fact {other:?}"),
    }
}

#[test]
fn the_table_of_scores_holds() {
    check(include_str!("../testdata/ranking.txt"), |facts| {
        let ranking = rank(&roster(facts));
        let changes = ranking.changes.iter();
        let mut lines: Vec<String> = changes
            .map(|one| format!("{} {}: {}", one.node, score::encode(one.score), one.reason))
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

/// n1 is the candidate.
fn ballot(votes: &[(&str, &str)], scores: &[(&str, i32)]) -> Ballot {
    let mut ballot = Ballot::new(node("n1"));
    for (name, vote) in votes {
        ballot.voters.insert(node(name));
        let vote = Vote::decode_paf(vote).unwrap();
        ballot.votes.insert(node(name), vote);
    }
    ballot.scores = scores
        .iter()
        .map(|(name, score)| (node(name), *score))
        .collect();
    ballot
}

/// What the winner writes.
fn of_winner(ballot: &Ballot, maxlag: u64) -> Vec<(NodeName, i32)> {
    let verdict = Verdict::Promote {
        ground: Ground::Best,
        warnings: Vec::new(),
    };
    verdict.scores(ballot, maxlag)
}

#[test]
fn on_a_first_start_every_close_voter_becomes_a_candidate() {
    let votes = [("n1", "1#20000000"), ("n2", "1#19999000"), ("n3", "1#100")];
    let first = ballot(&votes, &[("n1", 1)]);
    assert_eq!(
        of_winner(&first, 0),
        [(node("n1"), 1001), (node("n2"), 990)]
    );
    assert_eq!(of_winner(&first, 10), []);
}

/// One that was refused had 1000, and Pacemaker demoted the winner for it.
#[test]
fn the_winner_has_the_highest_score_at_once_and_writes_it_once() {
    let votes = [("n1", "2#200"), ("n2", "2#200")];
    let refused = ballot(&votes, &[("n1", 990), ("n2", 1000)]);
    assert_eq!(of_winner(&refused, 0), [(node("n1"), 1001)]);
    let best = ballot(&votes, &[("n1", 1000), ("n2", 990), ("gone", 1001)]);
    assert_eq!(of_winner(&best, 0), []);
    let again = ballot(&votes, &[("n1", 1001), ("n2", -1)]);
    assert_eq!(of_winner(&again, 0), [(node("n2"), 990)]);
    let wanted = ballot(&votes, &[("n1", 1001), ("n2", OUTVOTED)]);
    assert_eq!(of_winner(&wanted, 0), []);
}

#[test]
fn a_candidate_keeps_its_score_and_an_unknown_branch_is_none() {
    let votes = [("n1", "2#200"), ("n2", "2#200"), ("n3", "3#200")];
    let later = ballot(&votes, &[("n1", 1000), ("n2", 990), ("n3", -1000)]);
    assert_eq!(of_winner(&later, 0), []);
}

/// Where all are excluded, nobody offers himself: how much he lacks is not known.
#[test]
fn a_node_offers_itself_only_where_nobody_is_a_candidate() {
    let members = BTreeSet::from([node("n1"), node("n2")]);
    let offer = |scores: &[(&str, i32)]| {
        let scores = scores.iter().map(|(name, score)| (node(name), *score));
        Offer::of(&node("n1"), &scores.collect(), &members)
    };
    assert_eq!(offer(&[]), Offer::Score(LAST_CHOICE));
    assert_eq!(offer(&[("n2", -1000)]), Offer::Score(LAST_CHOICE));
    assert_eq!(offer(&[("n2", 0)]), Offer::Needless);
    assert_eq!(offer(&[("gone", 1001)]), Offer::Score(LAST_CHOICE));
    let excluded = offer(&[("n1", -1000), ("n2", -990)]);
    assert_eq!(excluded, Offer::Excluded { score: -1000 });
}

/// Each names what Pacemaker adds to the scores of n1 and n2.
#[test]
fn a_loser_that_pacemaker_would_choose_again_excludes_itself() {
    let loser = |added: [i32; 2]| {
        let mut ballot = ballot(&[("n1", "1#100"), ("n2", "1#200")], &[]);
        ballot.added = [node("n1"), node("n2")].into_iter().zip(added).collect();
        let scores = elect(&ballot).scores(&ballot, 0);
        assert_eq!(scores[0], (node("n2"), FIRST_STANDBY));
        scores[1].1
    };
    assert_eq!(loser([0, 0]), LAST_CHOICE);
    assert_eq!(loser([INFINITY, 0]), OUTVOTED);
    assert_eq!(loser([INFINITY, INFINITY]), OUTVOTED);
    assert_eq!(loser([998, 0]), LAST_CHOICE);
    assert_eq!(loser([999, 0]), OUTVOTED);
    assert_eq!(loser([5000, 5000]), LAST_CHOICE);
}

#[test]
fn who_excluded_itself_stands_again_once_the_other_had_its_chance() {
    let yielded = Yielded {
        to: node("n2"),
        since: NOW,
    };
    let members = BTreeSet::from([node("n1"), node("n2")]);
    assert!(!yielded.came_to_nothing(&members, NOW + GRACE / 2));
    assert!(yielded.came_to_nothing(&members, NOW + GRACE));
    assert!(yielded.came_to_nothing(&BTreeSet::new(), NOW));
    assert_eq!(Offer::again(Some(OUTVOTED), true), Some(Offer::Score(1)));
    assert_eq!(Offer::again(Some(OUTVOTED), false), None);
    assert_eq!(Offer::again(Some(EXCLUDED), true), None);
}

#[test]
fn a_diverged_node_loses_its_score_once() {
    assert_eq!(exclusion_of_diverged(Some(990)), Some(EXCLUDED));
    assert_eq!(exclusion_of_diverged(Some(0)), Some(EXCLUDED));
    assert_eq!(exclusion_of_diverged(Some(-1)), None);
    assert_eq!(exclusion_of_diverged(None), None);
}

/// The next monitor may look away only when no grace time runs any more.
#[test]
fn a_ranking_is_settled_once_nobody_is_missing_lately() {
    let facts = ["score n1 1001", "score n2 -INFINITY", "score n3 -INFINITY"];
    let lately = ["missing n2 59", "missing n3 99"];
    let settled = |more: &[&str]| rank(&roster(&[&facts[..], more].concat())).is_settled();
    assert!(!settled(&lately));
    assert!(settled(&["missing n2 60", "missing n3 99"]));
    assert!(!settled(&[
        "missing n2 60",
        "missing n3 99",
        "score n2 990"
    ]));
}

/// The monitor asks again only where this changes. Between the two limits an
/// excluded standby stays so; below both it must be seen to have come back.
#[test]
fn the_way_back_below_maxlag_is_seen() {
    let maxlag = 16 * 1024 * 1024;
    let at = |lag| Reach::of(maxlag, lag);
    assert_eq!(at(Some(maxlag + 1)), Reach::Beyond);
    assert_eq!(at(Some(maxlag)), Reach::Near);
    assert_eq!(at(Some(maxlag / 4 * 3)), Reach::Within);
    assert_eq!(at(None), Reach::Beyond);
    assert_eq!(Reach::of(0, None), Reach::Within);
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
            confirms: false,
        };
        rows.into_iter().map(row).collect()
    })
}

fn rosters() -> impl Strategy<Value = Roster> {
    let scores = prop::collection::btree_map(
        prop::sample::select(NAMES.to_vec()).prop_map(node),
        prop_oneof![-1001..1002_i32, OUTVOTED..=EXCLUDED],
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
            confirms: false,
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
            // What lost an election under a constraint waits until it is closer than that.
            .filter(|s| next.scores.get(&node(&s.name)) != Some(&OUTVOTED))
            .filter_map(|s| s.lag).min();
        let limit = best.map_or(u64::MAX, |best| best + 16 * 1024 * 1024);
        prop_assert!(first.is_none_or(|first| first <= limit));
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
