//! What is known of elections, merged from several sources; and a node's ledger of it.

use proptest::prelude::*;

use crate::record::ledger::LedgerError;
use crate::record::reign::{Reign, Stage};
use crate::record::{DataId, Evidence, FieldError, Fresh, Ledger, ShutdownCheckpoint};
use crate::testing::node;
use crate::wal::notation::position;
use crate::wal::{Lsn, SystemId, Timeline};

fn claim(name: &str, term: u64) -> Reign {
    Reign::claim(node(name), position("1@0/100"), None, term)
}

fn reign(name: &str, term: u64) -> Reign {
    Reign {
        stage: Stage::Opened,
        branch: position("2@0/100<1@0/100"),
        ..claim(name, term)
    }
}

fn checkpoint(name: &str, term: u64) -> ShutdownCheckpoint {
    ShutdownCheckpoint {
        node: node(name),
        term: Some(term),
        system: Some(SystemId::from(7)),
        timeline: Timeline::FIRST,
        lsn: Lsn::from(0x200),
    }
}

fn merged(one: &Evidence, other: &Evidence) -> Evidence {
    let mut all = one.clone();
    all.merge(other.clone());
    all
}

fn terms(evidence: &Evidence) -> Vec<(String, u64)> {
    let reigns = evidence.reigns().into_iter();
    reigns
        .map(|reign| (reign.primary.as_str().to_owned(), reign.term))
        .collect()
}

/// A configuration that was pushed back says less than the ledger, and one that lost a node's
/// entry says nothing of it.
#[test]
fn the_newer_copy_counts_wherever_it_is() {
    let old = Evidence::of([reign("n1", 3), reign("n2", 2)]);
    let new = Evidence::of([reign("n2", 4)]);
    let wanted = [("n1".to_owned(), 3), ("n2".to_owned(), 4)];
    assert_eq!(terms(&merged(&old, &new)), wanted);
    assert_eq!(terms(&merged(&new, &old)), wanted);
    assert_eq!(merged(&Evidence::default(), &new), new);
}

/// A rule that was changed within a term.
#[test]
fn of_one_term_the_later_revision_counts() {
    let mut changed = reign("n1", 3);
    changed.particulars.revision = 1;
    let (before, after) = (
        Evidence::of([reign("n1", 3)]),
        Evidence::of([changed.clone()]),
    );
    for all in [merged(&before, &after), merged(&after, &before)] {
        assert_eq!(all.reigns(), [changed.clone()]);
    }
}

/// A claim that its node took back is gone from the configuration; copies of it are not.
#[test]
fn a_claim_that_ended_binds_nobody_whoever_has_a_copy() {
    let copy = Evidence::of([claim("n2", 4)]);
    let mut ended = Evidence::default();
    ended.end_claims(&node("n2"), 4);
    assert_eq!(terms(&merged(&copy, &ended)), []);
    // It is known that there was an election of this number.
    assert_eq!(merged(&copy, &ended).last_term(), 4);
    let later = Evidence::of([claim("n2", 5)]);
    assert_eq!(terms(&merged(&ended, &later)), [("n2".to_owned(), 5)]);
}

/// Neither a term that could not be read when it was made, nor another database, makes it the
/// older one.
#[test]
fn the_newest_shutdown_checkpoint_of_a_node_is_kept() {
    let of_unknown_term = ShutdownCheckpoint {
        term: None,
        lsn: Lsn::from(0x300),
        ..checkpoint("n1", 3)
    };
    let foreign = ShutdownCheckpoint {
        system: Some(SystemId::from(8)),
        lsn: Lsn::from(0x900),
        ..checkpoint("n1", 3)
    };
    let mut all = Evidence::default();
    for one in [
        checkpoint("n1", 3),
        of_unknown_term.clone(),
        foreign.clone(),
    ] {
        all.add_checkpoint(one);
    }
    assert_eq!(all.checkpoints(), [of_unknown_term, foreign].into());
}

#[test]
fn a_claim_is_followed_by_the_reign_of_its_term() {
    let both = Evidence::of([claim("n1", 4), reign("n1", 4)]);
    assert_eq!(both.reigns(), [reign("n1", 4)]);
    let next = Evidence::of([claim("n1", 5), reign("n1", 4)]);
    assert_eq!(terms(&next).len(), 2);
}

#[test]
fn what_a_later_election_settled_is_not_kept_for_ever() {
    let mut all = Evidence::of([reign("n1", 3)]);
    all.promise(&node("n2"), 3);
    all.promise(&node("n3"), 4);
    let promised: Vec<_> = all.pruned().promised().keys().cloned().collect();
    assert_eq!(promised, [node("n3")]);
}

fn ledger() -> Ledger {
    let mut evidence = Evidence::of([reign("n1", 3), claim("n 2", 4)]);
    evidence.end_claims(&node("n3"), 2);
    evidence.promise(&node("n3"), 5);
    evidence.add_checkpoint(checkpoint("n1", 3));
    Ledger {
        node: node("n2"),
        data: Some(DataId::of("131.1764")),
        boot: Some("0c2b".to_owned()),
        fresh: Some(Fresh::since(3)),
        evidence,
    }
}

/// Who did not lose power knows what came of a candidacy; who hears of it from one that did
/// knows no more than that one.
#[test]
fn a_doubt_travels_with_its_promise() {
    let mut doubting = Evidence::default();
    doubting.promise(&node("n3"), 5);
    let mut witness = doubting.clone();
    doubting.doubt_promises();
    let mut heard = Evidence::default();
    heard.merge(doubting.clone());
    assert_eq!(heard.doubted().get(&node("n3")), Some(&5));
    witness.merge(doubting.clone());
    assert!(witness.doubted().is_empty());
    assert!(witness.awaits_outcomes() && !doubting.awaits_outcomes());
    witness.end_claims(&node("n3"), 5);
    witness.forget_promises(None);
    assert!(witness.promised().is_empty() && !witness.awaits_outcomes());
    doubting.end_claims(&node("n3"), 5);
    doubting.forget_promises(None);
    assert_eq!(doubting.promised().get(&node("n3")), Some(&5));
    assert_eq!(Evidence::decode(&doubting.encode().unwrap()), Ok(doubting));
}

/// An old configuration may have taken the place of the one that had the election.
#[test]
fn a_candidacy_is_forgotten_once_it_is_known_what_came_of_it() {
    let of = |reigns: &[&str], streams_on: Option<u32>| {
        let reigns = reigns.iter().map(|line| {
            let line = format!("1;{line};sys=7;lsn=200;hist=");
            Reign::decode(node("n1"), &line).unwrap()
        });
        let mut evidence = Evidence::of(reigns);
        evidence.promise(&node("n2"), 4);
        evidence.forget_promises(streams_on.and_then(Timeline::new));
        evidence.promised().is_empty()
    };
    let before = "term=3;opened=yes;tl=2";
    assert!(of(&[before], Some(2)), "nothing came of it");
    assert!(
        !of(&[before], Some(3)),
        "something came, and is not on record"
    );
    assert!(!of(&[before], None), "nobody can tell");
    assert!(!of(&[], Some(2)), "nothing at all is on record");
    assert!(of(&["term=4;opened=no;tl=2"], Some(3)), "its claim is");
    assert!(of(&["term=4;opened=yes;tl=3"], None), "its reign is");
    assert!(!of(&["term=3;opened=no;tl=2"], Some(2)), "an earlier claim");
}

#[test]
fn a_ledger_comes_back() {
    let text = ledger().encode();
    assert!(
        text.starts_with("1;node=n2;data=131.1764.0;boot=0c2b;fresh=3\n"),
        "{text}"
    );
    assert_eq!(Ledger::decode(&text), Ok(ledger()));
}

/// What a later version writes may be what decides: nothing of such a ledger is believed.
#[test]
fn a_ledger_of_a_later_version_is_not_read_in_part() {
    assert_eq!(Ledger::decode(""), Err(LedgerError::Empty));
    let version = |line| LedgerError::Line {
        line,
        error: FieldError::Version("2".to_owned()),
    };
    assert_eq!(Ledger::decode("2;node=n2\n"), Err(version(1)));
    let text = format!("{}reign n4 2;term=9;mood=good\n", ledger().encode());
    assert_eq!(Ledger::decode(&text), Err(version(7)));
    for fact in [
        "oath n1 3",
        "promise n1 x",
        "promise",
        "reign n%zz 1;term=1",
    ] {
        let text = format!("{}{fact}\n", ledger().encode());
        assert!(Ledger::decode(&text).is_err(), "{fact}");
    }
    // A field that may be ignored.
    let text = ledger().encode().replacen("\n", ";mood=good\n", 1);
    assert_eq!(Ledger::decode(&text), Ok(ledger()));
}

#[test]
fn data_are_other_data_after_a_rebuild_and_after_a_rewind() {
    let data = DataId::of("131.1764");
    assert!(data.is_of("131.1764") && !data.is_of("131.1765") && !data.is_of("131"));
    let rewound = data.rewound();
    assert_eq!(rewound.to_string(), "131.1764.1");
    assert!(rewound.is_of("131.1764") && DataId::differ(Some(&data), Some(&rewound)));
    assert!(!DataId::differ(None, Some(&data)));
    assert_eq!(DataId::decode("131.1764.1"), Some(rewound));
    for text in ["", "131", "1.2.x", "1.2;3"] {
        assert_eq!(DataId::decode(text), None, "{text}");
    }
}

fn facts() -> impl Strategy<Value = Evidence> {
    let names = || prop::sample::select(vec!["n1", "n2", "n3"]);
    let won = prop::collection::vec((names(), 1..6_u64, 0..3_u64, any::<bool>()), 0..6);
    let terms = || prop::collection::vec((names(), 1..6_u64), 0..3);
    (won, terms(), terms(), terms()).prop_map(|(won, ended, promised, stops)| {
        let mut evidence = Evidence::default();
        for (name, term, revision, opened) in won {
            let mut fact = if opened {
                reign(name, term)
            } else {
                claim(name, term)
            };
            fact.particulars.revision = revision;
            evidence.add(fact);
        }
        for (name, term) in ended {
            evidence.end_claims(&node(name), term);
        }
        for (name, term) in promised {
            evidence.promise(&node(name), term);
        }
        for (name, term) in stops {
            evidence.add_checkpoint(checkpoint(name, term));
        }
        evidence
    })
}

proptest! {
    /// The order of sources decides nothing, and nothing is lost by hearing it twice.
    #[test]
    fn merging_is_an_order(one in facts(), two in facts(), three in facts()) {
        prop_assert_eq!(merged(&one, &two), merged(&two, &one));
        prop_assert_eq!(
            merged(&merged(&one, &two), &three),
            merged(&one, &merged(&two, &three))
        );
        prop_assert_eq!(merged(&one, &one), one.clone());
    }

    #[test]
    fn terms_never_go_back(one in facts(), two in facts()) {
        prop_assert!(merged(&one, &two).last_term() >= one.last_term());
    }

    /// What is written is what decides: no more, no less.
    #[test]
    fn a_ledger_says_the_same_as_before(evidence in facts()) {
        let (node, data, boot, fresh) = (node("n2"), None, None, None);
        let ledger = Ledger { node, data, boot, fresh, evidence: evidence.clone() };
        let read = Ledger::decode(&ledger.encode());
        let read = read.unwrap().evidence;
        prop_assert_eq!(read.reigns(), evidence.reigns());
        prop_assert_eq!(read.checkpoints(), evidence.checkpoints());
        prop_assert_eq!(read.last_term(), evidence.last_term());
    }

    #[test]
    fn no_ledger_panics(text in "(?s).*", line in ".*") {
        let _ = Ledger::decode(&text);
        let _ = Ledger::decode(&format!("{}{line}", ledger().encode()));
    }
}
