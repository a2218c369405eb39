//! What nodes publish comes back unchanged, and nothing else is believed.

use std::time::Duration;

use proptest::prelude::*;

use crate::record::{DataId, Evidence, Force, Fresh, Reign, ShutdownCheckpoint, SyncRule, Vote};
use crate::testing::node;
use crate::wal::notation::position;
use crate::wal::{History, Lsn, Place, Position, Switch, SystemId, Timeline};

fn vote() -> Vote {
    Vote {
        position: position("3@0/5000028<2@0/4000000<1@0/3000000"),
        term: Some(4),
        ends_with_shutdown: Some(true),
        last_commit_age: Some(Duration::from_secs(3)),
        data: Some(DataId::of("131.1764")),
        fresh: None,
        ledger_is_unreadable: false,
        seen: Evidence::of([reign("")]),
    }
}

#[test]
fn a_vote_is_one_plain_line() {
    let line = vote().encode();
    assert_eq!(
        line,
        "1;sys=7;tl=3;lsn=83886120;hist=1:50331648,2:67108864;term=4;shutdown=yes;age=3;\
         data=131.1764.0;seen=claim%20n1%201%3Bterm%3D1%3Bopened%3Dno%3Bsys%3D7%3Btl%3D2%3B\
         lsn%3D83886120%3Bhist%3D1%3A67108864"
    );
    assert_eq!(Vote::decode(&line), Ok(vote()));
}

#[test]
fn the_form_of_paf_is_a_pair_of_numbers() {
    assert_eq!(vote().encode_paf(), "3#83886120");
    let read = Vote::decode_paf("3#83886120").unwrap();
    assert_eq!(read.position.lsn, Lsn::from(83_886_120));
    assert!(!read.position.history.is_complete());
    assert!(
        Vote::decode_paf("1#5")
            .unwrap()
            .position
            .history
            .is_complete()
    );
    for text in [
        "", "#", "3", "3#", "#5", "3#5#6", "0#5", "-3#5", "3# 5", "3#0/5", "3#+5",
    ] {
        assert!(Vote::decode_paf(text).is_err(), "{text:?}");
    }
}

#[test]
fn keys_of_a_later_version_are_ignored() {
    let read = Vote::decode("1;lsn=5;mood=good;tl=1;hist=").unwrap();
    assert_eq!(
        read.position,
        Position {
            system: None,
            ..position("1@0/5")
        }
    );
}

#[test]
fn damage_is_told_apart() {
    let error = |line: &str| Vote::decode(line).unwrap_err().to_string();
    assert_eq!(
        error("2;tl=1"),
        "written in version \"2\", this agent reads version 1"
    );
    assert_eq!(error("1;tl=1"), "the field \"lsn\" is missing");
    assert_eq!(
        error("1;tl=1;lsn=1;lsn=2"),
        "the field \"lsn\" occurs twice"
    );
    assert_eq!(error("1;tl=1;lsn"), "not a key=value field: \"lsn\"");
    assert_eq!(error("1;tl=0;lsn=1"), "not a timeline number: \"0\"");
    assert_eq!(
        error("1;tl=1;lsn=0/5"),
        "not a WAL location in decimal: \"0/5\""
    );
    assert_eq!(
        error("1;tl=1;lsn=5;term=x"),
        "the field \"term\" has the value \"x\""
    );
    assert_eq!(
        error("1;tl=2;lsn=5;hist=2:1"),
        "history line 2: timeline 2 is out of order"
    );
}

#[test]
fn a_long_history_is_cut_at_its_old_end() {
    let step = |number: u32| Switch {
        timeline: Timeline::new(number).unwrap(),
        at: Lsn::from(u64::from(number) << 24),
    };
    let child = Timeline::new(2001).unwrap();
    let history = History::from_switches((1..=2000).map(step).collect(), child, true).unwrap();
    let long = Position {
        history,
        timeline: child,
        ..vote().position
    };
    let line = Vote {
        position: long,
        ..vote()
    }
    .encode();
    assert!(line.len() < 800, "{}", line.len());
    let read = Vote::decode(&line).unwrap().position.history;
    assert!(!read.is_complete());
    assert_eq!(read.switches().first(), Some(&step(1969)));
}

#[test]
fn a_shutdown_checkpoint_names_its_node() {
    let (timeline, lsn) = crate::wal::notation::place("2@0/5000028");
    let checkpoint = ShutdownCheckpoint {
        node: node("db node=1;"),
        term: Some(3),
        system: Some(SystemId::from(7)),
        timeline,
        lsn,
    };
    assert_eq!(
        checkpoint.encode(),
        "1;node=db%20node%3D1%3B;term=3;sys=7;tl=2;lsn=83886120"
    );
    assert_eq!(
        ShutdownCheckpoint::decode(&checkpoint.encode()),
        Ok(checkpoint)
    );
    assert!(ShutdownCheckpoint::decode("1;node=%zz;tl=1;lsn=1").is_err());
}

fn reign(sync: &str) -> Reign {
    let held = position("2@0/5000028<1@0/4000000");
    Reign::claim(node("n1"), held, SyncRule::parse(sync).unwrap(), 1)
}

#[test]
fn a_reign_comes_back() {
    let claim = reign("ANY 1 (n2, \"node 3\")");
    let line = "1;term=1;opened=no;sys=7;tl=2;lsn=83886120;hist=1:67108864;sync=any:1:n2,node%203";
    assert_eq!(claim.encode(), line);
    assert_eq!(Reign::decode(node("n1"), line), Ok(claim));
    assert_eq!(
        Reign::decode(node("n1"), &reign("").encode()),
        Ok(reign(""))
    );
}

#[test]
fn a_force_is_read_in_both_forms() {
    let timeline = Timeline::new(7).unwrap();
    let after = Some(3);
    let force = Force { timeline, after };
    assert_eq!(force.encode(), "1;tl=7;after=3");
    assert_eq!(Force::decode(&force.encode()), Ok(force));
    // As the first version wrote it.
    let after = None;
    assert_eq!(Force::decode("7"), Ok(Force { timeline, after }));
    assert!(Force::decode("?").is_err());
}

fn positions() -> impl Strategy<Value = Position> {
    let steps = prop::collection::btree_map(1..u32::MAX - 1, any::<u64>(), 0..40);
    (prop::option::of(any::<u64>()), any::<u64>(), steps).prop_map(|(system, lsn, steps)| {
        let switch = |(number, at): (u32, u64)| Switch {
            timeline: Timeline::new(number).unwrap(),
            at: Lsn::from(at),
        };
        let switches: Vec<Switch> = steps.into_iter().map(switch).collect();
        let timeline = Timeline::new(u32::MAX).unwrap();
        Position {
            system: system.map(SystemId::from),
            timeline,
            lsn: Lsn::from(lsn),
            history: History::from_switches(switches, timeline, true).unwrap(),
        }
    })
}

proptest! {
    #[test]
    fn every_vote_comes_back(
        position in positions(), term: Option<u64>, ends_with_shutdown: Option<bool>,
        age: Option<u64>, fresh: Option<(u64, Option<u64>)>,
    ) {
        let last_commit_age = age.map(Duration::from_secs);
        let (data, seen) = (None, Evidence::default());
        let timeline = position.timeline;
        let place = |lsn| Place { timeline, lsn: Lsn::from(lsn) };
        let fresh = fresh.map(|(term, owes)| Fresh { term, owes: owes.map(place) });
        let ledger_is_unreadable = false;
        let vote = Vote {
            position, term, ends_with_shutdown, last_commit_age, data, fresh, ledger_is_unreadable, seen,
        };
        let line = vote.encode();
        prop_assert!(line.bytes().all(|b| b.is_ascii_alphanumeric() || b";=:,._%~-".contains(&b)));
        let read = Vote::decode(&line).unwrap();
        let newest = vote.position.history.newest(32);
        prop_assert_eq!(&read.position.history, &newest);
        let position = Position { history: newest, ..vote.position };
        prop_assert_eq!(read, Vote { position, ..vote });
    }

    #[test]
    fn no_line_panics(line in ".*", tail in ".*") {
        for line in [line.clone(), format!("1;tl=1;lsn=5;{line}={tail}"), format!("1;{line}")] {
            let _ = Vote::decode(&line);
            let _ = Vote::decode_paf(&line);
            let _ = ShutdownCheckpoint::decode(&line);
            let _ = Reign::decode(node("n1"), &line);
            let _ = Force::decode(&line);
        }
    }
}
