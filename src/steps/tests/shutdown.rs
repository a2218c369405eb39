//! Where a primary was stopped: told after the stop, and remembered by the others.

use super::bench::{Bench, claim, nodes, soon};
use crate::instance::{ClusterState, Role};
use crate::ocf::OcfExit;
use crate::ocf::notify::Transition;
use crate::steps::bring_down::{self, Receivers};
use crate::steps::shutdown::{publish_after_stop, publish_if_possible, remember};
use crate::testing::in_ms;

const NAME: &str = "shutdown-pgsqld";
const COPY: &str = "shutdown-seen-pgsqld";
const BRANCH: &str = "2@0/4000000<1@0/3000000";

fn primary() -> Bench {
    let bench = Bench::running(Role::Primary, BRANCH);
    bench.elected("n1", 4, "2@0/3000000<1@0/3000000");
    bench
}

fn stopped_primary() -> Bench {
    let bench = primary();
    assert_eq!(
        bring_down::cleanly(&bench.server, &Receivers::default(), soon()),
        Ok(OcfExit::Success)
    );
    bench
}

fn published(bench: &Bench) -> Option<String> {
    bench.cluster.value_of("n1", NAME)
}

#[test]
fn it_is_published_once_the_primary_is_stopped() {
    let bench = stopped_primary();
    assert_eq!(
        publish_after_stop(&bench.server, &bench.cluster, soon()),
        Ok(())
    );
    bench
        .journal
        .assert_order(&["stop fast", "n1: shutdown-pgsqld"]);
    let line = "1;node=n1;term=4;sys=7;tl=2;lsn=67108864";
    assert_eq!(published(&bench).as_deref(), Some(line));
}

#[test]
fn a_stop_without_one_is_a_failure() {
    let bench = primary();
    bench.server.instance().crash();
    let failure = publish_after_stop(&bench.server, &bench.cluster, soon()).unwrap_err();
    assert!(
        failure.reason.contains("without a shutdown checkpoint"),
        "{failure}"
    );
    assert_eq!(published(&bench), None);
}

#[test]
fn what_was_no_primary_or_crashed_publishes_nothing() {
    let states = [
        ClusterState::InProduction,
        ClusterState::InArchiveRecovery,
        ClusterState::ShutDownInRecovery,
        ClusterState::ShuttingDown,
    ];
    for state in states {
        let bench = stopped_primary();
        bench.server.data().control.state = state;
        publish_if_possible(&bench.server, &bench.cluster, soon());
        assert_eq!(published(&bench), None, "{state:?}");
    }
    let bench = stopped_primary();
    publish_if_possible(&bench.server, &bench.cluster, soon());
    assert!(published(&bench).is_some());
}

#[test]
fn a_daemon_that_is_silent_for_a_moment_is_asked_again() {
    let bench = stopped_primary();
    bench.journal.fail("set_private", 1);
    assert_eq!(
        publish_after_stop(&bench.server, &bench.cluster, in_ms(900)),
        Ok(())
    );
    assert!(published(&bench).is_some());
}

/// The server is stopped and stays so: to fail would fence its node.
#[test]
fn that_it_cannot_be_published_fails_nothing() {
    let bench = stopped_primary();
    bench.journal.fail_after(0, "set_private");
    assert_eq!(
        publish_after_stop(&bench.server, &bench.cluster, soon()),
        Ok(())
    );
    assert_eq!(published(&bench), None);
}

/// 0 would say that this node never was primary, and bind nobody.
#[test]
fn a_term_that_cannot_be_read_is_left_out() {
    let bench = stopped_primary();
    bench.journal.fail_after(0, "permanent");
    assert_eq!(
        publish_after_stop(&bench.server, &bench.cluster, soon()),
        Ok(())
    );
    let line = "1;node=n1;sys=7;tl=2;lsn=67108864";
    assert_eq!(published(&bench).as_deref(), Some(line));
}

#[test]
fn the_term_is_the_nodes_own_newest_and_0_without_one() {
    let bench = stopped_primary();
    bench
        .cluster
        .with_permanent("n1", "claim-pgsqld", &claim(6, BRANCH));
    bench.elected("n2", 9, "2@0/3000000<1@0/3000000");
    publish_if_possible(&bench.server, &bench.cluster, soon());
    assert!(published(&bench).unwrap().contains(";term=6;"));

    let never = Bench::running(Role::Primary, BRANCH);
    assert!(bring_down::cleanly(&never.server, &Receivers::default(), soon()).is_ok());
    publish_if_possible(&never.server, &never.cluster, soon());
    assert!(published(&never).unwrap().contains(";term=0;"));
}

fn line(of: &str, lsn: u64) -> String {
    format!("1;node={of};term=1;sys=7;tl=2;lsn={lsn}")
}

fn demoting(names: &str) -> Transition {
    Transition {
        demote: nodes(names),
        ..Transition::default()
    }
}

#[test]
fn the_newest_of_the_demoted_nodes_is_copied_and_no_other() {
    let bench = Bench::running(Role::Standby, BRANCH);
    bench.cluster.with_private("n1", NAME, &line("n1", 900));
    bench.cluster.with_private("n2", NAME, &line("n2", 200));
    bench.cluster.with_private("n3", NAME, &line("n3", 100));
    remember(&bench.server, &bench.cluster, &demoting("n2 n3"), soon()).unwrap();
    assert_eq!(bench.cluster.value_of("n1", COPY), Some(line("n2", 200)));
}

#[test]
fn what_nobody_demoted_or_nobody_can_read_is_not_copied() {
    let bench = Bench::running(Role::Standby, BRANCH);
    bench.cluster.with_private("n2", NAME, &line("n2", 200));
    bench.cluster.with_private("n3", NAME, "1;node=n3;lsn=much");
    remember(&bench.server, &bench.cluster, &demoting("n3"), soon()).unwrap();
    remember(&bench.server, &bench.cluster, &demoting(""), soon()).unwrap();
    assert!(bench.effects().is_empty());
}

#[test]
fn a_copy_that_could_not_be_made_is_told() {
    let bench = Bench::running(Role::Standby, BRANCH);
    bench.journal.fail_after(0, "of_members");
    assert!(remember(&bench.server, &bench.cluster, &demoting("n2"), soon()).is_err());
}
