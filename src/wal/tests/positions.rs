//! Positions: the table for people, and what holds for all of them.

use proptest::prelude::*;

use crate::testing::check_rows;
use crate::wal::notation::{place, position};
use crate::wal::{History, Lsn, Position, Relation, Switch, SystemId, Timeline};

fn named(relation: Relation) -> String {
    match relation {
        Relation::Same => "same".to_owned(),
        Relation::Behind => "behind".to_owned(),
        Relation::Ahead => "ahead".to_owned(),
        Relation::Diverged { fork } => format!("diverged at {fork}"),
        Relation::OtherSystem => "other system".to_owned(),
        Relation::Unknown => "unknown".to_owned(),
    }
}

fn reversed(relation: Relation) -> Relation {
    match relation {
        Relation::Behind => Relation::Ahead,
        Relation::Ahead => Relation::Behind,
        other => other,
    }
}

#[test]
fn every_row_of_the_table_holds_both_ways() {
    check_rows(include_str!("../testdata/positions.txt"), |words| {
        let [a, b] = [words[0], words[1]].map(position);
        assert_eq!(b.compare(&a), reversed(a.compare(&b)), "{words:?}");
        named(a.compare(&b))
    });
}

#[test]
fn another_database_is_not_compared() {
    let ours = position("1@0/100");
    let theirs = Position {
        system: Some(SystemId::from(8)),
        ..ours.clone()
    };
    let silent = Position {
        system: None,
        ..ours.clone()
    };
    assert_eq!(ours.compare(&theirs), Relation::OtherSystem);
    assert_eq!(ours.compare(&silent), Relation::Same);
}

#[test]
fn a_record_is_held_strictly_beyond_its_start() {
    let held = |text, at| {
        let (timeline, lsn) = place(at);
        position(text).holds(timeline, lsn)
    };
    assert_eq!(held("1@0/100", "1@0/100"), Some(false));
    assert_eq!(held("1@0/101", "1@0/100"), Some(true));
    assert_eq!(held("2@0/150<1@0/120", "1@0/100"), Some(true));
    assert_eq!(held("2@0/150<1@0/100", "1@0/100"), Some(false));
    assert_eq!(held("2@0/90<1@0/120", "1@0/100"), Some(false));
    assert_eq!(held("1@0/900", "2@0/100"), Some(false));
    assert_eq!(held("3@0/150<2@0/120<?", "1@0/100"), None);
}

/// A tree of branches as promotions make it: each leaves an earlier one at some
/// point beyond its own start.
#[derive(Debug, Clone)]
struct Tree(Vec<Vec<Switch>>);

const LONGEST: u64 = 40;

impl Tree {
    fn grown(forks: &[(usize, u64)]) -> Self {
        let mut lines: Vec<Vec<Switch>> = vec![Vec::new()];
        for (parent, length) in forks {
            let parent = parent % lines.len();
            let start = lines[parent].last().map_or(0, |switch| switch.at.as_u64());
            let mut line = lines[parent].clone();
            line.push(Switch {
                timeline: number(parent),
                at: Lsn::from(start + length),
            });
            lines.push(line);
        }
        Self(lines)
    }

    fn position(&self, branch: usize, beyond: u64) -> Position {
        let branch = branch % self.0.len();
        let switches = self.0[branch].clone();
        let start = switches.last().map_or(0, |switch| switch.at.as_u64());
        Position {
            system: None,
            timeline: number(branch),
            lsn: Lsn::from(start + beyond),
            history: History::from_switches(switches, number(branch), true).unwrap(),
        }
    }
}

fn number(branch: usize) -> Timeline {
    Timeline::new(u32::try_from(branch).unwrap() + 1).unwrap()
}

/// What a position holds, byte by byte: of which branch each one is.
fn bytes(position: &Position) -> Vec<Timeline> {
    let mut bytes = Vec::new();
    for switch in position.history.switches() {
        bytes.resize(
            usize::try_from(switch.at.as_u64()).unwrap(),
            switch.timeline,
        );
    }
    bytes.resize(
        usize::try_from(position.lsn.as_u64()).unwrap(),
        position.timeline,
    );
    bytes
}

fn trees() -> impl Strategy<Value = Tree> {
    prop::collection::vec((0..8_usize, 1..LONGEST), 0..8).prop_map(|forks| Tree::grown(&forks))
}

fn spot() -> impl Strategy<Value = (usize, u64)> {
    (0..9_usize, 1..LONGEST)
}

proptest! {
    #[test]
    fn hex_comes_back(number: u64) {
        let lsn = Lsn::from(number);
        prop_assert_eq!(Lsn::from_hex(&lsn.to_string()), Ok(lsn));
        prop_assert_eq!(Lsn::from_hex(&format!("{:08x}/{:08x}", number >> 32, number & 0xFFFF_FFFF)), Ok(lsn));
        prop_assert_eq!(Lsn::from_decimal(&number.to_string()), Ok(lsn));
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = Lsn::from_hex(&text);
        let _ = Lsn::from_decimal(&text);
        let _ = Timeline::from_decimal(&text);
        let _ = SystemId::from_decimal(&text);
        let _ = History::parse(&text, Timeline::FIRST);
    }

    #[test]
    fn the_order_is_that_of_the_bytes(tree in trees(), a in spot(), b in spot()) {
        let (a, b) = (tree.position(a.0, a.1), tree.position(b.0, b.1));
        let (held_a, held_b) = (bytes(&a), bytes(&b));
        let expected = match (held_b.starts_with(&held_a), held_a.starts_with(&held_b)) {
            (true, true) => Relation::Same,
            (true, false) => Relation::Behind,
            (false, true) => Relation::Ahead,
            (false, false) => {
                let common = held_a.iter().zip(&held_b).take_while(|(a, b)| a == b).count();
                Relation::Diverged { fork: Lsn::from(u64::try_from(common).unwrap()) }
            }
        };
        prop_assert_eq!(a.compare(&b), expected);
        prop_assert_eq!(b.compare(&a), reversed(expected));
    }

    #[test]
    fn a_record_is_held_if_its_byte_is(tree in trees(), a in spot(), b in spot()) {
        let (holder, record) = (tree.position(a.0, a.1), tree.position(b.0, b.1 - 1));
        let index = usize::try_from(record.lsn.as_u64()).unwrap();
        let expected = bytes(&holder).get(index) == Some(&record.timeline);
        prop_assert_eq!(holder.holds(record.timeline, record.lsn), Some(expected));
    }

    #[test]
    fn a_cut_history_is_never_wrong(tree in trees(), a in spot(), b in spot(), kept in 0..4_usize) {
        let (whole, other) = (tree.position(a.0, a.1), tree.position(b.0, b.1));
        let cut = Position { history: whole.history.newest(kept), ..whole.clone() };
        let answer = cut.compare(&other);
        prop_assert!(answer == Relation::Unknown || answer == whole.compare(&other));
    }

    #[test]
    fn being_behind_is_an_order(tree in trees(), a in spot(), b in spot(), c in spot()) {
        let [a, b, c] = [a, b, c].map(|(branch, beyond)| tree.position(branch, beyond));
        let within = |a: &Position, b: &Position| {
            matches!(a.compare(b), Relation::Same | Relation::Behind)
        };
        prop_assert!(within(&a, &a));
        if within(&a, &b) && within(&b, &c) {
            prop_assert!(within(&a, &c));
        }
    }

    #[test]
    fn a_history_file_comes_back(tree in trees(), a in spot(), reason in "[a-z ]{0,20}") {
        let position = tree.position(a.0, a.1);
        let line = |switch: &Switch| format!("{}\t{}\t{reason}\n", switch.timeline, switch.at);
        let text: String = position.history.switches().iter().map(line).collect();
        prop_assert_eq!(History::parse(&text, position.timeline), Ok(position.history));
    }
}
