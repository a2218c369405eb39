//! The primary's monitor: what it writes, and that it costs nothing while nothing changes.

use super::bench::{Arrange, Bench, claim, reign, soon};
use crate::instance::Role;
use crate::instance::replication::{Details, Primary, Sender, SenderState};
use crate::postgres::{Address, Server};
use crate::record::Divergence;
use crate::record::note;
use crate::steps::scores::{Care, look_again};
use crate::testing::in_ms;

const BRANCH: &str = "2@0/4000000<1@0/3000000";
const BEGAN: &str = "2@0/3000000<1@0/3000000";
/// The identity of the fake data.
const DATA: &str = ";data=131.1764.0";

fn follows(name: &str) -> Sender {
    Sender {
        name: name.to_owned(),
        state: SenderState::Following,
        lag: Some(0),
        confirms: true,
    }
}

/// The primary `n1`, which `n2` and `n3` follow.
pub fn primary() -> Bench {
    let bench = Bench::running(Role::Primary, BRANCH);
    bench.server.instance().senders = ["n2", "n3"].map(follows).into();
    bench
}

/// Its monitor looks after the scores.
pub fn care(bench: &Bench) {
    let primary = said(bench);
    let care = Care {
        server: &bench.server,
        cluster: &bench.cluster,
        notes: &bench.notes,
        deadline: soon(),
    };
    care.take(&primary);
}

fn said(bench: &Bench) -> Primary {
    let parameters = &bench.server.parameters;
    let at = Address {
        host: parameters.pghost.clone(),
        port: parameters.pgport,
    };
    match bench.server.details(&at, in_ms(100)) {
        Ok(Details::Primary(primary)) => primary,
        other => panic!("{other:?}"),
    }
}

/// A primary whose monitor has seen to everything.
fn settled() -> Bench {
    let bench = primary();
    for _ in 0..2 {
        care(&bench);
    }
    bench.journal.forget();
    bench
}

/// Calls of the cluster that are a process each.
fn calls(bench: &Bench) -> usize {
    let all = [
        "permanent",
        "members",
        "of_members",
        "set_permanent",
        "set_private",
    ];
    all.map(|method| bench.journal.count(method)).iter().sum()
}

#[test]
fn the_first_monitor_writes_scores_and_the_reign() {
    let bench = primary();
    care(&bench);
    let scores = ["n1", "n2", "n3"].map(|name| bench.score(name).unwrap());
    assert_eq!(scores, ["1001", "1000", "990"]);
    let written = bench.cluster.permanent_of("n1", "reign-pgsqld");
    assert_eq!(written, Some(format!("{}{DATA}", reign(1, BEGAN))));
}

#[test]
fn a_quiet_monitor_asks_the_cluster_nothing() {
    let bench = settled();
    let writes = bench.cluster.kept().cib_writes;
    care(&bench);
    assert_eq!(calls(&bench), 0);
    assert_eq!(bench.cluster.kept().cib_writes, writes);
}

#[test]
fn whatever_changes_is_looked_at() {
    let changes: [(&str, Arrange); 6] = [
        ("a standby", |bench| {
            drop(bench.server.instance().senders.pop())
        }),
        ("its lag", |bench| {
            bench.server.instance().senders[0].lag = Some(1 << 30)
        }),
        ("the rule", |bench| {
            bench.server.instance().synchronous_standby_names = "n2".to_owned();
        }),
        ("the timeline", |bench| bench.server.data().open_timeline()),
        ("the configuration", |bench| {
            bench.cluster.kept().versions += 1
        }),
        ("a node", |bench| look_again(&bench.notes)),
    ];
    for (what, change) in changes {
        let bench = settled();
        change(&bench);
        care(&bench);
        assert!(calls(&bench) > 0, "{what}");
    }
}

/// Else it would have no grace when it goes again, and the cluster perhaps no candidate.
#[test]
fn a_standby_that_went_is_remembered_and_forgotten_once_it_is_back() {
    let bench = settled();
    bench.server.instance().senders.pop();
    care(&bench);
    let missing = bench.cluster.value_of("n1", "missing-pgsqld").unwrap();
    assert!(missing.starts_with("n3@"), "{missing}");
    // Until its grace is over it stays a candidate, and is looked at each time.
    assert_eq!(bench.score("n3").as_deref(), Some("990"));
    bench.journal.forget();
    care(&bench);
    assert!(calls(&bench) > 0);
    bench.server.instance().senders.push(follows("n3"));
    care(&bench);
    assert_eq!(bench.cluster.value_of("n1", "missing-pgsqld"), None);
}

#[test]
fn a_standby_that_is_away_for_long_is_no_candidate() {
    let bench = settled();
    bench.server.instance().senders.pop();
    bench
        .cluster
        .with_private("n1", "missing-pgsqld", "n3@1000");
    care(&bench);
    assert_eq!(bench.score("n3").as_deref(), Some("-INFINITY"));
}

#[test]
fn a_claim_that_came_true_is_a_reign_and_forces_are_spent() {
    let bench = primary();
    bench
        .cluster
        .with_permanent("n1", "claim-pgsqld", &claim(7, "1@0/3000000"));
    for node in ["n2", "n3"] {
        bench
            .cluster
            .with_permanent(node, "force-promotion-pgsqld", "1");
    }
    care(&bench);
    let written = bench.cluster.permanent_of("n1", "reign-pgsqld");
    assert_eq!(written, Some(format!("{}{DATA}", reign(7, BEGAN))));
    bench
        .journal
        .assert_order(&["n1: reign-pgsqld", "n1: no claim-pgsqld"]);
    for node in ["n2", "n3"] {
        let force = bench.cluster.permanent_of(node, "force-promotion-pgsqld");
        assert_eq!(force, None);
    }
}

#[test]
fn a_force_stays_where_nobody_was_promoted_since() {
    let bench = settled();
    bench
        .cluster
        .with_permanent("n2", "force-promotion-pgsqld", "2");
    look_again(&bench.notes);
    care(&bench);
    assert!(
        bench
            .cluster
            .permanent_of("n2", "force-promotion-pgsqld")
            .is_some()
    );
}

#[test]
fn a_changed_rule_is_part_of_the_reign_at_once() {
    let bench = settled();
    bench.server.instance().synchronous_standby_names = "ANY 1 (n2, n3)".to_owned();
    care(&bench);
    let written = bench.cluster.permanent_of("n1", "reign-pgsqld");
    let wanted = format!("{};sync=any:1:n2,n3{DATA};rev=1", reign(1, BEGAN));
    assert_eq!(written, Some(wanted));
}

#[test]
fn what_a_silent_cluster_kept_from_being_written_is_written_later() {
    for method in ["permanent", "members", "of_members", "set_permanent"] {
        let bench = primary();
        bench.journal.fail(method, 1);
        for _ in 0..3 {
            care(&bench);
        }
        assert_eq!(bench.score("n3").as_deref(), Some("990"), "{method}");
        assert!(
            bench.cluster.permanent_of("n1", "reign-pgsqld").is_some(),
            "{method}"
        );
    }
}

#[test]
fn a_missing_node_that_has_diverged_is_said_once() {
    let bench = settled();
    bench.server.instance().senders.pop();
    let how = Divergence::OtherSystem.encode();
    bench.cluster.with_private("n3", "diverged-pgsqld", &how);
    care(&bench);
    let said = bench.notes.read(&note::DIVERGED_OTHERS);
    assert_eq!(said.as_deref(), Some("n3 other-system\n"));
}

#[test]
fn a_score_by_hand_is_named_and_left() {
    let bench = primary();
    bench.cluster.with_private("n3", "master-pgsqld", "2000");
    care(&bench);
    let named = "n3 has a promotion score of 2000 with the lifetime reboot, which counts in the \
        place of the agent's own. Remove it: crm_attribute --lifetime reboot --node n3 --name \
        master-pgsqld --delete\n";
    assert!(bench.notes.is(&note::FOREIGN_SCORES, named));
    let kept = bench.cluster.value_of("n3", "master-pgsqld");
    assert_eq!(kept.as_deref(), Some("2000"));
}
