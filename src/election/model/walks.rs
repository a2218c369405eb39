//! The walks of every test, and longer ones:
//!
//!     PGSQLMS_MODEL_WALKS=100000 cargo test --release -p pgsqlms walks_beyond_the_bounds

use std::io::Write;

use super::scenario::{Scenario, Trouble};
use super::walk::walk;
use crate::election::rule::Rule;

/// The walks of every test, in each cluster.
const USUAL: u64 = 150;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// All that is not known to break a promise.
const MUCH: Trouble = Trouble {
    late_vote: true,
    ban: true,
    evidence: true,
    archive: true,
    half_open: true,
    unreadable: true,
    ..Trouble::ALL
};

fn clusters() -> Vec<Scenario> {
    let much = |title, sync: Vec<&'static str>| Scenario {
        trouble: MUCH,
        faults: 8,
        writes: 5,
        moves: 3,
        branches: 9,
        terms: 20,
        ..Scenario::new(title, sync.len()).with_rules(sync)
    };
    let mut clusters = vec![
        much("walks: two nodes", vec![""; 2]),
        much("walks: two nodes, FIRST 1", vec!["FIRST 1 (n1, n2)"; 2]),
        much("walks: three nodes", vec![""; 3]),
        much("walks: three nodes, ANY 1", vec!["ANY 1 (n1, n2, n3)"; 3]),
        much("walks: three nodes, FIRST 2", vec!["FIRST 2 (*)"; 3]),
    ];
    // What one node alone was told, and what is erased while it is away, nobody can know.
    let alone = clusters.clone().into_iter().map(|scenario| Scenario {
        quorum: 1,
        trouble: Trouble {
            evidence: false,
            ..MUCH
        },
        ..scenario
    });
    let alone: Vec<_> = alone.collect();
    clusters.drain(..2);
    clusters.extend(alone);
    clusters
}

#[test]
fn walks_beyond_the_bounds() {
    let walks = number("PGSQLMS_MODEL_WALKS").unwrap_or(USUAL);
    let first = number("PGSQLMS_MODEL_SEED").unwrap_or(0);
    let mut broken = Vec::new();
    for scenario in clusters() {
        match walk(&scenario, first..first + walks) {
            Ok(walked) => {
                let _ = writeln!(
                    std::io::stdout(),
                    "model: {}, quorum {}: {walks} walks, {} steps, {} promotions",
                    scenario.title,
                    scenario.quorum,
                    walked.steps,
                    walked.promotions
                );
                assert!(walked.promotions > 0, "nobody is ever promoted");
            }
            Err(told) => broken.push(format!("quorum {}, {told}", scenario.quorum)),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The walks can fail.
#[test]
fn walks_miss_a_rule() {
    let [two, three] = [2, 0].map(|nodes| {
        let mut clusters = clusters().into_iter();
        let fits = |scenario: &Scenario| nodes == 0 || scenario.sync.len() == nodes;
        clusters.find(fits).unwrap()
    });
    for (rule, scenario) in [(Rule::Branch, two), (Rule::BestWins, three)] {
        let found = rule.weakened(|| walk(&scenario, 0..2000));
        assert!(found.is_err(), "nobody misses {rule:?}");
    }
}
