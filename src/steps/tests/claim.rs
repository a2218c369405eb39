//! The claim: there before a promotion, gone only when it is certain what became of it.

use super::bench::{Bench, claim, promoting, reign, soon};
use crate::instance::Role;
use crate::ocf::OcfExit;
use crate::postgres::fake_instance::Processes;
use crate::steps::claim::end_before_start;
use crate::testing::in_ms;
use crate::testing::journal::Trouble;

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
fn it_is_withdrawn_where_the_server_is_still_a_standby() {
    let bench = winner();
    bench.journal.fail("promote", 1);
    assert!(bench.promotion(&promoting(), 5_000).run().is_err());
    assert_eq!(published(&bench), None);
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
