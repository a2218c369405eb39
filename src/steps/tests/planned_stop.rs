//! What holds the clean stop of a primary: receivers of WAL, the archiver, and a primary
//! that hangs.

use super::bench::{Bench, soon};
use crate::instance::{ClusterState, Role};
use crate::ocf::{OcfExit, Outcome};
use crate::postgres::NamedWalsender;
use crate::postgres::fake_instance::{Obeys, Processes};
use crate::steps::bring_down::{Receivers, by_files, cleanly, for_good, silent};
use crate::testing::in_ms;

const HELD: &str = "1@0/3000000";

/// A primary whose fast stop is held by walsenders of these names.
fn held_by(names: &[&str]) -> Bench {
    let bench = Bench::running(Role::Primary, HELD);
    let walsenders = (100..).zip(names).map(|(pid, name)| NamedWalsender {
        pid,
        name: (*name).to_owned(),
    });
    bench.server.instance().walsenders = walsenders.collect();
    bench
}

fn stopped(bench: &Bench) -> Outcome {
    let receivers = Receivers::note(&bench.server, &bench.cluster, soon());
    cleanly(&bench.server, &receivers, in_ms(2_000))
}

#[test]
fn a_foreign_walsender_is_ended_and_the_checkpoint_is_written() {
    let bench = held_by(&["pg_receivewal"]);
    assert_eq!(stopped(&bench), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["stop fast", "terminate 100"]);
    assert_eq!(bench.server.data().control.state, ClusterState::ShutDown);
}

#[test]
fn a_standby_of_the_cluster_is_ended_after_the_foreign_ones() {
    let bench = held_by(&["n2", "debezium"]);
    assert_eq!(stopped(&bench), Ok(OcfExit::Success));
    let effects = bench.effects();
    assert_eq!(effects, ["stop fast", "terminate 101", "terminate 100"]);
}

#[test]
fn nothing_depends_on_what_server_and_cluster_say_of_the_receivers() {
    for silent in ["walsenders", "members"] {
        let bench = held_by(&["pg_receivewal"]);
        bench.journal.fail_after(0, silent);
        assert_eq!(stopped(&bench), Ok(OcfExit::Success), "{silent}");
        assert_eq!(bench.effects(), ["stop fast", "terminate 100"], "{silent}");
    }
}

#[test]
fn an_archiver_that_does_not_end_is_cut_off_behind_the_checkpoint() {
    let bench = Bench::running(Role::Primary, HELD);
    bench.server.instance().archives = true;
    assert_eq!(stopped(&bench), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["stop fast", "stop immediate"]);
    assert_eq!(bench.server.data().control.state, ClusterState::ShutDown);
}

#[test]
fn no_archiver_is_cut_off_before_the_checkpoint() {
    let bench = Bench::running(Role::Primary, HELD);
    bench.server.instance().archives = true;
    bench.server.instance().manners.fast = Obeys::Never;
    assert!(stopped(&bench).is_err());
    assert_eq!(bench.effects(), ["stop fast"]);
}

/// A primary that was told to stop and does nothing.
fn frozen() -> Bench {
    let bench = Bench::running(Role::Primary, HELD);
    bench.server.instance().is_frozen = true;
    bench.server.instance().manners.fast = Obeys::Never;
    bench
}

#[test]
fn a_primary_that_hangs_is_killed_by_stop_alone() {
    for by_stop in [true, false] {
        let bench = frozen();
        let stopped = if by_stop {
            by_files(&bench.server, in_ms(8_000))
        } else {
            for_good(&bench.server, &Receivers::default(), in_ms(8_000))
        };
        assert_eq!(stopped, Ok(OcfExit::Success));
        assert_eq!(bench.effects(), ["stop fast", "kill"]);
        assert_eq!(
            bench.server.data().control.state,
            ClusterState::InProduction
        );
    }
    let bench = frozen();
    assert!(stopped(&bench).unwrap_err().reason.contains("moves"));
    assert!(silent(&bench.server, in_ms(500)).is_err());
    assert_eq!(bench.journal.times("kill"), 0);
    assert_eq!(bench.processes(), Processes::Alive(Role::Primary));
}

/// Its sessions may go on: nobody tells them to end.
#[test]
fn a_primary_whose_postmaster_is_stopped_by_a_signal_is_killed_by_stop_alone() {
    let bench = frozen();
    bench.server.instance().is_frozen = false;
    bench.server.instance().is_stopped = true;
    assert!(silent(&bench.server, in_ms(500)).is_err());
    assert_eq!(bench.effects(), Vec::<String>::new());
    assert_eq!(by_files(&bench.server, in_ms(8_000)), Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["stop fast", "kill"]);
}

#[test]
fn a_primary_that_moves_has_all_the_time_there_is() {
    let bench = frozen();
    bench.server.instance().is_frozen = false;
    let stopped = for_good(&bench.server, &Receivers::default(), in_ms(400));
    assert!(stopped.unwrap_err().reason.contains("still works"));
    assert_eq!(bench.effects(), ["stop fast"]);
}

#[test]
fn what_outlives_sigkill_is_left_to_fencing_at_once() {
    let bench = frozen();
    bench.server.instance().manners.kill = Obeys::Never;
    let begin = std::time::Instant::now();
    let failure = for_good(&bench.server, &Receivers::default(), in_ms(60_000)).unwrap_err();
    assert!(failure.reason.contains("SIGKILL"), "{failure}");
    assert!(begin.elapsed().as_secs() < 10);
}

/// It lost power as a primary, was started as a standby, and hangs.
#[test]
fn what_starts_as_a_standby_is_forced_whatever_its_control_file_says() {
    for signal in [true, false] {
        let bench = frozen();
        bench.server.instance().is_frozen = false;
        bench.server.instance().is_starting = true;
        bench.server.data().standby_signal = signal;
        assert_eq!(by_files(&bench.server, in_ms(400)).is_ok(), signal);
        assert_eq!(bench.journal.times("stop immediate") > 0, signal);
    }
}

#[test]
fn a_look_that_fails_kills_nobody() {
    let bench = frozen();
    bench.journal.fail_after(0, "postmaster");
    assert!(for_good(&bench.server, &Receivers::default(), in_ms(400)).is_err());
    assert_eq!(bench.journal.times("kill"), 0);
}
