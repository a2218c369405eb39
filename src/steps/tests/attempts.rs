//! A node that was seen to have diverged while it ran: it says so, and is restarted to be
//! rewound a few times at most.

use super::bench::{Bench, lsn, soon};
use super::rejoin::{FORK, OURS, prepare, to_be_rewound};
use crate::instance::Role;
use crate::ocf::Rejoin;
use crate::record::Divergence;
use crate::record::note;
use crate::steps::rejoin::{attempt, diverged};

/// Sees that this running node has diverged.
fn seen(bench: &Bench) -> crate::election::Diverged {
    bench.server.instance().run_as(Role::Standby);
    diverged::look(&bench.server, &bench.cluster, diverged::AT_MONITOR, soon()).unwrap()
}

fn begins(bench: &Bench) -> bool {
    let found = seen(bench);
    attempt::begin(&bench.server, &bench.notes, &found, soon())
}

#[test]
fn a_running_standby_shows_what_it_holds_beside_the_branch() {
    let how = seen(&to_be_rewound()).how;
    let said = "it holds timeline 1 up to 0/4000000, the primary branched off at 0/3000000";
    assert_eq!(how.to_string(), said);
}

#[test]
fn a_claim_says_nothing_of_anybodys_data() {
    let bench = Bench::running(Role::Standby, OURS);
    let line = super::bench::claim(2, "1@0/3000000");
    bench.cluster.with_permanent("n2", "claim-pgsqld", &line);
    assert_eq!(
        diverged::look(&bench.server, &bench.cluster, diverged::AT_MONITOR, soon()),
        None
    );
}

#[test]
fn an_attempt_is_counted_before_it_begins_and_the_next_one_waits() {
    let bench = to_be_rewound();
    assert!(begins(&bench));
    assert!(
        bench
            .notes
            .read(&note::REWINDS)
            .unwrap()
            .starts_with("0/3000000 1 ")
    );
    assert!(!begins(&bench));
}

#[test]
fn the_fourth_attempt_never_comes() {
    let bench = to_be_rewound();
    bench.notes.write(&note::REWINDS, "0/3000000 2 1000");
    assert!(begins(&bench));
    bench.notes.write(&note::REWINDS, "0/3000000 3 1000");
    assert!(!begins(&bench));
    // Of another divergence it is the first.
    bench.notes.write(&note::REWINDS, "0/2000000 3 1000");
    assert!(begins(&bench));
}

#[test]
fn an_attempt_that_could_not_be_counted_is_not_begun() {
    let bench = to_be_rewound();
    let nowhere = crate::system::Notes::of_a_test(std::path::Path::new("/nonexistent"));
    let found = seen(&bench);
    assert!(!attempt::begin(&bench.server, &nowhere, &found, soon()));
}

#[test]
fn no_attempt_is_begun_that_nobody_wants_or_that_would_fail() {
    let mut unwanted = to_be_rewound();
    unwanted.server.parameters.rejoin = Rejoin::Follow;
    assert!(!begins(&unwanted));

    let unreached = to_be_rewound();
    unreached.journal.fail("would_rewind", 1);
    assert!(!begins(&unreached));

    let without_hints = to_be_rewound();
    without_hints.server.data().control.hints_logged = false;
    assert!(!begins(&without_hints));

    let without_primary = to_be_rewound();
    without_primary.server.data().settings.clear();
    assert!(!begins(&without_primary));
    assert_eq!(without_primary.notes.read(&note::REWINDS), None);
}

#[test]
fn a_node_that_follows_again_takes_back_that_it_had_diverged() {
    let bench = to_be_rewound();
    let found = seen(&bench);
    let (server, cluster, notes) = (&bench.server, &bench.cluster, &bench.notes);
    diverged::say_once(server, cluster, notes, &found);
    // It streams, and still holds what the primary has not.
    diverged::take_back(server, cluster, notes, soon());
    assert!(bench.cluster.value_of("n1", "diverged-pgsqld").is_some());
    bench.server.data().end = lsn(FORK);
    bench.server.data().control.recovery_end = lsn(FORK);
    diverged::take_back(server, cluster, notes, soon());
    assert_eq!(bench.cluster.value_of("n1", "diverged-pgsqld"), None);
    bench.journal.forget();
    diverged::take_back(server, cluster, notes, soon());
    assert!(bench.effects().is_empty());
}

#[test]
fn another_database_is_announced_as_one_and_never_rewound() {
    let bench = to_be_rewound();
    bench.server.data().control.system = crate::wal::SystemId::from(8);
    let found = prepare(&bench).unwrap().unwrap();
    assert_eq!(found.how, Divergence::OtherSystem);
    assert!(bench.effects().is_empty());
    assert!(!begins(&bench));
}
