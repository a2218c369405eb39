//! A promotion: what follows from each verdict, and in which order.

use std::time::Instant;

use super::bench::{Bench, nodes, promoting, timeline};
use crate::instance::{NoAnswer, Role};
use crate::ocf::OcfExit;
use crate::ocf::notify::Transition;
use crate::postgres::fake_instance::{Obeys, Processes};
use crate::testing::journal::{Trouble, unless_killed};

const HELD: &str = "1@0/3000000";

/// A standby that wins its election by holding as much as everybody.
fn winner() -> Bench {
    let bench = Bench::running(Role::Standby, HELD);
    for other in ["n2", "n3"] {
        bench.voted(other, 0, HELD);
    }
    bench
}

#[test]
fn the_winner_opens_the_next_timeline() {
    let bench = winner();
    assert_eq!(
        bench.promotion(&promoting(), 5_000).run(),
        Ok(OcfExit::Success)
    );
    assert_eq!(bench.processes(), Processes::Alive(Role::Primary));
    assert_eq!(bench.server.data().timeline, timeline(2));
}

#[test]
fn the_winners_scores_are_written_while_postgresql_leaves_recovery() {
    let bench = winner();
    bench.server.instance().manners.promotion = Obeys::AfterLooks(3);
    assert_eq!(
        bench.promotion(&promoting(), 5_000).run(),
        Ok(OcfExit::Success)
    );
    bench
        .journal
        .assert_order(&["promote", "n1: master-pgsqld"]);
    let scores = ["n1", "n2", "n3"].map(|name| bench.score(name).unwrap());
    assert_eq!(scores, ["1001", "990", "980"]);
}

#[test]
fn scores_that_cannot_be_written_do_not_undo_a_promotion() {
    let bench = winner();
    bench.journal.fail_after(1, "set_permanent");
    assert_eq!(
        bench.promotion(&promoting(), 5_000).run(),
        Ok(OcfExit::Success)
    );
}

#[test]
fn a_paused_replay_is_resumed_before_the_promotion() {
    let bench = winner();
    bench.server.instance().replay.paused = true;
    assert_eq!(
        bench.promotion(&promoting(), 5_000).run(),
        Ok(OcfExit::Success)
    );
}

#[test]
fn a_timeline_that_another_node_may_have_opened_is_not_taken_again() {
    let bench = winner();
    bench.elected("n2", 1, HELD);
    for voter in ["n2", "n3"] {
        bench.voted(voter, 2, HELD);
    }
    let line = "1;term=2;opened=no;sys=7;tl=1;lsn=50331648;hist=";
    bench.cluster.with_permanent("n3", "claim-pgsqld", line);
    assert_eq!(
        bench.promotion(&promoting(), 5_000).run(),
        Ok(OcfExit::Success)
    );
    bench
        .journal
        .assert_order(&["reserve timeline 2", "promote"]);
    assert_eq!(bench.server.data().timeline, timeline(3));
}

#[test]
fn a_server_that_stays_in_recovery_or_ends_is_a_failure() {
    let bench = winner();
    bench.server.instance().manners.promotion = Obeys::Never;
    let failure = bench.promotion(&promoting(), 2_400).run().unwrap_err();
    assert!(failure.reason.contains("still in recovery"), "{failure}");

    let bench = winner();
    bench.journal.trouble("promote", Trouble::KilledAfter, 1);
    assert!(unless_killed(|| bench.promotion(&promoting(), 2_400).run()).is_none());
    bench.server.instance().crash();
    let failure = super::super::election::wait_until_primary(&bench.server, super::bench::soon());
    assert!(
        failure
            .unwrap_err()
            .reason
            .contains("exited during promotion")
    );
}

#[test]
fn a_node_that_holds_less_gives_way_with_two_scores_and_no_more() {
    let bench = winner();
    bench.voted("n2", 0, "1@0/3000100");
    let failure = bench.promotion(&promoting(), 5_000).run().unwrap_err();
    assert!(
        failure
            .reason
            .starts_with("Promotion aborted: n2 holds more"),
        "{failure}"
    );
    let written = ["n2: master-pgsqld = 1000", "n1: master-pgsqld = 1"];
    assert_eq!(bench.journal.effects(), written);
}

#[test]
fn a_refusal_writes_nothing() {
    let bench = winner();
    bench.elected("n2", 1, HELD);
    let end = "1;node=n2;term=1;sys=7;tl=1;lsn=50331904";
    bench
        .cluster
        .with_private("n3", "shutdown-seen-pgsqld", end);
    bench.cluster.kept().leave("n2");
    for voter in ["n1", "n3"] {
        bench.voted(voter, 1, HELD);
    }
    let transition = Transition {
        active: nodes("n1 n3"),
        ..promoting()
    };
    let failure = bench.promotion(&transition, 5_000).run().unwrap_err();
    assert!(
        failure.reason.starts_with("Promotion refused: "),
        "{failure}"
    );
    assert!(bench.effects().is_empty());
}

/// Nobody is served meanwhile: five seconds, and no longer.
#[test]
fn a_mute_voter_is_waited_for_and_not_for_ever() {
    let bench = Bench::running(Role::Standby, HELD);
    bench.voted("n2", 0, HELD);
    let begin = Instant::now();
    let promoted = bench.promotion(&promoting(), 30_000).run();
    assert_eq!(promoted, Ok(OcfExit::Success));
    assert!((4_900..9_000).contains(&begin.elapsed().as_millis()));
}

#[test]
fn a_vote_that_arrives_late_counts() {
    let bench = Bench::running(Role::Standby, HELD);
    bench.voted("n2", 0, HELD);
    let more = "1;sys=7;tl=1;lsn=50332000;hist=;term=0";
    bench.cluster.arrives_after(9, "n3", ["vote-pgsqld", more]);
    let failure = bench.promotion(&promoting(), 4_000).run().unwrap_err();
    assert!(
        failure.reason.starts_with("Promotion aborted: n3"),
        "{failure}"
    );
}

#[test]
fn the_last_record_is_looked_at_only_where_it_decides() {
    let bench = winner();
    assert_eq!(
        bench.promotion(&promoting(), 5_000).run(),
        Ok(OcfExit::Success)
    );
    assert_eq!(bench.journal.count("ends_with_shutdown"), 0);
}

/// A node on the Perl agent was demoted, and tells nothing about its end.
fn after_a_silent_demotion(ends_with_shutdown: bool) -> Bench {
    let bench = Bench::running(Role::Standby, HELD);
    bench.voted("n3", 0, HELD);
    bench
        .cluster
        .with_private("n2", "lsn_location-pgsqld", "1#50331648");
    bench.server.data().ends_with_shutdown = ends_with_shutdown;
    bench
}

#[test]
fn after_a_silent_demotion_the_last_record_decides() {
    let transition = Transition {
        demote: nodes("n2"),
        ..promoting()
    };
    let bench = after_a_silent_demotion(true);
    assert_eq!(
        bench.promotion(&transition, 5_000).run(),
        Ok(OcfExit::Success)
    );
    assert!(bench.journal.count("ends_with_shutdown") > 0);

    let bench = after_a_silent_demotion(false);
    assert!(bench.promotion(&transition, 5_000).run().is_err());
    assert!(bench.effects().is_empty());

    let bench = after_a_silent_demotion(true);
    bench.journal.fail_after(0, "ends_with_shutdown");
    assert!(bench.promotion(&transition, 5_000).run().is_err());
    assert!(bench.effects().is_empty());
}

#[test]
fn a_cluster_that_does_not_answer_elects_nobody() {
    for method in ["permanent", "of_members"] {
        let bench = winner();
        bench.journal.fail_after(0, method);
        assert!(bench.promotion(&promoting(), 2_400).run().is_err());
        assert!(bench.effects().is_empty(), "{method}");
    }
}

#[test]
fn a_standby_that_cannot_be_asked_is_not_promoted() {
    let bench = winner();
    bench.server.instance().refuses = Some(NoAnswer::Full);
    assert!(bench.promotion(&promoting(), 2_400).run().is_err());
    assert!(bench.effects().is_empty());
}
