//! What a look at the server tells: its state, what it holds, whether it can write.

use super::bench::{Bench, lsn, soon, timeline};
use crate::instance::replication::Primary;
use crate::instance::{ClusterState, NoAnswer, Role, State};
use crate::postgres::fake_instance::Processes;
use crate::record::ShutdownCheckpoint;
use crate::steps::position::{LONGEST_REPLAY, of_control, of_demoted, of_primary, of_standby};
use crate::steps::{state, write_probe};
use crate::testing::{in_ms, node};
use crate::wal::notation::position;
use std::time::Duration;

const HELD: &str = "1@0/3000000";
const PATIENCE: Duration = Duration::from_secs(1);

fn standby() -> Bench {
    Bench::running(Role::Standby, HELD)
}

fn state_of(bench: &Bench) -> State {
    state::now(&bench.server, soon()).unwrap()
}

#[test]
fn silence_and_a_connection_cut_off_are_asked_about_once_more() {
    for why in [NoAnswer::Silent, NoAnswer::CutOff] {
        let bench = standby();
        bench.server.instance().next_answers.push_back(why.clone());
        assert_eq!(state_of(&bench), State::Running(Role::Standby));
        assert_eq!(bench.journal.count("role"), 2);

        let bench = standby();
        bench.server.instance().refuses = Some(why.clone());
        assert_eq!(state_of(&bench), State::Failing(why));
        assert_eq!(bench.journal.count("role"), 2);
    }
}

#[test]
fn who_is_stopped_by_a_signal_is_not_asked() {
    let bench = standby();
    bench.server.instance().is_stopped = true;
    assert_eq!(state_of(&bench), State::Failing(NoAnswer::Frozen));
    assert_eq!(bench.journal.count("role"), 0);
}

#[test]
fn an_answer_is_an_answer() {
    let bench = standby();
    bench.server.instance().refuses = Some(NoAnswer::Full);
    assert_eq!(state_of(&bench), State::Busy(Role::Standby, NoAnswer::Full));
    assert_eq!(bench.journal.count("role"), 1);
}

#[test]
fn a_server_that_listens_elsewhere_is_asked_there() {
    let bench = standby();
    bench.server.instance().listens.port = 5433;
    assert_eq!(state_of(&bench), State::Running(Role::Standby));
    let (state, details) = state::with_details(&bench.server, soon()).unwrap();
    assert_eq!(state, State::Running(Role::Standby));
    assert!(details.is_some());
}

#[test]
fn a_server_that_listens_nowhere_is_failing() {
    let bench = standby();
    bench.server.instance().refuses = Some(NoAnswer::NotListening);
    assert_eq!(state_of(&bench), State::Failing(NoAnswer::NotListening));
    assert_eq!(bench.journal.count("role"), 1);
}

#[test]
fn without_a_postmaster_nobody_is_asked() {
    let bench = Bench::stopped(HELD);
    assert_eq!(state_of(&bench), State::Stopped(Role::Standby));
    bench.server.instance().processes = Processes::LeftBehind(2);
    assert_eq!(state_of(&bench), State::LeftBehind(2));
    assert_eq!(bench.journal.count("role"), 0);
}

#[test]
fn where_nothing_can_be_seen_there_is_no_state() {
    let bench = standby();
    bench.server.instance().processes = Processes::Unseen;
    assert!(state::now(&bench.server, soon()).is_err());
    let bench = Bench::stopped(HELD);
    bench.journal.fail("control_data", 1);
    assert!(state::now(&bench.server, soon()).is_err());
}

#[test]
fn a_busy_standby_is_waited_for_until_it_answers() {
    let bench = standby();
    let starting = NoAnswer::NotYet("starting up".to_owned());
    bench
        .server
        .instance()
        .next_answers
        .extend(vec![starting; 3]);
    let settled = state::settled(&bench.server, in_ms(2_000), in_ms(2_000));
    assert_eq!(settled, Ok(State::Running(Role::Standby)));

    bench.server.instance().refuses = Some(NoAnswer::Full);
    let settled = state::settled(&bench.server, in_ms(100), in_ms(2_000));
    assert_eq!(settled, Ok(State::Busy(Role::Standby, NoAnswer::Full)));
}

/// A smaller position would let another node win that holds less.
#[test]
fn a_position_is_one_only_once_the_local_wal_is_used_up() {
    let bench = standby();
    bench.server.instance().replays_for = 3;
    let held = of_standby(&bench.server, PATIENCE, in_ms(2_000))
        .ok()
        .unwrap();
    assert_eq!(held.position, position(HELD));
    assert_eq!(bench.journal.count("wal_position"), 4);

    bench.server.instance().replays_for = 1;
    assert!(of_standby(&bench.server, Duration::ZERO, soon()).is_err());
}

/// A delay may take hours: what is on disk counts all the same.
#[test]
fn local_wal_that_is_not_replayed_yet_counts_as_soon_as_it_was_read() {
    let bench = standby();
    bench.server.instance().replays_for = 9_999;
    bench.server.instance().replay.delayed = true;
    bench.server.instance().replay.shows_local_end = true;
    let held = of_standby(&bench.server, LONGEST_REPLAY, in_ms(5_000));
    assert_eq!(held.ok().unwrap().position, position(HELD));
    bench.server.instance().replay.shows_local_end = false;
    assert!(of_standby(&bench.server, LONGEST_REPLAY, in_ms(300)).is_err());
}

/// It would win over nodes that hold the same whole, and lose it.
#[test]
fn what_was_received_and_cannot_be_replayed_does_not_count() {
    let stuck = || {
        let bench = standby();
        bench.server.instance().replay.stuck_at = Some(lsn("0/2F00000"));
        bench
    };
    let voted = |bench: &Bench| {
        let held = of_standby(&bench.server, PATIENCE, in_ms(2_000));
        held.ok().unwrap().position.lsn
    };
    assert_eq!(voted(&stuck()), lsn("0/2F00000"));
    // In doubt all counts that was received: pg_waldump finds records, or cannot look.
    let sound = stuck();
    sound.server.instance().replay.shows_local_end = true;
    assert_eq!(voted(&sound), position(HELD).lsn);
    let blind = stuck();
    blind.journal.fail("local_end", 9);
    assert_eq!(voted(&blind), position(HELD).lsn);
}

#[test]
fn only_a_running_standby_has_a_position_to_vote() {
    let primary = Bench::running(Role::Primary, HELD);
    assert!(of_standby(&primary.server, PATIENCE, soon()).is_err());
    let stopped = Bench::stopped(HELD);
    assert!(of_standby(&stopped.server, PATIENCE, soon()).is_err());
    // The first answer that is none is asked about: the server may be coming up.
    for (method, times) in [
        ("wal_position", 2),
        ("control_data", 1),
        ("written_timelines", 1),
    ] {
        let bench = standby();
        bench.journal.fail(method, times);
        assert!(
            of_standby(&bench.server, PATIENCE, soon()).is_err(),
            "{method}"
        );
    }
}

/// The control file's timeline lags behind until the next restartpoint.
#[test]
fn the_timeline_is_the_highest_that_any_source_tells() {
    let bench = Bench::running(Role::Standby, "2@0/4000000<1@0/3000000");
    bench.server.data().control.checkpoint_timeline = timeline(1);
    bench.server.data().control.recovery_timeline = Some(timeline(1));
    bench.server.data().control.recovery_end = lsn("0/2000000");
    let held = of_standby(&bench.server, PATIENCE, soon()).ok().unwrap();
    assert_eq!(held.position, position("2@0/4000000<1@0/3000000"));
}

/// Its own promotion was killed before it had written the history of what it was to open.
#[test]
fn wal_of_a_timeline_without_a_history_is_no_branch() {
    let bench = standby();
    bench.server.data().make_segment();
    bench.server.data().standby_signal = true;
    let held = of_standby(&bench.server, PATIENCE, soon()).ok().unwrap();
    assert_eq!(held.position, position(HELD));
}

/// With an archive a crashed primary learns of the next branch before it has replayed
/// its own WAL to the end.
#[test]
fn wal_that_was_replayed_beside_the_branch_is_what_the_node_holds() {
    let bench = Bench::running(Role::Standby, "2@0/4000000<1@0/3000000");
    bench.server.data().control.recovery_timeline = Some(timeline(1));
    bench.server.data().control.checkpoint_timeline = timeline(1);
    bench.server.data().control.recovery_end = lsn("0/3500000");
    let held = of_standby(&bench.server, PATIENCE, soon()).ok().unwrap();
    assert_eq!(held.position, position("1@0/3500000"));
}

#[test]
fn a_primary_names_its_branch_before_its_first_checkpoint() {
    let bench = standby();
    bench.server.instance().promote().unwrap();
    let primary = |timeline| Primary {
        timeline,
        synchronous_standby_names: String::new(),
        senders: Vec::new(),
        written: lsn("0/4000000"),
        slots: None,
    };
    let held = of_primary(&bench.server, &primary(Some(timeline(2))), soon()).unwrap();
    assert_eq!(held.timeline, timeline(2));
    assert_eq!(
        held.history.switch_point_of(timeline(1)),
        Some(lsn("0/3000000"))
    );
    let held = of_primary(&bench.server, &primary(None), soon()).unwrap();
    assert_eq!(held.timeline, timeline(2));
}

#[test]
fn a_crashed_server_holds_at_least_what_its_control_file_says() {
    let bench = standby();
    bench.server.data().end = lsn("0/9000000");
    let control = bench.server.data().control.clone();
    assert_eq!(of_control(&bench.server, &control), position(HELD));
}

#[test]
fn a_primary_that_cannot_write_is_a_failure() {
    let bench = Bench::running(Role::Primary, HELD);
    assert_eq!(write_probe::run(&bench.server, soon()), Ok(()));
    bench.server.data().full = Some("/data/pg_wal".into());
    assert!(write_probe::run(&bench.server, soon()).is_err());
    bench.server.data().full = None;
    bench.server.data().write_complaint = Some("could not extend file".to_owned());
    assert!(write_probe::run(&bench.server, soon()).is_err());
    bench.server.instance().refuses = Some(NoAnswer::Silent);
    assert!(write_probe::run(&bench.server, soon()).is_err());
}

#[test]
fn a_primary_that_has_no_connection_free_can_still_write() {
    let bench = Bench::running(Role::Primary, HELD);
    bench.server.instance().refuses = Some(NoAnswer::Full);
    bench.server.data().write_complaint = Some("never asked".to_owned());
    assert_eq!(write_probe::run(&bench.server, soon()), Ok(()));
    assert_eq!(
        bench.server.data().control.state,
        ClusterState::InProduction
    );
}

/// Clients wait for a switchover while the old primary comes up: it votes with where it was stopped.
#[test]
fn a_demoted_primary_on_its_way_up_votes_with_its_shutdown_checkpoint() {
    let demoted = |arrange: fn(&mut Bench)| {
        let mut bench = standby();
        let held = position(HELD);
        bench.server.data().control.checkpoint = held.lsn;
        bench.server.data().control.checkpoint_timeline = held.timeline;
        bench.server.instance().is_starting = true;
        bench.server.instance().refuses = Some(NoAnswer::NotYet("starting up".to_owned()));
        arrange(&mut bench);
        let stopped = ShutdownCheckpoint {
            node: node("n1"),
            term: Some(1),
            system: held.system,
            timeline: held.timeline,
            lsn: held.lsn,
        };
        of_demoted(&bench.server, &stopped, soon())
    };
    let voted = demoted(|_| ());
    assert_eq!(voted.map(|held| held.lsn), Some(position(HELD).lsn));
    // It is up and can be asked; or it was started on other data, or from an earlier checkpoint.
    let others: [fn(&mut Bench); 3] = [
        |bench| bench.server.instance().is_starting = false,
        |bench| bench.server.data().control.checkpoint = lsn("0/100"),
        |bench| bench.journal.fail("control_data", 1),
    ];
    for arrange in others {
        assert_eq!(demoted(arrange), None);
    }
}
