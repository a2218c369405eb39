//! The claim: there before a promotion, gone only when it is certain what became of it.

use super::bench::{Bench, claim, promoting, reign, soon};
use crate::instance::Role;
use crate::ocf::OcfExit;
use crate::postgres::fake_instance::Processes;
use crate::steps::claim::end_before_start;
use crate::testing::journal::Trouble;
use crate::testing::{in_ms, node};

const HELD: &str = "1@0/3000000";

/// A standby that wins its election, since nobody else votes.
fn winner() -> Bench {
    let bench = Bench::running(Role::Standby, HELD);
    for other in ["n2", "n3"] {
        bench.voted(other, 0, HELD);
    }
    bench
}

fn published(bench: &Bench) -> Option<String> {
    bench.cluster.permanent_of("n1", "claim-pgsqld")
}

fn stands(bench: &Bench) -> bool {
    published(bench).is_some_and(|line| line.starts_with(&claim(1, HELD)))
}

#[test]
fn it_stands_with_its_rule_before_postgresql_leaves_recovery() {
    let bench = winner();
    bench.server.instance().synchronous_standby_names = "ANY 1 (n2, n3)".to_owned();
    let transition = promoting();
    assert_eq!(
        bench.promotion(&transition, 5_000).run(),
        Ok(OcfExit::Success)
    );
    let order = ["n1: ledger", "n1: claim-pgsqld", "promote"];
    bench.journal.assert_order(&order);
    let line = published(&bench).unwrap();
    let wanted = format!("{};sync=any:1:n2,n3;data=131.1764.0;", claim(1, HELD));
    assert!(line.starts_with(&wanted), "{line}");
}

#[test]
fn where_it_cannot_be_written_nobody_is_promoted() {
    for silent in ["set_permanent", "synchronous_standby_names"] {
        let bench = winner();
        bench.journal.fail(silent, 1);
        assert!(bench.promotion(&promoting(), 5_000).run().is_err());
        assert_eq!(bench.journal.times("promote"), 0, "{silent}");
    }
}

#[test]
fn it_is_withdrawn_where_the_order_was_never_given() {
    let bench = winner();
    bench.elected("n2", 1, "2@0/3000000<1@0/3000000");
    bench.voted("n2", 1, HELD);
    bench.voted("n3", 1, HELD);
    bench.journal.fail("reserve_timeline", 1);
    assert!(bench.promotion(&promoting(), 5_000).run().is_err());
    assert_eq!(bench.journal.times("promote"), 0);
    assert_eq!(published(&bench), None);
}

/// pg_ctl may have failed behind the order: PostgreSQL opens a moment later.
#[test]
fn it_stays_where_the_order_may_have_been_given() {
    let bench = winner();
    bench.journal.fail("promote", 1);
    assert!(bench.promotion(&promoting(), 5_000).run().is_err());
    assert!(stands(&bench));
}

#[test]
fn it_stays_where_the_server_has_left_recovery_and_nobody_was_told() {
    let bench = winner();
    bench.journal.trouble("promote", Trouble::AnswerLost, 1);
    assert!(bench.promotion(&promoting(), 5_000).run().is_err());
    assert_eq!(bench.processes(), Processes::Alive(Role::Primary));
    assert!(stands(&bench));
}

#[test]
fn it_stays_where_the_server_says_nothing_more() {
    let bench = winner();
    bench.journal.fail("promote", 1);
    bench.journal.fail_after(1, "role");
    assert!(bench.promotion(&promoting(), 5_000).run().is_err());
    assert!(stands(&bench));
}

/// What the node held when it was elected, and what it holds now.
fn ended(line: &str, held: &str) -> Bench {
    let bench = Bench::stopped(held);
    bench.cluster.with_permanent("n1", "claim-pgsqld", line);
    end_before_start(&bench.server, &bench.cluster, soon());
    bench
}

#[test]
fn one_that_came_true_becomes_the_reign() {
    let now = "2@0/4000000<1@0/3000000";
    let bench = ended(&claim(5, HELD), now);
    let began = reign(5, "2@0/3000000<1@0/3000000");
    assert_eq!(
        bench.cluster.permanent_of("n1", "reign-pgsqld"),
        Some(began)
    );
    assert_eq!(published(&bench), None);
    // Where power goes between the two, both stand: nothing is forgotten.
    bench
        .journal
        .assert_order(&["n1: reign-pgsqld", "n1: no claim-pgsqld"]);
}

#[test]
fn one_that_never_came_true_is_deleted_and_is_no_reign() {
    let bench = ended(&claim(5, HELD), HELD);
    let order = ["n1: ledger", "n1: ended-pgsqld", "n1: no claim-pgsqld"];
    assert_eq!(bench.effects(), order);
}

/// PostgreSQL was killed between two steps of the promotion.
fn half_open(claim: &str, with_history: bool) -> Bench {
    let bench = Bench::stopped(HELD);
    bench.cluster.with_permanent("n1", "claim-pgsqld", claim);
    let next = bench.server.data().make_segment();
    if with_history {
        bench.server.data().make_history(next);
    }
    bench
}

/// Without the history of its timeline nobody ever saw it; WAL of it must not be there when
/// somebody else opens that number.
#[test]
fn one_that_has_made_only_wal_never_came_true_and_leaves_nothing() {
    for opens in ["", ";opens=2"] {
        let bench = half_open(&format!("{}{opens}", claim(5, HELD)), false);
        assert_eq!(bench.bring_up(soon()).without_look(), Ok(OcfExit::Success));
        bench
            .journal
            .assert_order(&["remove WAL of timeline 2", "n1: no claim-pgsqld", "start"]);
        assert_eq!(bench.cluster.permanent_of("n1", "reign-pgsqld"), None);
        assert!(bench.server.data().strays.is_empty());
    }
}

#[test]
fn wal_of_a_timeline_that_it_was_not_to_open_is_kept() {
    let bench = half_open(&format!("{};opens=3", claim(5, HELD)), false);
    end_before_start(&bench.server, &bench.cluster, soon());
    assert_eq!(bench.journal.times("remove WAL"), 0);
}

/// PostgreSQL goes on upon a timeline that has a history, whether it was ever open.
#[test]
fn one_that_has_written_its_history_becomes_the_reign() {
    for opens in ["", ";opens=2"] {
        let bench = half_open(&format!("{}{opens}", claim(5, HELD)), true);
        assert_eq!(bench.bring_up(soon()).without_look(), Ok(OcfExit::Success));
        assert_eq!(
            bench.cluster.permanent_of("n1", "reign-pgsqld"),
            Some(reign(5, "2@0/3000000<1@0/3000000"))
        );
        assert_eq!(published(&bench), None);
        assert_eq!(bench.journal.times("remove WAL"), 0);
    }
}

#[test]
fn it_stays_where_pg_wal_cannot_be_read() {
    let bench = half_open(&claim(5, HELD), false);
    bench.journal.fail_after(0, "wal_files");
    end_before_start(&bench.server, &bench.cluster, soon());
    assert!(published(&bench).is_some());
}

#[test]
fn what_was_opened_is_in_the_ledger_before_any_monitor_and_is_published_at_a_start() {
    let bench = winner();
    let transition = promoting();
    let promoted = bench.promotion(&transition, 5_000).run();
    assert_eq!(promoted, Ok(OcfExit::Success));
    let opened = "sys=7;tl=2;lsn=50331648;hist=1:50331648";
    let is_opened = |text: &str| text.contains(&format!("opened=yes;{opened}"));
    let ledger = bench.cluster.kept().ledgers[&node("n1")].clone();
    assert!(is_opened(&ledger), "{ledger}");
    assert_eq!(bench.cluster.permanent_of("n1", "reign-pgsqld"), None);
    bench.server.instance().crash();
    end_before_start(&bench.server, &bench.cluster, soon());
    assert!(is_opened(
        &bench.cluster.permanent_of("n1", "reign-pgsqld").unwrap()
    ));
    assert_eq!(published(&bench), None);
}

/// It may be of a later version, and what decides.
#[test]
fn one_that_nobody_can_read_is_left_alone() {
    let bench = ended("2;of=another;version", HELD);
    assert!(published(&bench).is_some());
}

#[test]
fn a_node_without_a_claim_writes_nothing() {
    let bench = Bench::stopped(HELD);
    bench
        .cluster
        .with_permanent("n2", "claim-pgsqld", &claim(5, HELD));
    end_before_start(&bench.server, &bench.cluster, soon());
    assert_eq!(bench.effects(), ["n1: ledger"]);
}

#[test]
fn a_cluster_that_is_silent_for_a_moment_is_asked_again() {
    for (method, times) in [("permanent", 2), ("delete_permanent", 1)] {
        let bench = Bench::stopped(HELD);
        bench
            .cluster
            .with_permanent("n1", "claim-pgsqld", &claim(5, HELD));
        bench.journal.fail(method, times);
        end_before_start(&bench.server, &bench.cluster, in_ms(1_200));
        assert_eq!(published(&bench), None, "{method}");
    }
}

#[test]
fn a_cluster_that_stays_silent_does_not_keep_the_server_down() {
    let bench = Bench::stopped(HELD);
    bench
        .cluster
        .with_permanent("n1", "claim-pgsqld", &claim(5, HELD));
    bench.journal.fail_after(0, "permanent");
    assert_eq!(
        bench.bring_up(in_ms(1_500)).without_look(),
        Ok(OcfExit::Success)
    );
    assert!(published(&bench).is_some());
}
