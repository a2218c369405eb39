//! The rule of synchronous replication changes, and others than nodes confirm.

use super::invariant::Violation;
use super::proofs::prove_once;
use super::scenario::{Scenario, Trouble};
use super::weakened::weakened;
use crate::election::rule::Rule;

/// Nodes lose power, whatever is left of them acts.
fn cluster(title: &'static str, sync: &'static str, faults: u8) -> Scenario {
    Scenario {
        sync: vec![sync; 3],
        quorum: 1,
        faults,
        writes: 1,
        moves: 0,
        trouble: Trouble::POWER,
        ..Scenario::new(title, 3)
    }
}

fn changed(sync: &'static str, later: &'static str) -> Scenario {
    Scenario {
        later_rule: Some(later),
        branches: 2,
        ..cluster("three nodes, the rule changes", sync, 3)
    }
}

#[test]
fn a_rule_that_changes() {
    prove_once(&changed("n2", "n3"));
}

#[test]
#[ignore = "takes five minutes; run with --release"]
fn rules_that_change() {
    for (sync, later) in [("n2", ""), ("*", "n2"), ("2 (n2, n3)", "n3")] {
        prove_once(&changed(sync, later));
    }
}

#[test]
fn earlier_rules() {
    let violation = weakened(Rule::EarlierRules, &changed("n2", "n3"));
    let lost = matches!(violation, Violation::LostCommit { .. });
    assert!(lost, "{violation}");
}

/// The primary dies in place, and is elected again.
#[test]
fn a_rule_that_changes_from_one_reign_to_the_next() {
    prove_once(&Scenario {
        trouble: Trouble {
            instance_crash: true,
            ..Trouble::POWER
        },
        branches: 3,
        faults: 2,
        ..changed("n2", "n3")
    });
}

fn with_stranger(sync: &'static str) -> Scenario {
    Scenario {
        foreign_confirmer: true,
        ..cluster("three nodes and a receiver that is none", sync, 2)
    }
}

#[test]
fn a_receiver_that_is_no_node() {
    prove_once(&with_stranger("*"));
    prove_once(&with_stranger("ANY 1 (*)"));
}

#[test]
fn confirmers() {
    let violation = weakened(Rule::Confirmers, &with_stranger("*"));
    let lost = matches!(violation, Violation::LostCommit { .. });
    assert!(lost, "{violation}");
}

#[test]
fn a_node_without_a_database_confirms_nothing() {
    let empty = Scenario {
        empty: 0b100,
        ..cluster("two nodes and one without a database", "*", 2)
    };
    prove_once(&empty);
}
