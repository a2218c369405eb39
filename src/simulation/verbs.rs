//! What verbs do to a cluster.

use super::fleet::{Fleet, List, NAMES};
use crate::instance::{ClusterState, Role};
use crate::ocf::{OcfExit, Rejoin};
use crate::postgres::NamedWalsender;
use crate::postgres::fake_instance::{FakeInstance, Obeys, Processes};
use crate::testing::journal::{Trouble, unless_killed};
use crate::wal::notation::position;
use crate::wal::{Lsn, Timeline};

const PRIMARY: Processes = Processes::Alive(Role::Primary);
const STANDBY: Processes = Processes::Alive(Role::Standby);
const ALL: List<'_> = ("active", "n1 n2 n3");
const SUCCESS: Result<OcfExit, crate::ocf::Failure> = Ok(OcfExit::Success);

/// Three standbys that run.
fn started() -> Fleet {
    let fleet = Fleet::holding("1@0/3000000");
    for name in NAMES {
        assert_eq!(fleet.start(name), SUCCESS);
    }
    fleet
}

/// The primary `n1`, which the others follow.
fn running() -> Fleet {
    let fleet = started();
    assert_eq!(fleet.promote("n1", &[ALL, ("promote", "n1")]), SUCCESS);
    for name in ["n2", "n3"] {
        fleet.follow(name, "n1");
    }
    for _ in 0..2 {
        assert_eq!(fleet.monitor("n1"), Ok(OcfExit::Promoted));
        for name in ["n2", "n3"] {
            assert_eq!(fleet.monitor(name), SUCCESS);
        }
    }
    fleet.journal.forget();
    fleet
}

/// `n1` and its node are gone.
fn after_a_crash() -> Fleet {
    let mut fleet = running();
    fleet.write("n1", 4096);
    fleet.server("n1").instance().crash();
    fleet.cluster().kept().leave("n1");
    fleet
}

const FAILOVER: [List<'_>; 4] = [ALL, ("stop", "n1"), ("demote", "n1"), ("promote", "n2")];

#[test]
fn a_start_never_opens_a_server() {
    let mut fleet = Fleet::holding("1@0/3000000");
    fleet.server("n1").data().standby_signal = false;
    fleet.server("n1").data().control.state = ClusterState::ShutDown;
    assert_eq!(fleet.start("n1"), SUCCESS);
    assert_eq!(fleet.processes("n1"), STANDBY);
    // It was the primary, and nobody else is a candidate.
    let score = fleet.cluster().permanent_of("n1", "master-pgsqld");
    assert_eq!(score.as_deref(), Some("1"));
}

#[test]
fn a_start_without_its_programs_bans_the_node_and_starts_nothing() {
    let mut fleet = Fleet::holding("1@0/3000000");
    fleet
        .server("n1")
        .data()
        .missing
        .insert("/usr/bin/pg_ctl".into());
    let failure = fleet.start("n1").unwrap_err();
    assert_eq!(failure.exit, OcfExit::NotInstalled);
    assert_eq!(fleet.processes("n1"), Processes::Nothing);
}

#[test]
fn after_a_promotion_all_know_who_reigns() {
    let fleet = running();
    assert_eq!(fleet.processes("n1"), PRIMARY);
    let cluster = fleet.cluster();
    let reign = cluster.permanent_of("n1", "reign-pgsqld").unwrap();
    assert!(
        reign.starts_with("1;term=1;opened=yes;sys=7;tl=2;"),
        "{reign}"
    );
    assert_eq!(cluster.permanent_of("n1", "claim-pgsqld"), None);
}

#[test]
fn a_quiet_cluster_writes_nothing() {
    let fleet = running();
    let writes = fleet.cluster().kept().cib_writes;
    for name in NAMES {
        assert!(fleet.monitor(name).is_ok());
    }
    assert_eq!(fleet.journal.effects(), Vec::<String>::new());
    assert_eq!(fleet.cluster().kept().cib_writes, writes);
}

#[test]
fn a_demotion_stops_cleanly_tells_where_and_comes_up_as_a_standby() {
    let fleet = running();
    let lists = [ALL, ("demote", "n1"), ("promote", "n2")];
    assert_eq!(fleet.demote("n1", &lists), SUCCESS);
    fleet.journal.assert_order(&[
        "checkpoint",
        "stop fast",
        "n1: shutdown-pgsqld",
        "write standby.signal",
        "start",
    ]);
    assert_eq!(fleet.processes("n1"), STANDBY);
    fleet.follow("n2", "n1");
    assert_eq!(fleet.promote("n2", &lists), SUCCESS);
    // Who votes remembers it.
    fleet
        .journal
        .assert_order(&["start", "n3: ledger", "n3: vote-pgsqld", "promote"]);
}

#[test]
fn a_switchover_goes_to_a_standby_that_holds_the_end_and_to_no_other() {
    let fleet = running();
    let lists = [ALL, ("demote", "n1"), ("promote", "n3")];
    fleet.write("n1", 4096);
    assert_eq!(fleet.demote("n1", &lists), SUCCESS);
    fleet.follow("n2", "n1");
    // It lacks the last commits.
    let failure = fleet.promote("n3", &lists).unwrap_err();
    assert!(failure.reason.starts_with("Promotion aborted"), "{failure}");
    assert_eq!(fleet.promote("n2", &[ALL, ("promote", "n2")]), SUCCESS);
    assert_eq!(
        NAMES.map(|name| fleet.processes(name)),
        [STANDBY, PRIMARY, STANDBY]
    );
}

#[test]
fn a_primary_whose_stop_left_no_shutdown_checkpoint_is_not_started_again() {
    let mut fleet = running();
    fleet.journal.trouble("stop", Trouble::KilledBefore, 1);
    assert!(unless_killed(|| fleet.demote("n1", &[ALL])).is_none());
    fleet.server("n1").instance().crash();
    assert_eq!(fleet.demote("n1", &[ALL]), SUCCESS);
    assert_eq!(fleet.cluster().value_of("n1", "shutdown-pgsqld"), None);
    assert_eq!(fleet.processes("n1"), STANDBY);
}

#[test]
fn a_failover_opens_a_timeline_beyond_the_last_primarys() {
    let mut fleet = after_a_crash();
    assert_eq!(fleet.promote("n2", &FAILOVER), SUCCESS);
    assert_eq!(
        fleet.server("n2").data().timeline,
        Timeline::new(3).unwrap()
    );
}

#[test]
fn a_dead_primary_that_comes_back_follows_nobody_and_says_so() {
    let mut fleet = after_a_crash();
    assert_eq!(fleet.promote("n2", &FAILOVER), SUCCESS);
    assert_eq!(fleet.monitor("n2"), Ok(OcfExit::Promoted));
    assert_eq!(fleet.start("n1"), SUCCESS);
    assert_eq!(fleet.processes("n1"), STANDBY);
    let cluster = fleet.cluster();
    assert!(cluster.value_of("n1", "diverged-pgsqld").is_some());
    assert_eq!(
        cluster.permanent_of("n1", "master-pgsqld").as_deref(),
        Some("-INFINITY")
    );
    // Nor does a look at it count what it has for a reign.
    assert_eq!(fleet.monitor("n1"), Ok(OcfExit::Success));
    assert_eq!(
        fleet.server("n1").data().timeline,
        Timeline::new(2).unwrap()
    );
}

#[test]
fn a_dead_primary_that_comes_back_is_rewound_where_an_admin_asked_for_that() {
    let mut fleet = after_a_crash();
    assert_eq!(fleet.promote("n2", &FAILOVER), SUCCESS);
    assert_eq!(fleet.monitor("n2"), Ok(OcfExit::Promoted));
    let branch = "3@0/4000000<2@0/3000000<1@0/3000000";
    let fork = Lsn::from_hex("0/3000000").unwrap();
    fleet.server("n1").data().source = (fork, position(branch));
    fleet.server("n1").parameters.rejoin = Rejoin::Rewind;
    assert_eq!(fleet.start("n1"), SUCCESS);
    assert_eq!(
        fleet.server("n1").data().timeline,
        Timeline::new(3).unwrap()
    );
    assert_eq!(fleet.cluster().permanent_of("n1", "reign-pgsqld"), None);
}

#[test]
fn a_stop_of_what_does_not_run_needs_nothing() {
    let fleet = Fleet::holding("1@0/3000000");
    for method in ["control_data", "permanent", "of_members", "set_private"] {
        fleet.journal.fail_after(0, method);
    }
    assert_eq!(fleet.stop("n1"), SUCCESS);
}

/// Its promotions were refused too often, and Pacemaker stops it: nobody asks it for its vote then.
#[test]
fn a_stopped_node_tells_what_it_was_told_of_elections() {
    let fleet = running();
    fleet.tell(["pre", "promote"], &[ALL, ("promote", "n3")]);
    assert_eq!(fleet.stop("n2"), SUCCESS);
    let told = fleet.cluster().value_of("n2", "vote-pgsqld").unwrap();
    assert!(told.starts_with("1;holds=unknown"), "{told}");
    assert!(told.contains("promise%20n3%20"), "{told}");
    let shared = fleet.cluster().value_of("n2", "lsn_location-pgsqld");
    assert_eq!(shared, None, "it would count as a vote");
}

#[test]
fn a_stop_that_sees_nothing_never_succeeds() {
    let mut fleet = running();
    fleet.server("n1").instance().processes = Processes::Unseen;
    assert!(fleet.stop("n1").is_err());
    assert!(fleet.probe("n1").is_err());
}

#[test]
fn a_stopped_primary_tells_where_it_was_stopped() {
    let fleet = running();
    assert_eq!(fleet.stop("n1"), SUCCESS);
    fleet
        .journal
        .assert_order(&["stop fast", "n1: shutdown-pgsqld"]);
    assert_eq!(fleet.probe("n1"), Ok(OcfExit::NotRunning));
}

#[test]
fn a_crash_is_what_monitor_says_it_was() {
    let mut fleet = running();
    for name in ["n1", "n2"] {
        fleet.server(name).instance().crash();
        assert_eq!(fleet.probe(name), Ok(OcfExit::NotRunning));
    }
    let exits = ["n1", "n2"].map(|name| fleet.monitor(name).unwrap_err().exit);
    assert_eq!(exits, [OcfExit::PromotedFailed, OcfExit::NotRunning]);
}

/// The agent is killed before or after each effect of a promotion, the node is stopped
/// and started again, and another promotion is asked for: it comes true, on a timeline
/// of its own, and no other node ever is a primary.
#[test]
fn a_promotion_that_is_killed_anywhere_does_not_keep_the_next_one_from_coming_true() {
    for trouble in [Trouble::KilledBefore, Trouble::KilledAfter] {
        for index in 0.. {
            let mut fleet = after_a_crash();
            fleet.journal.trouble_at(index, trouble);
            let whole = unless_killed(|| fleet.promote("n2", &FAILOVER));
            if whole.is_some() {
                break;
            }
            let opened = fleet.server("n2").data().timeline;
            fleet.server("n2").instance().crash();
            let lists = [("active", "n2 n3"), ("promote", "n2")];
            let context = format!("{trouble:?} {index} {:#?}", fleet.journal.effects());
            assert_eq!(fleet.start("n2"), SUCCESS, "{context}");
            assert_eq!(fleet.promote("n2", &lists), SUCCESS, "{context}");
            assert!(fleet.server("n2").data().timeline > opened, "{context}");
            assert_eq!(fleet.processes("n3"), STANDBY, "{context}");
        }
    }
}

/// PostgreSQL is killed between two steps of its promotion, when it has made WAL of the new
/// timeline, or its history too. The node holds most, and is promoted; no number is used twice.
#[test]
fn a_promotion_that_postgresql_left_half_open_is_followed_by_a_whole_one() {
    for with_history in [false, true] {
        let mut fleet = after_a_crash();
        fleet.server("n2").instance().manners.promotion = Obeys::Never;
        let failure = fleet.promote("n2", &FAILOVER).unwrap_err();
        assert!(failure.reason.contains("still in recovery"), "{failure}");
        let half = fleet.server("n2").data().make_segment();
        if with_history {
            fleet.server("n2").data().make_history(half);
        }
        fleet.server("n2").instance().crash();
        fleet.server("n2").instance().manners.promotion = Obeys::AtOnce;
        let lists = [("active", "n2 n3"), ("promote", "n2")];
        assert_eq!(fleet.start("n2"), SUCCESS);
        let left = fleet.server("n2").data().strays.clone();
        assert!(
            left.is_empty() || with_history,
            "{left:?} {:#?}",
            fleet.journal.effects()
        );
        assert_eq!(fleet.promote("n2", &lists), SUCCESS);
        let opened = fleet.server("n2").data().timeline;
        assert_eq!(opened > half, with_history, "{half} {opened}");
        assert_eq!(fleet.processes("n3"), STANDBY);
    }
}

/// The agent is killed before or after each effect of a demotion, Pacemaker stops the
/// server, and the node goes: nobody is primary who lacks its end.
#[test]
fn a_demotion_that_is_killed_anywhere_still_binds_the_next_primary() {
    kill_demotions(|_| ());
}

/// The same where a foreign receiver holds the checkpoint, and the archiver the end.
#[test]
fn a_demotion_that_is_held_and_killed_anywhere_still_binds_the_next_primary() {
    kill_demotions(|primary| {
        let name = "pg_receivewal".to_owned();
        primary.walsenders = vec![NamedWalsender { pid: 100, name }];
        primary.archives = true;
    });
}

fn kill_demotions(hold: fn(&mut FakeInstance)) {
    let demoting = [ALL, ("demote", "n1"), ("stop", "n1")];
    let promoting = [("active", "n2 n3"), ("promote", "n2")];
    for trouble in [Trouble::KilledBefore, Trouble::KilledAfter] {
        for index in 0.. {
            let mut fleet = running();
            fleet.write("n1", 4096);
            hold(&mut fleet.server("n1").instance());
            fleet.journal.trouble_at(index, trouble);
            if unless_killed(|| fleet.demote("n1", &demoting)).is_some() {
                break;
            }
            let context = format!("{trouble:?} {index} {:#?}", fleet.journal.effects());
            assert_eq!(fleet.stop("n1"), SUCCESS, "{context}");
            fleet.tell(["post", "stop"], &demoting);
            fleet.cluster().kept().leave("n1");
            let failure = fleet.promote("n2", &promoting).unwrap_err();
            let refused = failure.reason.starts_with("Promotion refused");
            assert!(refused, "{failure} {context}");
            fleet.follow("n2", "n1");
            assert_eq!(fleet.promote("n2", &promoting), SUCCESS, "{context}");
        }
    }
}
