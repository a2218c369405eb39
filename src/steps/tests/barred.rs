//! A promotion where another node holds more, and Pacemaker may not promote that one.

use super::bench::{Arrange, Bench, promoting, reign};
use crate::instance::Role;
use crate::ocf::{NodeName, OcfExit};
use crate::postgres::FakeUpstream;
use crate::record::Constraint;
use crate::wal::Lsn;

const HELD: &str = "1@0/3000000";
/// 64 bytes more.
const MORE: &str = "1@0/3000040";
/// 32 MB more.
const MUCH_MORE: &str = "1@0/5000000";

fn ban(of: &str) -> Constraint {
    Constraint {
        id: format!("cli-ban-pgsqld-clone-on-{of}"),
        resource: "pgsqld-clone".to_owned(),
        node: NodeName::new(of),
    }
}

/// n3 holds so much, and may not be promoted.
fn barred(held: &str) -> Bench {
    let bench = Bench::running(Role::Standby, HELD);
    bench.voted("n2", 0, HELD);
    bench.voted("n3", 0, held);
    bench.with_score("n3", 1000);
    bench.cluster.kept().constraints.push(ban("n3"));
    bench
}

fn reason(bench: &Bench) -> String {
    reason_within(bench, 5_000)
}

fn reason_within(bench: &Bench, milliseconds: u64) -> String {
    let done = bench.promotion(&promoting(), milliseconds).run();
    done.unwrap_err().reason
}

#[test]
fn it_is_passed_over_if_it_holds_little_more() {
    let bench = barred(MORE);
    let done = bench.promotion(&promoting(), 5_000).run();
    assert_eq!(done, Ok(OcfExit::Success));
}

#[test]
fn a_refusal_names_the_constraint_and_the_command() {
    let bench = barred(MUCH_MORE);
    assert_eq!(
        reason(&bench),
        "Promotion refused: n3 holds 33554432 bytes more, barred by cli-ban-pgsqld-clone-on-n3: \
         pcs resource clear pgsqld-clone n3"
    );
    assert_eq!(bench.score("n3").as_deref(), Some("1000"));
}

#[test]
fn pacemaker_is_not_asked_where_nobody_holds_more() {
    let bench = barred(HELD);
    bench.journal.fail_after(0, "promotion_scores");
    bench.journal.fail_after(0, "constraints");
    let done = bench.promotion(&promoting(), 5_000).run();
    assert_eq!(done, Ok(OcfExit::Success));
}

#[test]
fn where_pacemaker_cannot_be_asked_the_node_gives_way() {
    for method in ["promotion_scores", "constraints"] {
        let bench = barred(MORE);
        bench.journal.fail_after(0, method);
        assert!(reason(&bench).starts_with("Promotion aborted: n3 holds more"));
    }
}

/// n3 is given way to once. If Pacemaker then still does not choose it, whatever for,
/// healthy standbys are not restarted again and again.
#[test]
fn a_node_that_is_not_chosen_is_given_way_to_once_in_a_term() {
    let bench = barred(MUCH_MORE);
    // Nothing is known that names n3.
    bench.cluster.kept().unnamed = true;
    assert!(reason(&bench).starts_with("Promotion aborted: n3 holds more"));
    assert_eq!(
        reason(&bench),
        "Promotion refused: n3 holds 33554432 bytes more, barred by its last try: crm_resource \
         --cleanup --resource pgsqld --node n3"
    );
    // Another election, another try.
    bench
        .cluster
        .with_permanent("n2", "reign-pgsqld", &reign(7, "1@0/0"));
    bench.voted("n2", 7, HELD);
    bench.voted("n3", 7, MUCH_MORE);
    assert!(reason(&bench).starts_with("Promotion aborted: n3 holds more"));
}

/// `n3` lets this node in as a standby, says that it has WAL up to `offers`, and sends it up
/// to `sends`.
fn with_upstream(bench: &Bench, offers: u64, sends: u64) {
    bench.server.instance().replay.upstream = Some(FakeUpstream {
        host: "n3",
        is_standby: true,
        offers: Lsn::from(offers),
        sends: Lsn::from(sends),
    });
}

#[test]
fn what_only_it_holds_is_fetched_before_the_promotion() {
    let bench = barred(MUCH_MORE);
    with_upstream(&bench, 0x500_0000, 0x500_0000);
    let done = bench.promotion(&promoting(), 30_000).run();
    assert_eq!(done, Ok(OcfExit::Success));
    assert_eq!(bench.server.data().end, Lsn::from(0x500_0000));
    bench
        .journal
        .assert_order(&["start -c 'primary_conninfo=", "promote"]);
}

/// A list of hosts leads to the primary, which is gone: here one standby is meant.
#[test]
fn it_is_fetched_from_that_node_where_several_hosts_are_named() {
    let bench = barred(MUCH_MORE);
    with_upstream(&bench, 0x500_0000, 0x500_0000);
    let several = "host=n2,n3 port=5432,5433 target_session_attrs=read-write";
    let mut data = bench.server.data();
    data.settings.insert("primary_conninfo", several.to_owned());
    drop(data);
    let done = bench.promotion(&promoting(), 30_000).run();
    assert_eq!(done, Ok(OcfExit::Success));
    assert_eq!(bench.server.data().end, Lsn::from(0x500_0000));
    let asked = r"start -c 'primary_conninfo=host='\''n3'\'' port='\''5433'\'''";
    bench.journal.assert_order(&[asked, "promote"]);
}

#[test]
fn what_does_not_come_is_decided_about_as_before() {
    let bench = barred(MUCH_MORE);
    with_upstream(&bench, 0x500_0000, 0x3FF_0000);
    assert_eq!(
        reason_within(&bench, 30_000),
        "Promotion refused: n3 holds 16842752 bytes more, barred by cli-ban-pgsqld-clone-on-n3: \
         pcs resource clear pgsqld-clone n3"
    );
    // A try costs a restart: no other one in this term.
    bench.journal.forget();
    assert!(reason_within(&bench, 30_000).starts_with("Promotion refused"));
    assert_eq!(bench.effects(), Vec::<String>::new());
}

#[test]
fn nothing_is_restarted_for_what_cannot_be_fetched() {
    let arranges: [(&str, Arrange); 4] = [
        ("it lets nobody in", |_| {}),
        ("it has removed it", |bench| {
            with_upstream(bench, 0x300_0000, 0x500_0000)
        }),
        ("a password would be seen", |bench| {
            with_upstream(bench, 0x500_0000, 0x500_0000);
            let conninfo = "host=10.0.0.9 password=secret".to_owned();
            let mut data = bench.server.data();
            data.settings.insert("primary_conninfo", conninfo);
        }),
        ("its answer is lost", |bench| {
            with_upstream(bench, 0x500_0000, 0x500_0000);
            bench.journal.fail_after(0, "offered_by");
        }),
    ];
    for (why, arrange) in arranges {
        let bench = barred(MUCH_MORE);
        arrange(&bench);
        assert!(
            reason_within(&bench, 30_000).starts_with("Promotion refused"),
            "{why}"
        );
        assert_eq!(bench.effects(), Vec::<String>::new(), "{why}");
    }
}
