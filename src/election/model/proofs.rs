//! No promise is broken in these clusters, whatever happens within the bounds.

use std::io::Write;
use std::time::Instant;

use super::explore::{explore, explore_in};
use super::resume;
use super::scenario::{Scenario, Trouble};

/// Explores a scenario to its end, and says how much that was. Also as it was with the first
/// version, which promoted where it could not reserve a timeline, so that two branches could
/// have the same number, and which did not say what it opens.
fn prove(scenario: &Scenario) {
    for reserves in [true, false] {
        prove_once(&Scenario {
            reserves,
            ..scenario.clone()
        });
    }
}

pub(super) fn prove_once(scenario: &Scenario) {
    let begin = Instant::now();
    let file = resume::file_of(scenario);
    let report = file.map_or_else(|| explore(scenario), |file| explore_in(scenario, &file));
    let seconds = begin.elapsed().as_secs_f32();
    // Not println: the number is for everybody, not only for failures.
    let _ = writeln!(
        std::io::stdout(),
        "model: {}: {} states up to {} steps deep, {} elections, {} promotions, {seconds:.1} s",
        scenario.title,
        report.states,
        report.longest,
        report.elections,
        report.promotions,
    );
    if let Some((_, trace)) = report.found {
        panic!("{trace}");
    }
    assert!(report.promotions > 0, "nobody is ever promoted");
}

fn asynchronous(nodes: usize) -> Scenario {
    Scenario::new(
        if nodes == 2 {
            "two nodes"
        } else {
            "three nodes"
        },
        nodes,
    )
}

fn synchronous(title: &'static str, rule: &'static str, nodes: usize) -> Scenario {
    Scenario {
        sync: vec![rule; nodes],
        ..Scenario::new(title, nodes)
    }
}

#[test]
fn two_nodes() {
    prove(&Scenario {
        writes: 1,
        branches: 3,
        ..asynchronous(2)
    });
}

#[test]
fn two_nodes_that_lose_power_again_and_again() {
    let trouble = Trouble::POWER;
    prove(&Scenario {
        faults: 4,
        writes: 1,
        moves: 0,
        trouble,
        ..asynchronous(2)
    });
}

#[test]
fn three_nodes() {
    prove(&Scenario {
        faults: 1,
        writes: 0,
        ..asynchronous(3)
    });
}

#[test]
fn three_nodes_that_lose_power() {
    let trouble = Trouble::POWER;
    prove(&Scenario {
        writes: 1,
        moves: 0,
        trouble,
        ..asynchronous(3)
    });
}

#[test]
fn two_nodes_one_synchronous() {
    let scenario = synchronous("two nodes, FIRST 1", "FIRST 1 (n1, n2)", 2);
    prove(&Scenario {
        writes: 1,
        moves: 0,
        ..scenario.clone()
    });
    prove(&Scenario {
        faults: 1,
        writes: 1,
        ..scenario
    });
}

#[test]
fn three_nodes_any_1() {
    let scenario = synchronous("three nodes, ANY 1", "ANY 1 (n1, n2, n3)", 3);
    prove(&Scenario {
        writes: 1,
        moves: 0,
        trouble: Trouble::POWER,
        ..scenario.clone()
    });
    prove(&Scenario {
        faults: 1,
        writes: 1,
        moves: 0,
        ..scenario
    });
}

#[test]
fn three_nodes_first_2() {
    let scenario = synchronous("three nodes, FIRST 2", "FIRST 2 (*)", 3);
    prove_once(&Scenario {
        writes: 1,
        moves: 0,
        trouble: Trouble::POWER,
        ..scenario
    });
}

#[test]
fn a_rule_for_each_node() {
    let sync = vec!["ANY 1 (n2, n3)", "ANY 2 (n1, n3)", ""];
    let scenario = Scenario::new("three nodes, three rules", 3);
    prove_once(&Scenario {
        sync,
        writes: 1,
        moves: 0,
        trouble: Trouble::POWER,
        ..scenario
    });
}

#[test]
fn maxlag() {
    let scenario = Scenario::new("two nodes, maxlag", 2);
    prove_once(&Scenario {
        maxlag: 1,
        moves: 0,
        ..scenario
    });
}

/// Pacemaker may not promote n3, and whoever else a constraint comes to forbid.
fn forbidden(title: &'static str, max_loss: u64) -> Scenario {
    let trouble = Trouble {
        ban: true,
        ..Trouble::POWER
    };
    Scenario {
        barred: 0b100,
        max_loss,
        moves: 0,
        trouble,
        ..Scenario::new(title, 3)
    }
}

#[test]
fn a_node_that_may_not_be_promoted() {
    let trouble = Trouble::POWER;
    prove_once(&Scenario {
        writes: 1,
        trouble,
        ..forbidden("three nodes, one barred, nothing given up", 0)
    });
    prove_once(&Scenario {
        faults: 1,
        ..forbidden("three nodes, bans, a record given up", 0x100)
    });
    prove_once(&Scenario {
        faults: 1,
        writes: 0,
        moves: 1,
        ..forbidden("three nodes, bans, and a move", 0x100)
    });
}

#[test]
fn a_synchronous_node_that_may_not_be_promoted() {
    let rules = [
        vec!["ANY 1 (n1, n2, n3)"; 3],
        vec!["n3", "n3", "ANY 1 (n1, n2)"],
        vec!["FIRST 2 (*)"; 3],
    ];
    for sync in rules {
        prove_once(&Scenario {
            sync,
            writes: 1,
            ..forbidden("three nodes, bans, synchronous", 0x100)
        });
    }
}

/// More terms than four change nothing but how often a refusal is repeated.
#[test]
fn many_refusals() {
    prove_once(&Scenario {
        terms: 7,
        writes: 1,
        moves: 0,
        trouble: Trouble::POWER,
        ..asynchronous(2)
    });
}

/// A claim opens the timeline that it says: n1 may stand on an older one that was opened where
/// n3 was elected.
#[test]
#[ignore = "a million states; its end is a row of branch.txt, and a seed of the simulator"]
fn the_last_one_standing() {
    prove_once(&Scenario {
        quorum: 1,
        faults: 4,
        writes: 0,
        moves: 0,
        trouble: Trouble::POWER,
        ..asynchronous(3)
    });
}

#[test]
#[ignore = "takes an hour; run with --release"]
fn three_writes_and_two_faults() {
    for rule in ["", "ANY 1 (n1, n2, n3)", "FIRST 2 (*)"] {
        let scenario = synchronous("three nodes, three writes", rule, 3);
        prove_once(&Scenario {
            writes: 3,
            moves: 0,
            trouble: Trouble::POWER,
            ..scenario
        });
    }
}

#[test]
#[ignore = "takes many minutes and gigabytes; run with --release"]
fn wide_bounds() {
    prove_once(&Scenario {
        writes: 1,
        ..asynchronous(3)
    });
    for rule in ["ANY 1 (n1, n2, n3)", "FIRST 2 (*)", "n2, n3"] {
        let scenario = synchronous("three nodes, synchronous", rule, 3);
        prove_once(&Scenario {
            writes: 1,
            ..scenario
        });
    }
    prove_once(&Scenario {
        faults: 4,
        ..asynchronous(2)
    });
    prove_once(&asynchronous(3));
}
