//! A stop: of a standby in the end by force, of a primary only where nothing of it moves, and
//! a success only where it was seen that nothing runs.

use std::time::{Duration, Instant};

use super::bench::{Bench, patient, soon};
use crate::instance::{ClusterState, NoAnswer, Role};
use crate::ocf::{Deadline, OcfExit, Outcome};
use crate::postgres::FakeServer;
use crate::postgres::fake_instance::{Manners, Obeys, Orphaned, Processes};
use crate::steps::bring_down::{self, Receivers, by_files, left_behind, silent, standby};
use crate::testing::in_ms;

const HELD: &str = "1@0/3000000";

fn cleanly(server: &FakeServer, deadline: Deadline) -> Outcome {
    bring_down::cleanly(server, &Receivers::default(), deadline)
}

fn running(role: Role, change: impl FnOnce(&mut Manners)) -> Bench {
    let bench = Bench::running(role, HELD);
    change(&mut bench.server.instance().manners);
    bench
}

#[test]
fn a_standby_that_obeys_is_only_asked() {
    let bench = running(Role::Standby, |manners| manners.fast = Obeys::AfterLooks(3));
    assert_eq!(standby(&bench.server, patient()), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["stop fast"]);
    let state = bench.server.data().control.state;
    assert_eq!(state, ClusterState::ShutDownInRecovery);
}

#[test]
fn a_standby_that_does_not_obey_is_stopped_harder_step_by_step() {
    let bench = running(Role::Standby, |manners| manners.fast = Obeys::Never);
    assert_eq!(standby(&bench.server, soon()), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["stop fast", "stop immediate"]);

    let bench = running(Role::Standby, |manners| {
        (manners.fast, manners.immediate) = (Obeys::Never, Obeys::Never);
    });
    assert_eq!(standby(&bench.server, soon()), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["stop fast", "stop immediate", "kill"]);
}

#[test]
fn a_standby_that_hangs_is_killed_at_once() {
    let bench = running(Role::Standby, |manners| {
        (manners.fast, manners.immediate) = (Obeys::Never, Obeys::Never);
    });
    bench.server.instance().is_frozen = true;
    let begin = std::time::Instant::now();
    assert_eq!(standby(&bench.server, patient()), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["stop fast", "kill"]);
    assert!(begin.elapsed() < std::time::Duration::from_secs(1));
}

#[test]
fn a_standby_that_outlives_sigkill_is_a_failure() {
    let bench = running(Role::Standby, |manners| {
        (manners.fast, manners.immediate) = (Obeys::Never, Obeys::Never);
        manners.kill = Obeys::Never;
    });
    let failure = standby(&bench.server, soon()).unwrap_err();
    assert!(failure.reason.contains("SIGKILL"), "{failure}");
}

#[test]
fn where_pg_ctl_does_not_work_the_signal_is_sent_without_it() {
    let bench = running(Role::Primary, |_| ());
    bench.journal.fail("stop", 1);
    assert_eq!(cleanly(&bench.server, soon()), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["(failed) stop fast", "signal fast"]);
    assert_eq!(bench.server.data().control.state, ClusterState::ShutDown);
}

#[test]
fn a_primary_that_does_not_stop_is_a_failure() {
    let bench = running(Role::Primary, |manners| manners.fast = Obeys::Never);
    for stopped in [
        cleanly(&bench.server, soon()),
        by_files(&bench.server, soon()),
        silent(&bench.server, soon()).map(|()| OcfExit::Success),
    ] {
        assert!(stopped.is_err());
    }
    assert_eq!(bench.processes(), Processes::Alive(Role::Primary));
}

#[test]
fn a_primary_that_moves_is_never_stopped_hard_whatever_it_does() {
    let all = [Obeys::AtOnce, Obeys::AfterLooks(2), Obeys::Never];
    let refusals = [None, Some(NoAnswer::Silent), Some(NoAnswer::Full)];
    for (fast, refuses) in all
        .iter()
        .flat_map(|fast| refusals.iter().map(move |why| (fast, why)))
    {
        for failing in [0, 1] {
            let bench = running(Role::Primary, |manners| manners.fast = *fast);
            bench.server.instance().refuses = refuses.clone();
            bench.journal.fail("stop", failing);
            let _ = by_files(&bench.server, in_ms(50));
            let _ = cleanly(&bench.server, in_ms(50));
            let _ = silent(&bench.server, in_ms(50));
            for hard in ["stop immediate", "signal immediate", "kill"] {
                assert_eq!(
                    bench.journal.times(hard),
                    0,
                    "{fast:?} {refuses:?} {failing}"
                );
            }
        }
    }
}

/// The role by the files, for a server that obeys no fast stop: only a standby is forced.
fn forced_by_files(signal: bool, state: ClusterState) -> bool {
    let bench = running(Role::Standby, |manners| manners.fast = Obeys::Never);
    bench.server.data().standby_signal = signal;
    bench.server.data().control.state = state;
    by_files(&bench.server, in_ms(50)).is_ok()
}

#[test]
fn only_what_its_files_call_a_standby_is_forced() {
    assert!(forced_by_files(true, ClusterState::InArchiveRecovery));
    // Somebody left a signal in the directory of a primary.
    assert!(!forced_by_files(true, ClusterState::InProduction));
    assert!(!forced_by_files(false, ClusterState::InProduction));
    // It may leave recovery just now.
    assert!(!forced_by_files(false, ClusterState::InArchiveRecovery));
}

#[test]
fn without_a_signal_and_a_control_file_it_is_taken_for_a_primary() {
    let bench = running(Role::Standby, |manners| manners.fast = Obeys::Never);
    bench.server.data().standby_signal = false;
    bench.journal.fail("control_data", 9);
    assert!(by_files(&bench.server, in_ms(50)).is_err());
    assert_eq!(bench.effects(), ["stop fast"]);
}

#[test]
fn where_nothing_can_be_seen_no_stop_succeeds() {
    let bench = Bench::stopped(HELD);
    bench.server.instance().processes = Processes::Unseen;
    for stopped in [
        cleanly(&bench.server, in_ms(50)),
        standby(&bench.server, in_ms(50)),
        by_files(&bench.server, in_ms(50)),
        left_behind(&bench.server, in_ms(50)),
        silent(&bench.server, in_ms(50)).map(|()| OcfExit::Success),
    ] {
        assert!(stopped.is_err());
    }
}

#[test]
fn a_look_that_fails_for_a_moment_is_neither_proof_nor_failure() {
    let bench = Bench::stopped(HELD);
    bench.server.instance().processes = Processes::LeftBehind(3);
    bench.server.instance().ends_after(1);
    bench.journal.fail("postmaster", 2);
    assert_eq!(
        left_behind(&bench.server, in_ms(1_000)),
        Ok(OcfExit::Success)
    );
    assert_eq!(bench.journal.count("postmaster"), 4);
}

#[test]
fn children_that_notice_in_time_are_not_killed() {
    let bench = Bench::stopped(HELD);
    bench.server.instance().processes = Processes::LeftBehind(3);
    bench.server.instance().ends_after(3);
    assert_eq!(
        left_behind(&bench.server, in_ms(1_000)),
        Ok(OcfExit::Success)
    );
    assert_eq!(bench.journal.times("kill"), 0);
}

#[test]
fn children_that_stay_are_killed() {
    let bench = Bench::stopped(HELD);
    bench.server.instance().processes = Processes::LeftBehind(3);
    assert_eq!(left_behind(&bench.server, soon()), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["kill"]);
}

#[test]
fn children_of_a_postmaster_that_is_surely_dead_are_told_and_then_killed() {
    for (orphans, wanted) in [
        (Orphaned::Obey, &["quit orphans"][..]),
        (Orphaned::Busy, &["quit orphans", "kill"]),
    ] {
        let bench = Bench::stopped(HELD);
        bench.server.instance().processes = Processes::LeftBehind(3);
        bench.server.instance().life.orphans = orphans;
        let begin = Instant::now();
        let stopped = left_behind(&bench.server, in_ms(20_000));
        assert_eq!(stopped, Ok(OcfExit::Success));
        assert_eq!(bench.effects(), wanted);
        assert!(begin.elapsed() < Duration::from_secs(1));
    }
}
