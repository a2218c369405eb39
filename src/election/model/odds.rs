//! What is rare: promotions that die half open or replay an archive, votes and ledgers that
//! cannot be read, and promotions by hand.

use super::invariant::Violation;
use super::proofs::prove_once;
use super::scenario::{Scenario, Trouble};
use super::weakened::without;
use crate::election::rule::Rule;

const ANY_1: &str = "ANY 1 (n1, n2, n3)";

fn odd(title: &'static str, change: impl FnOnce(&mut Trouble)) -> Scenario {
    let mut trouble = Trouble::POWER;
    change(&mut trouble);
    Scenario {
        writes: 1,
        moves: 0,
        trouble,
        ..Scenario::new(title, 3)
    }
}

fn synchronous(scenario: Scenario) -> Scenario {
    Scenario {
        sync: vec![ANY_1; 3],
        ..scenario
    }
}

#[test]
fn a_promotion_that_dies_half_open() {
    let scenario = odd("a promotion dies half open", |trouble| {
        trouble.half_open = true
    });
    prove_once(&scenario);
    prove_once(&synchronous(scenario));
}

#[test]
fn a_promotion_that_replays_an_archive() {
    let scenario = odd("a promotion replays an archive", |trouble| {
        trouble.archive = true
    });
    prove_once(&scenario);
    prove_once(&synchronous(scenario));
}

#[test]
fn what_cannot_be_read() {
    let scenario = odd("unreadable", |trouble| {
        (trouble.unreadable, trouble.torn) = (true, true);
    });
    let violation = without(Rule::Readable, &scenario);
    assert!(
        matches!(violation, Violation::PassedOver { .. }),
        "{violation}"
    );
    prove_once(&synchronous(scenario));
}

#[test]
fn a_branch_that_was_opened_by_hand() {
    let scenario = Scenario {
        faults: 1,
        ..odd("promoted by hand", |trouble| trouble.by_hand = true)
    };
    let violation = without(Rule::CommonBranch, &scenario);
    assert!(
        matches!(violation, Violation::LiveLock { .. }),
        "{violation}"
    );
}

/// The voter's ledger alone has the shutdown checkpoint; its vote says that it cannot be read.
#[test]
fn a_voter_whose_ledger_cannot_be_read() {
    prove_once(&Scenario {
        quorum: 1,
        moves: 1,
        writes: 0,
        ..odd("a voter's ledger is torn", |trouble| trouble.torn = true)
    });
}

/// The primary's data are made anew from a standby's that lacks its commits.
#[test]
fn data_identity() {
    let scenario = odd("the primary is rebuilt", |trouble| trouble.rebuilds = true);
    let violation = without(
        Rule::DataIdentity,
        &synchronous(Scenario {
            rebuilt: 0b001,
            faults: 3,
            // One election: a rebuilt standby is not judged here.
            branches: 2,
            ..scenario
        }),
    );
    assert!(
        matches!(violation, Violation::LostCommit { .. }),
        "{violation}"
    );
}
