//! The monitor of a primary that waits for the end of the postmaster, run after run, and the
//! start after such an end.

use std::time::Duration;

use super::fleet::{Fleet, List, NAMES};
use crate::actions::Action;
use crate::instance::{ClusterState, NoAnswer, Role};
use crate::ocf::time::in_tests;
use crate::ocf::{OcfExit, Outcome};
use crate::postgres::fake_instance::{FakeInstance, Obeys, Processes};

const ALL: List<'_> = ("active", "n1 n2 n3");
const PROMOTED: Outcome = Ok(OcfExit::Promoted);
const NOTE: &str = "pgsqlms-pgsqld.sighting";

/// A time of its own, which ends with it.
struct Time;

impl Time {
    fn begin() -> Self {
        in_tests::begin(Duration::ZERO);
        Self
    }
}

impl Drop for Time {
    fn drop(&mut self) {
        in_tests::end();
    }
}

/// The primary `n1`.
fn promoted() -> Fleet {
    let fleet = Fleet::holding("1@0/3000000");
    for name in NAMES {
        assert_eq!(fleet.start(name), Ok(OcfExit::Success));
    }
    let promoted = fleet.promote("n1", &[ALL, ("promote", "n1")]);
    assert_eq!(promoted, Ok(OcfExit::Success));
    assert_eq!(fleet.monitor("n1"), PROMOTED);
    fleet.journal.forget();
    fleet
}

/// One run of the documented operation, a second after the one before; its answer, and how
/// long it took.
fn run(fleet: &Fleet) -> (Outcome, Duration) {
    in_tests::pass(Duration::from_secs(1));
    run_with(fleet, &[])
}

fn run_with(fleet: &Fleet, words: &[(&str, &str)]) -> (Outcome, Duration) {
    let usual = [
        ("interval", "1000"),
        ("role", "Promoted"),
        ("timeout", "60000"),
    ];
    let words: Vec<_> = usual.iter().chain(words).copied().collect();
    let before = in_tests::passed();
    let answer = fleet.run((Action::Monitor, "n1"), &words, &[]);
    (answer, in_tests::passed() - before)
}

fn waited(time: Duration) -> bool {
    time >= Duration::from_secs(5)
}

/// A fleet whose next run waits, in a time of its own.
fn watched() -> (Time, Fleet) {
    let fleet = promoted();
    let own = Time::begin();
    let (answer, time) = run(&fleet);
    assert_eq!((answer, waited(time)), (PROMOTED, false));
    (own, fleet)
}

#[test]
fn the_first_run_looks_and_those_that_follow_wait_and_ask_within_15_seconds() {
    let (_time, fleet) = watched();
    let mut asked = (fleet.journal.count("details"), in_tests::passed());
    let mut questions = 0;
    for _ in 0..30 {
        let (answer, time) = run(&fleet);
        assert_eq!((answer, waited(time)), (PROMOTED, true));
        let count = fleet.journal.count("details");
        let age = in_tests::passed() - asked.1;
        assert!(age <= Duration::from_secs(15), "{age:?}");
        if count > asked.0 {
            asked = (count, in_tests::passed());
            questions += 1;
        }
    }
    assert_eq!(questions, 15);
    // What a monitor looks after besides is looked after: nobody follows here.
    assert_eq!(
        fleet.journal.effects(),
        [
            "n1: no lsn_location-pgsqld",
            "n1: no vote-pgsqld",
            "n2: master-pgsqld = -INFINITY",
            "n3: master-pgsqld = -INFINITY"
        ]
    );
}

#[test]
fn a_crash_is_told_at_once_whatever_of_its_processes_is_left() {
    let ends: [fn(&mut FakeInstance); 2] = [FakeInstance::crash, |of| {
        of.crash();
        of.processes = Processes::LeftBehind(5);
    }];
    for end in ends {
        let (_time, fleet) = watched();
        fleet.instance("n1").life.end = Some(end);
        let (answer, time) = run(&fleet);
        let failure = answer.unwrap_err();
        assert_eq!(failure.exit, OcfExit::PromotedFailed);
        assert_eq!(failure.reason, "The primary crashed: no postmaster runs");
        assert!(time < Duration::from_millis(100), "{time:?}");
        // Until Pacemaker has done something about it, each run says so, at once.
        fleet.instance("n1").processes = Processes::Nothing;
        let (answer, time) = run(&fleet);
        assert_eq!(answer.unwrap_err().exit, OcfExit::PromotedFailed);
        assert!(!waited(time));
    }
}

#[test]
fn a_restart_by_hand_is_no_failure() {
    let (_time, fleet) = watched();
    fleet.instance("n1").life.end = Some(|of| {
        of.stop_cleanly();
        of.manners.start = Obeys::AfterLooks(50);
        of.start(&[]).unwrap();
    });
    let (answer, time) = run(&fleet);
    assert_eq!(answer, PROMOTED);
    assert!(
        time > Duration::from_millis(500) && !waited(time),
        "{time:?}"
    );
    // And it is the new postmaster that is watched now.
    let (answer, time) = run(&fleet);
    assert_eq!((answer, waited(time)), (PROMOTED, true));
}

#[test]
fn a_restart_between_two_runs_is_no_failure() {
    let (_time, fleet) = watched();
    fleet.instance("n1").stop_cleanly();
    fleet.instance("n1").run_as(Role::Primary);
    let (answer, time) = run(&fleet);
    assert_eq!((answer, waited(time)), (PROMOTED, false));
}

#[test]
fn a_stop_by_hand_is_told_after_a_moment() {
    let (_time, fleet) = watched();
    fleet.instance("n1").life.end = Some(FakeInstance::stop_cleanly);
    let (answer, time) = run(&fleet);
    assert_eq!(answer, Ok(OcfExit::NotRunning));
    assert!(waited(time) && time < Duration::from_secs(6), "{time:?}");
    assert_eq!(
        fleet.instance("n1").data.control.state,
        ClusterState::ShutDown
    );
}

#[test]
fn an_operation_that_begins_anew_does_not_wait_in_its_first_run() {
    let (_time, fleet) = watched();
    assert_eq!(fleet.probe("n1"), PROMOTED);
    assert!(!waited(run(&fleet).1), "after a probe");
    in_tests::pass(Duration::from_secs(3));
    assert!(!waited(run(&fleet).1), "after a pause");
    in_tests::pass(Duration::from_secs(1));
    let other = run_with(&fleet, &[("interval", "2000")]);
    assert!(!waited(other.1), "another operation");
    assert!(!waited(run(&fleet).1), "and this one after it");
    assert!(waited(run(&fleet).1));
}

#[test]
fn others_never_wait() {
    let (_time, mut fleet) = watched();
    for words in [
        ("role", "Unpromoted"),
        ("role", "Started"),
        ("interval", "15000"),
        ("timeout", "19000"),
    ] {
        for _ in 0..3 {
            in_tests::pass(Duration::from_secs(1));
            assert!(!waited(run_with(&fleet, &[words]).1), "{words:?}");
        }
    }
    fleet.server("n1").parameters.watch = Duration::ZERO;
    for _ in 0..3 {
        assert!(!waited(run(&fleet).1));
    }
}

#[test]
fn a_note_that_is_damaged_or_foreign_costs_one_look() {
    let (_time, fleet) = watched();
    let written = fleet.note("n1", NOTE);
    for text in [
        "",
        "1",
        "garbage",
        "1;pid=-1;started=5001",
        &written.replace("1;", "2;"),
        &written.replace("boot=", "boot=x"),
        &written.replace("seen=", "seen=9"),
    ] {
        fleet.write_note("n1", NOTE, text);
        let (answer, time) = run(&fleet);
        assert_eq!((answer, waited(time)), (PROMOTED, false), "{text:?}");
    }
    // Of a process that is not there any more.
    fleet.write_note("n1", NOTE, &fleet.note("n1", NOTE).replace("pid=", "pid=9"));
    let (answer, time) = run(&fleet);
    assert_eq!((answer, waited(time)), (PROMOTED, false));
}

#[test]
fn a_server_that_refuses_to_answer_is_asked_as_by_any_monitor() {
    let (_time, fleet) = watched();
    fleet.instance("n1").refuses = Some(NoAnswer::Silent);
    let mut answers = (0..3).map(|_| run(&fleet).0);
    assert!(answers.any(|answer| answer.is_err()));
    drop(answers);
    // Nor is it waited for as long as it does.
    let (answer, time) = run(&fleet);
    assert!(answer.is_err() && !waited(time));
}

/// The programs of the server tell of a configuration that nothing has changed.
#[test]
fn a_start_after_a_crash_asks_no_program_first() {
    let lists = [ALL, ("demote", "n1"), ("stop", "n1"), ("start", "n1")];
    let fleet = promoted();
    fleet.instance("n1").crash();
    let start = |lists: &[List<'_>]| fleet.run((Action::Start, "n1"), &[], lists);
    let asked = || fleet.journal.count("program_version");
    assert_eq!(start(&lists), Ok(OcfExit::Success));
    assert_eq!(asked(), 0);
    // Where it does not come up, they may tell why.
    fleet.instance("n1").crash();
    let words = "configuration file contains errors".to_owned();
    let deaths = vec![words; 9];
    fleet.instance("n1").deaths.extend(deaths);
    assert!(start(&lists).is_err());
    assert_eq!(asked(), 1);
    fleet.instance("n1").deaths.clear();
    // Before any other start they are asked.
    assert_eq!(start(&lists[..1]), Ok(OcfExit::Success));
    assert_eq!(asked(), 2);
}
