//! What holds up the replay of the winner, and settings that PostgreSQL would not start
//! with: named, and got out of the way.

use std::time::{Duration, Instant};

use super::bench::{Bench, promoting, soon};
use crate::instance::capacity::Capacity;
use crate::instance::replication::Details;
use crate::instance::{NoAnswer, Role, State};
use crate::ocf::{Failure, OcfExit};
use crate::postgres::fake_instance::Processes;
use crate::steps::impairment;
use crate::testing::in_ms;

const HELD: &str = "1@0/3000000";
const PRIMARYS: Capacity = Capacity([200, 8, 10, 5, 64]);
const LARGER: &str = "start -c max_connections=200 -c max_prepared_transactions=5";
const NAME: &str = "impaired-pgsqld";

/// A standby that wins its election by holding as much as everybody.
fn winner() -> Bench {
    let bench = Bench::running(Role::Standby, HELD);
    for other in ["n2", "n3"] {
        bench.voted(other, 0, HELD);
    }
    bench
}

/// One whose primary was given larger settings, and whose replay PostgreSQL has paused.
fn with_smaller_settings() -> Bench {
    let bench = winner();
    bench.server.data().control.needed = PRIMARYS;
    bench.server.instance().replay.paused = true;
    bench
}

fn promoted(bench: &Bench) {
    let outcome = bench.promotion(&promoting(), 20_000).run();
    assert_eq!(outcome, Ok(OcfExit::Success));
    assert_eq!(bench.processes(), Processes::Alive(Role::Primary));
}

#[test]
fn a_replay_that_postgresql_paused_is_not_resumed_but_started_with_larger_settings() {
    let bench = with_smaller_settings();
    promoted(&bench);
    assert_eq!(bench.journal.times("resume_replay"), 0);
    bench
        .journal
        .assert_order(&["n1: claim-pgsqld", "stop fast", LARGER, "promote"]);
}

#[test]
fn readers_that_hold_up_replay_are_ended_after_the_claim_and_the_server_is_not_restarted() {
    let bench = winner();
    bench.server.instance().replay.readers = 3;
    promoted(&bench);
    let order = [
        "n1: claim-pgsqld",
        "end busy sessions",
        "end all sessions",
        "promote",
    ];
    bench.journal.assert_order(&order);
    assert_eq!(bench.journal.times("stop"), 0);
}

#[test]
fn an_archive_that_hangs_is_done_without() {
    let bench = winner();
    bench.server.instance().replay.restoring = Some(Duration::from_secs(30));
    promoted(&bench);
    bench
        .journal
        .assert_order(&["stop fast", "start -c restore_command=", "promote"]);
}

#[test]
fn what_holds_up_replay_until_the_end_is_the_reason_and_the_claim_goes() {
    let bench = winner();
    bench.server.instance().replay.restoring = Some(Duration::from_secs(3));
    let failure = bench.promotion(&promoting(), 2_500).run().unwrap_err();
    let reason = "Not promoted, too little time is left: restore_command has been running for 3 s";
    assert_eq!(failure.reason, reason);
    assert_eq!(bench.journal.times("promote"), 0);
    assert_eq!(bench.cluster.permanent_of("n1", "claim-pgsqld"), None);
}

#[test]
fn a_start_that_ends_for_small_settings_is_repeated_with_larger_ones() {
    let bench = Bench::stopped(HELD);
    bench.server.data().control.needed = PRIMARYS;
    for (name, value) in ["max_connections", "max_prepared_transactions"]
        .into_iter()
        .zip(["60", "0"])
    {
        bench.server.data().settings.insert(name, value.to_owned());
    }
    assert_eq!(bench.bring_up(soon()).without_look(), Ok(OcfExit::Success));
    bench.journal.assert_order(&["start", LARGER]);
}

/// It may have been on the node of the primary; and a failed start bans the node.
#[test]
fn a_start_does_without_an_archive_that_hangs() {
    let bench = Bench::stopped(HELD);
    bench.server.instance().replay.restoring = Some(Duration::from_secs(30));
    let not_yet = NoAnswer::NotYet("starting up".to_owned());
    bench.server.instance().next_answers.push_back(not_yet);
    assert_eq!(
        bench.bring_up(in_ms(2_000)).without_look(),
        Ok(OcfExit::Success)
    );
    bench
        .journal
        .assert_order(&["start", "stop fast", "start -c restore_command="]);
}

/// A transaction with many subtransactions is open on the primary.
#[test]
fn a_standby_that_streams_but_lets_nobody_in_has_started() {
    let bench = Bench::stopped(HELD);
    bench.server.instance().refuses = Some(NoAnswer::NotYet("starting up".to_owned()));
    let failure = bench.bring_up(in_ms(300)).without_look().unwrap_err();
    let reason = "PostgreSQL did not start in time: not accepting connections: starting up";
    assert_eq!(failure.reason, reason);
    bench.server.instance().crash();
    bench.server.instance().receives = true;
    let begin = Instant::now();
    let started = bench.bring_up(in_ms(20_000)).without_look();
    assert_eq!(started, Ok(OcfExit::Success));
    assert!((10..15).contains(&begin.elapsed().as_secs()));
}

fn monitor(bench: &Bench) -> Result<(), Failure> {
    let details = {
        let instance = bench.server.instance();
        let (replay, receives) = (&instance.replay, instance.receives);
        let paused = replay.paused.then_some(replay.capacity);
        Details::Standby {
            receives,
            timeline: None,
            paused,
            slots: None,
        }
    };
    let handles = (&bench.cluster as _, &bench.notes);
    let seen = (&State::Running(Role::Standby), Some(&details));
    impairment::report(&bench.server, handles, seen, soon())
}

fn monitored(bench: &Bench) -> [Option<String>; 2] {
    monitor(bench).unwrap();
    [bench.cluster.value_of("n1", NAME), bench.score("n1")]
}

#[test]
fn a_paused_standby_without_a_connection_is_restarted_after_three_monitors() {
    let bench = with_smaller_settings();
    let looks = [(); 3].map(|()| monitor(&bench).is_ok());
    assert_eq!(looks, [true, true, false]);
    bench.server.instance().receives = true;
    let looks = [(); 4].map(|()| monitor(&bench).is_ok());
    assert_eq!(looks, [true; 4]);
}

#[test]
fn a_standby_with_smaller_settings_says_so_once_and_is_the_last_choice() {
    let bench = with_smaller_settings();
    bench.with_score("n1", 990);
    let said = "max_connections=100, 200 needed; max_prepared_transactions=0, 5 needed";
    let wanted = [Some(said.to_owned()), Some("1".to_owned())];
    assert_eq!(monitored(&bench), wanted);
    let effects = bench.effects().len();
    assert_eq!(monitored(&bench), wanted);
    assert_eq!(bench.effects().len(), effects);
    bench.server.instance().replay.paused = false;
    assert_eq!(monitored(&bench), [None, Some("1".to_owned())]);
}

#[test]
fn a_standby_without_a_table_space_is_the_last_choice() {
    let bench = winner();
    bench.with_score("n1", 990);
    bench.server.data().missing_table_space = Some("/srv/space".into());
    let said = "no table space at /srv/space";
    let wanted = [Some(said.to_owned()), Some("1".to_owned())];
    assert_eq!(monitored(&bench), wanted);
    bench.server.data().missing_table_space = None;
    assert_eq!(monitored(&bench), [None, Some("1".to_owned())]);
}

#[test]
fn a_standby_that_an_admin_paused_is_not_impaired() {
    let bench = winner();
    bench.server.instance().replay.paused = true;
    assert_eq!(monitored(&bench), [None, None]);
    assert!(bench.effects().is_empty());
}
