//! What is said of standbys that could not be promoted, and how often it is looked at.

use super::bench::Bench;
use super::scores::{care, primary};
use crate::instance::capacity::Capacity;
use crate::instance::replication::Details;
use crate::instance::{NoAnswer, Role, State};
use crate::record::{Constraint, note};
use crate::steps::readiness::tell_of_standby;
use crate::testing::node;

const HELD: &str = "2@0/3000000<1@0/2000000";

fn said(bench: &Bench) -> String {
    bench.notes.read(&note::UNREADY).unwrap_or_default()
}

#[test]
fn a_ban_is_said_while_it_lasts() {
    let bench = primary();
    care(&bench);
    assert_eq!(said(&bench), "of all\n");
    bench.cluster.kept().constraints.push(Constraint {
        id: "cli-ban-x".to_owned(),
        resource: "pgsqld-clone".to_owned(),
        node: Some(node("n3")),
    });
    bench.cluster.kept().versions += 1;
    care(&bench);
    let wanted =
        "of all\nn3\tn3 could not be promoted now: it is barred by the constraint cli-ban-x\n";
    assert_eq!(said(&bench), wanted);
    bench.cluster.kept().constraints.clear();
    bench.cluster.kept().versions += 1;
    care(&bench);
    assert_eq!(said(&bench), "of all\n");
}

#[test]
fn what_a_standby_says_of_itself_is_said_of_it() {
    let bench = primary();
    care(&bench);
    bench
        .cluster
        .with_private("n3", "impaired-pgsqld", "max_connections=60<200");
    bench.cluster.kept().versions += 1;
    care(&bench);
    let wanted = "of all\nn3\tn3 would be promoted only where no other standby is sound: \
                  max_connections=60<200\n";
    assert_eq!(said(&bench), wanted);
}

/// What could not be asked is looked at again, and nothing is taken for over meanwhile.
#[test]
fn a_cluster_that_does_not_answer_is_asked_again() {
    let bench = primary();
    for _ in 0..2 {
        care(&bench);
    }
    bench.cluster.kept().versions += 1;
    bench.journal.fail("constraints", 1);
    care(&bench);
    bench.journal.forget();
    care(&bench);
    assert_eq!(bench.journal.count("constraints"), 1);
}

#[test]
fn a_standby_says_of_itself_what_only_it_knows() {
    let bench = Bench::running(Role::Standby, HELD);
    let running = State::Running(Role::Standby);
    let paused = |paused| Details::Standby {
        receives: true,
        timeline: None,
        paused,
        slots: None,
    };
    let tell = |state: &State, details: Option<&Details>| {
        tell_of_standby(&bench.notes, state, details);
        said(&bench)
    };
    assert_eq!(tell(&running, Some(&paused(None))), "of itself\n");
    let own = Some(Capacity([60, 8, 10, 0, 64]));
    let line = tell(&running, Some(&paused(own)));
    assert!(
        line.contains("would be promoted late: its replay is paused"),
        "{line}"
    );
    let login = State::Busy(Role::Standby, NoAnswer::Login("no entry".to_owned()));
    let line = tell(&login, None);
    assert!(
        line.contains("could not be promoted now: it cannot vote"),
        "{line}"
    );
    let starting = State::Busy(Role::Standby, NoAnswer::NotYet("starting up".to_owned()));
    assert_eq!(tell(&starting, None), "of itself\n");
    bench.notes.write(&note::DIVERGED, "at 0/1");
    let line = tell(&running, Some(&paused(None)));
    assert!(line.contains("it has diverged"), "{line}");
}

/// What it said of the others as the primary is not over when it is a standby.
#[test]
fn another_role_speaks_anew() {
    let bench = primary();
    bench
        .notes
        .write(&note::UNREADY, "of itself\nThis standby\tcould not\n");
    care(&bench);
    assert_eq!(said(&bench), "of all\n");
}
