//! The model can fail: each rule is switched off in turn, and the damage is
//! found.

use std::io::Write;

use super::explore::explore;
use super::invariant::Violation;
use super::scenario::{Scenario, Trouble};
use crate::election::rule::Rule;

/// The violation that a scenario leads to, which must be there.
pub(super) fn found(what: &str, scenario: &Scenario) -> Violation {
    let report = explore(scenario);
    let Some((violation, trace)) = report.found else {
        panic!("{what}: nobody noticed in {} states", report.states);
    };
    let _ = writeln!(
        std::io::stdout(),
        "model: without {what}, found after {} states: {violation}",
        report.states
    );
    println!("{trace}");
    violation
}

/// What happens without a rule, in a scenario where nothing happens with it.
pub(super) fn without(rule: Rule, scenario: &Scenario) -> Violation {
    if let Some((_, trace)) = explore(scenario).found {
        panic!("with {rule:?}: {trace}");
    }
    weakened(rule, scenario)
}

/// The same, where the scenario is too wide to be explored to its end.
pub(super) fn weakened(rule: Rule, scenario: &Scenario) -> Violation {
    rule.weakened(|| found(&format!("{rule:?}"), scenario))
}

fn power(nodes: usize, faults: u8) -> Scenario {
    Scenario {
        faults,
        writes: 1,
        moves: 0,
        trouble: Trouble::POWER,
        ..Scenario::new("a rule is missing", nodes)
    }
}

fn synchronous(rule: &'static str, scenario: Scenario) -> Scenario {
    Scenario {
        sync: vec![rule; scenario.sync.len()],
        ..scenario
    }
}

#[test]
fn best_wins() {
    let violation = without(Rule::BestWins, &power(3, 1));
    assert!(
        matches!(violation, Violation::PassedOver { .. }),
        "{violation}"
    );
}

#[test]
fn history() {
    let violation = without(Rule::History, &power(2, 2));
    assert!(
        matches!(violation, Violation::LeftBranch { .. }),
        "{violation}"
    );
}

#[test]
fn branch() {
    let violation = without(Rule::Branch, &power(2, 2));
    assert!(
        matches!(violation, Violation::LeftBranch { .. }),
        "{violation}"
    );
}

#[test]
fn wait_for_votes() {
    let trouble = Trouble {
        late_vote: true,
        instance_crash: true,
        ..Trouble::POWER
    };
    let violation = without(
        Rule::WaitForVotes,
        &Scenario {
            trouble,
            ..power(2, 2)
        },
    );
    assert!(
        matches!(violation, Violation::PassedOver { .. }),
        "{violation}"
    );
}

#[test]
fn fresh_votes() {
    let trouble = Trouble {
        failed_notify: true,
        failed_cleaning: true,
        ..Trouble::POWER
    };
    let scenario = synchronous("ANY 1 (n1, n2, n3)", power(3, 4));
    let violation = weakened(
        Rule::FreshVotes,
        &Scenario {
            trouble,
            ..scenario
        },
    );
    assert!(
        matches!(violation, Violation::LostCommit { .. }),
        "{violation}"
    );
}

#[test]
fn void_claims() {
    let trouble = Trouble {
        instance_crash: true,
        lost_vote: true,
        failed_promote: true,
        ..Trouble::POWER
    };
    let scenario = Scenario {
        trouble,
        claims_are_ended: false,
        ..power(2, 3)
    };
    let violation = weakened(Rule::VoidClaims, &scenario);
    assert!(
        matches!(violation, Violation::PassedOver { .. }),
        "{violation}"
    );
}

#[test]
fn own_reign() {
    // A claim that says what it opens tells the branches apart without this rule.
    let mut scenario = power(2, 3);
    scenario.reserves = false;
    let violation = without(Rule::OwnReign, &scenario);
    assert!(
        matches!(violation, Violation::LeftBranch { .. }),
        "{violation}"
    );
}

#[test]
fn doubt() {
    let violation = without(Rule::Doubt, &power(3, 2));
    assert!(
        matches!(violation, Violation::PassedOver { .. }),
        "{violation}"
    );
}

#[test]
fn shutdown_checkpoint() {
    let violation = without(
        Rule::ShutdownCheckpoint,
        &Scenario {
            moves: 1,
            ..power(2, 0)
        },
    );
    assert!(
        matches!(violation, Violation::LostEnd { .. }),
        "{violation}"
    );
}

#[test]
fn quorum() {
    let scenario = synchronous("ANY 1 (n1, n2, n3)", power(3, 2));
    let violation = without(Rule::Quorum, &scenario);
    assert!(
        matches!(violation, Violation::LostCommit { .. }),
        "{violation}"
    );
}

#[test]
fn the_guard_switched_off_by_its_parameter_protects_nothing() {
    let scenario = synchronous("ANY 1 (n1, n2, n3)", power(3, 2));
    assert!(
        explore(&Scenario {
            guard: false,
            ..scenario
        })
        .found
        .is_none()
    );
}

#[test]
fn earlier_reigns() {
    let sync = vec!["ANY 1 (n2, n3)", "ANY 2 (n1, n3)", "ANY 1 (n1, n2)"];
    let violation = without(
        Rule::EarlierReigns,
        &Scenario {
            sync,
            quorum: 1,
            ..power(3, 2)
        },
    );
    assert!(
        matches!(violation, Violation::LostCommit { .. }),
        "{violation}"
    );
}

#[test]
fn not_itself() {
    let scenario = synchronous("ANY 1 (n1, n2, n3)", power(3, 1));
    let violation = without(Rule::NotItself, &scenario);
    assert!(
        matches!(violation, Violation::LiveLock { .. }),
        "{violation}"
    );
}

#[test]
fn exclusion() {
    let violation = without(
        Rule::Exclusion,
        &Scenario {
            maxlag: 1,
            writes: 2,
            ..power(2, 1)
        },
    );
    assert!(
        matches!(violation, Violation::Excluded { .. }),
        "{violation}"
    );
}

#[test]
fn system() {
    let violation = without(
        Rule::System,
        &Scenario {
            foreign: true,
            ..power(2, 1)
        },
    );
    assert!(
        matches!(violation, Violation::LeftBranch { .. }),
        "{violation}"
    );
}

/// n3 is barred, a record that only it holds may be given up.
fn barred(faults: u8, writes: u8) -> Scenario {
    Scenario {
        barred: 0b100,
        max_loss: 0x100,
        writes,
        ..power(3, faults)
    }
}

#[test]
fn a_barred_node_blocks_nobody() {
    let violation = without(Rule::Barred, &barred(1, 1));
    assert!(
        matches!(violation, Violation::LiveLock { .. }),
        "{violation}"
    );
}

#[test]
fn max_loss() {
    let violation = without(Rule::MaxLoss, &barred(1, 2));
    assert!(
        matches!(violation, Violation::PassedOver { .. }),
        "{violation}"
    );
}

/// Since a reign carries the rules of the one that it took the entry of, the guard finds what
/// this rule was made for.
#[test]
#[ignore = "nobody notices: the earlier rules of a reign guard the same commits"]
fn loss_of_last_reign() {
    let scenario = synchronous("ANY 1 (n1, n2, n3)", barred(2, 1));
    let violation = without(Rule::LossOfLastReign, &scenario);
    assert!(
        matches!(violation, Violation::LostCommit { .. }),
        "{violation}"
    );
}

/// What a barred node holds alone may have been acknowledged: it vouches for nobody who
/// holds less.
#[test]
fn the_guard_looks_beyond_barred_nodes() {
    let scenario = synchronous("ANY 1 (n1, n2, n3)", barred(1, 1));
    let violation = without(Rule::Quorum, &scenario);
    assert!(
        matches!(violation, Violation::LostCommit { .. }),
        "{violation}"
    );
}

/// Not a rule of the election but of `promote`: the claim comes first. A branch
/// that was opened without one counts as opened by hand, and nobody continues it.
#[test]
fn the_claim() {
    let violation = found(
        "the claim",
        &Scenario {
            claims: false,
            ..power(2, 2)
        },
    );
    assert!(
        matches!(
            violation,
            Violation::LeftBranch { .. } | Violation::LiveLock { .. }
        ),
        "{violation}"
    );
}

/// Not a rule of the election but of `start`: an old claim is ended.
#[test]
fn the_end_of_a_claim() {
    let trouble = Trouble {
        instance_crash: true,
        failed_promote: true,
        ..Trouble::POWER
    };
    found(
        "the end of a claim",
        &Scenario {
            trouble,
            claims_are_ended: false,
            ..power(2, 3)
        },
    );
}
