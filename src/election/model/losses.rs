//! Evidence that is lost, comes back or cannot be read, and data that are replaced: no
//! promise is broken by it, and a rule that sees to that is missed when it is switched off.

use super::invariant::Violation;
use super::proofs::prove_once;
use super::scenario::{Scenario, Trouble};
use super::weakened::{found, weakened};
use crate::election::rule::Rule;

const ANY_1: &str = "ANY 1 (n1, n2, n3)";

fn synchronous(title: &'static str, trouble: Trouble, faults: u8) -> Scenario {
    Scenario {
        sync: vec![ANY_1; 3],
        faults,
        writes: 1,
        moves: 0,
        trouble,
        ..Scenario::new(title, 3)
    }
}

#[test]
fn two_nodes_lose_evidence() {
    prove_once(&Scenario {
        writes: 0,
        moves: 0,
        faults: 2,
        trouble: Trouble::EVIDENCE,
        ..Scenario::new("two nodes, evidence is lost", 2)
    });
}

#[test]
fn three_nodes_lose_evidence() {
    prove_once(&synchronous(
        "three nodes, evidence is lost",
        Trouble::EVIDENCE,
        1,
    ));
}

#[test]
fn a_node_without_a_database() {
    prove_once(&Scenario {
        empty: 0b100,
        sync: vec!["FIRST 1 (*)"; 3],
        ..synchronous("a node without a database", Trouble::POWER, 2)
    });
}

#[test]
fn a_node_with_the_first_version() {
    prove_once(&Scenario {
        old: 0b100,
        ..synchronous("a node has the first version", Trouble::POWER, 2)
    });
}

fn with(change: impl FnOnce(&mut Trouble)) -> Trouble {
    let mut trouble = Trouble::POWER;
    change(&mut trouble);
    trouble
}

#[test]
fn a_rebuilt_standby_confirmed_nothing() {
    let trouble = with(|trouble| trouble.rebuilds = true);
    prove_once(&synchronous("a standby is rebuilt", trouble, 2));
}

#[test]
fn fresh_data() {
    let trouble = with(|trouble| trouble.rebuilds = true);
    let scenario = synchronous("fresh data", trouble, 2);
    let violation = weakened(Rule::FreshData, &scenario);
    assert!(
        matches!(violation, Violation::LostCommit { .. }),
        "{violation}"
    );
}

#[test]
fn ledgers() {
    let trouble = with(|trouble| trouble.evidence = true);
    let scenario = synchronous("ledgers", trouble, 2);
    let violation = weakened(Rule::Ledgers, &scenario);
    assert!(
        matches!(violation, Violation::LostCommit { .. }),
        "{violation}"
    );
}

fn last_write_is_lost() -> Scenario {
    let trouble = with(|trouble| trouble.power_cut = true);
    Scenario {
        sync: vec![""; 3],
        ..synchronous("the last write is lost", trouble, 2)
    }
}

/// The widest bounds that have ended.
#[test]
#[ignore = "three million states; run with --release"]
fn two_losses_of_evidence() {
    prove_once(&synchronous(
        "three nodes, evidence is lost twice",
        Trouble::EVIDENCE,
        2,
    ));
}

/// The voters were told of a candidate that is away, and whose claim the cluster's configuration
/// lost.
#[test]
fn all_nodes_lose_power_right_after_a_claim() {
    prove_once(&last_write_is_lost());
}

#[test]
fn doubts() {
    let violation = weakened(Rule::Doubts, &last_write_is_lost());
    let left = matches!(violation, Violation::LeftBranch { .. });
    assert!(left, "{violation}");
}

/// An old configuration comes back after a failover, and the new primary dies before its monitor
/// has come again: only those who were told of it know that it was a candidate.
#[test]
fn promises_are_kept_until_their_outcome_is_known() {
    let trouble = with(|trouble| trouble.evidence = true);
    let violation = found(
        "promises that last",
        &Scenario {
            forgets_early: true,
            ..synchronous("promises are forgotten", trouble, 3)
        },
    );
    // Both come at the same depth, and which is found first depends on the threads.
    let is_damage = matches!(
        violation,
        Violation::LostCommit { .. } | Violation::LeftBranch { .. }
    );
    assert!(is_damage, "{violation}");
}
