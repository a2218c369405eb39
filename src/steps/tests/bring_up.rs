//! A start: always a standby, never twice for nothing, never on data half rewound.

use super::bench::{Bench, claim, lsn, soon, timeline};
use crate::instance::{ClusterState, NoAnswer, Role};
use crate::ocf::{OcfExit, Rejoin};
use crate::postgres::fake_instance::{Obeys, Processes};
use crate::testing::in_ms;
use crate::wal::notation::position;

const UP: Processes = Processes::Alive(Role::Standby);

/// A primary that was stopped cleanly: without a signal its next start opens it.
fn stopped_primary() -> Bench {
    let bench = Bench::stopped("1@0/3000000");
    bench.server.data().control.state = ClusterState::ShutDown;
    bench.server.data().standby_signal = false;
    bench
}

#[test]
fn a_stopped_primary_comes_up_as_a_standby() {
    let bench = stopped_primary();
    assert_eq!(bench.bring_up(soon()).without_look(), Ok(OcfExit::Success));
    bench
        .journal
        .assert_order(&["write standby.signal", "start"]);
    assert_eq!(bench.processes(), UP);
}

#[test]
fn without_a_signal_on_disk_nothing_is_started() {
    let bench = stopped_primary();
    bench.journal.fail("write_standby_signal", 1);
    let failure = bench.bring_up(soon()).without_look().unwrap_err();
    assert!(
        failure.reason.starts_with("Cannot write standby.signal"),
        "{failure}"
    );
    assert_eq!(bench.journal.times("start"), 0);
}

/// The number in an old postmaster.pid was given to a short-lived process.
#[test]
fn a_server_that_ends_at_once_is_started_once_more() {
    let bench = Bench::stopped("1@0/3000000");
    bench
        .server
        .instance()
        .deaths
        .push_back("lock file exists".to_owned());
    assert_eq!(bench.bring_up(soon()).without_look(), Ok(OcfExit::Success));
    assert_eq!(bench.journal.times("start"), 2);
}

#[test]
fn a_server_that_ends_twice_is_a_failure_in_its_own_words() {
    let bench = Bench::stopped("1@0/3000000");
    let words = ["first", "second", "third"].map(str::to_owned);
    bench.server.instance().deaths.extend(words);
    let failure = bench.bring_up(soon()).without_look().unwrap_err();
    assert_eq!(failure.reason, "PostgreSQL exited during startup: second");
    assert_eq!(bench.journal.times("start"), 2);
}

#[test]
fn a_server_may_take_a_while_to_appear() {
    let bench = Bench::stopped("1@0/3000000");
    bench.server.instance().manners.start = Obeys::AfterLooks(3);
    assert_eq!(
        bench.bring_up(in_ms(2_000)).without_look(),
        Ok(OcfExit::Success)
    );
    assert_eq!(bench.journal.times("start"), 1);
}

#[test]
fn a_server_that_dies_once_it_was_seen_is_not_started_again() {
    let bench = Bench::running(Role::Standby, "1@0/3000000");
    bench.server.instance().refuses = Some(NoAnswer::NotYet("starting up".to_owned()));
    bench.server.instance().ends_after(2);
    let failure = bench.bring_up(in_ms(2_000)).wait().unwrap_err();
    assert!(
        failure
            .reason
            .starts_with("PostgreSQL exited during startup"),
        "{failure}"
    );
    assert_eq!(bench.journal.times("start"), 0);
}

#[test]
fn a_server_that_comes_up_as_a_primary_is_a_failure() {
    let bench = Bench::stopped("1@0/3000000");
    bench.server.instance().ends_recovery = true;
    let failure = bench.bring_up(soon()).without_look().unwrap_err();
    assert!(failure.reason.contains("came up as a primary"), "{failure}");
}

#[test]
fn a_server_that_does_not_answer_in_time_is_a_failure_that_says_why() {
    let bench = Bench::stopped("1@0/3000000");
    bench.server.instance().refuses = Some(NoAnswer::NotYet("starting up".to_owned()));
    let failure = bench.bring_up(soon()).without_look().unwrap_err();
    assert_eq!(
        failure.reason,
        "PostgreSQL did not start in time: not accepting connections: starting up"
    );
}

/// PostgreSQL would look there for the future of its own timeline.
#[test]
fn reserved_timelines_are_released_before_the_start() {
    let bench = Bench::stopped("1@0/3000000");
    bench.server.data().reserved.insert(timeline(2));
    assert_eq!(bench.bring_up(soon()).without_look(), Ok(OcfExit::Success));
    bench.journal.assert_order(&["release timelines", "start"]);
}

#[test]
fn a_claim_that_came_true_is_a_reign_before_the_start() {
    let bench = Bench::stopped("2@0/4000000<1@0/3000000");
    bench
        .cluster
        .with_permanent("n1", "claim-pgsqld", &claim(3, "1@0/3000000"));
    assert_eq!(bench.bring_up(soon()).without_look(), Ok(OcfExit::Success));
    let order = ["n1: reign-pgsqld", "n1: no claim-pgsqld", "write", "start"];
    bench.journal.assert_order(&order);
}

/// `n2` was elected where the branch left at 0/3000000; `n1` holds more of the old one.
fn diverged() -> Bench {
    let bench = Bench::stopped("1@0/4000000");
    bench.elected("n2", 2, "2@0/3000000<1@0/3000000");
    bench.server.data().source = (lsn("0/3000000"), position("2@0/5000000<1@0/3000000"));
    bench
}

#[test]
fn a_node_that_has_diverged_is_started_and_says_so_once() {
    let bench = diverged();
    bench.with_score("n1", 1000);
    for _ in 0..2 {
        assert_eq!(bench.bring_up(soon()).with_rejoin(), Ok(OcfExit::Success));
        assert_eq!(bench.processes(), UP);
        bench.server.instance().crash();
    }
    let announced = bench.cluster.value_of("n1", "diverged-pgsqld");
    assert_eq!(announced.as_deref(), Some("1#67108864#50331648"));
    assert_eq!(bench.journal.times("n1: diverged-pgsqld"), 1);
    assert_eq!(bench.score("n1").as_deref(), Some("-INFINITY"));
}

#[test]
fn a_node_that_has_diverged_and_does_not_start_says_what_is_to_be_repaired() {
    let bench = diverged();
    let words = "requested timeline 2 is not a child of this server's history".to_owned();
    bench
        .server
        .instance()
        .deaths
        .extend([words.clone(), words]);
    let failure = bench.bring_up(soon()).with_rejoin().unwrap_err();
    assert!(
        failure
            .reason
            .starts_with("This node has diverged and needs repair"),
        "{failure}"
    );
    assert_eq!(bench.journal.times("n1: diverged-pgsqld"), 1);
}

/// After a crash the control file does not show how much WAL there is.
#[test]
fn what_only_the_replay_shows_is_rewound_after_a_clean_stop() {
    let mut bench = diverged();
    bench.server.parameters.rejoin = Rejoin::Rewind;
    bench.server.data().control.recovery_end = lsn("0/2000000");
    bench.server.data().control.checkpoint = lsn("0/2000000");
    assert_eq!(
        bench.bring_up(in_ms(2_000)).with_rejoin(),
        Ok(OcfExit::Success)
    );
    bench
        .journal
        .assert_order(&["start", "stop fast", "set mark", "rewind", "remove mark"]);
    assert_eq!(bench.journal.times("start"), 2);
    assert_eq!(
        (bench.processes(), bench.server.data().timeline),
        (UP, timeline(2))
    );
}
