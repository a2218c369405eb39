//! The slots of a server in memory: made, moved, dropped, and said.

use super::bench::{Bench, lsn, soon};
use crate::instance::Role;
use crate::instance::replication::Details;
use crate::ocf::{OcfExit, Slots};
use crate::postgres::{Address, Server};
use crate::steps::slots::{SlotCare, settings};
use crate::testing::journal::{Trouble, unless_killed};
use crate::testing::node;
use crate::wal::Lsn;

const HELD: &str = "2@0/9000000<1@0/2000000";
const BRANCH: &str = "2@0/2000000<1@0/2000000";
const ATTRIBUTE: &str = "slots-pgsqld";

fn running(role: Role) -> Bench {
    let mut bench = Bench::running(role, HELD);
    bench.server.parameters.slots = Slots::Nodes;
    bench.server.instance().receives = true;
    bench.server.instance().slots.redo = lsn("0/5000000");
    bench
}

/// A standby of n2, whose slots for both others keep WAL from there on.
fn standby(at: &str) -> Bench {
    let bench = running(Role::Standby);
    bench.elected("n2", 3, BRANCH);
    for name in ["pgsqlms_n2", "pgsqlms_n3"] {
        bench.server.instance().slots.with(name, lsn(at));
    }
    bench
}

fn look(bench: &Bench) -> Details {
    let parameters = &bench.server.parameters;
    let at = Address {
        host: parameters.pghost.clone(),
        port: parameters.pgport,
    };
    bench.server.details(&at, soon()).unwrap()
}

fn monitor(bench: &Bench) {
    let care = SlotCare {
        server: &bench.server,
        cluster: &bench.cluster,
        notes: &bench.notes,
        deadline: soon(),
    };
    care.take(&look(bench));
}

fn at(bench: &Bench, name: &str) -> Option<Lsn> {
    bench.server.instance().slots.all.get(name)?.restart
}

#[test]
fn without_the_parameter_nothing_is_asked() {
    let mut bench = running(Role::Primary);
    bench.server.parameters.slots = Slots::None;
    monitor(&bench);
    assert_eq!(bench.effects(), [""; 0]);
    let asked = ["permanent", "hosts", "of_members", "configuration_version"];
    assert!(asked.iter().all(|method| bench.journal.count(method) == 0));
}

#[test]
fn each_server_has_the_slots_of_all_others() {
    for role in [Role::Primary, Role::Standby] {
        let bench = running(role);
        bench.cluster.kept().leave("n3");
        monitor(&bench);
        assert_eq!(bench.effects(), ["make pgsqlms_n2", "make pgsqlms_n3"]);
        bench.journal.forget();
        monitor(&bench);
        assert_eq!(bench.effects(), [""; 0]);
        assert_eq!(bench.journal.count("permanent"), 0, "nothing has changed");
    }
}

/// At every effect, and each time the next monitor finishes.
#[test]
fn killed_anywhere_it_goes_on_with_the_next_monitor() {
    for index in 0..4 {
        for trouble in [
            Trouble::KilledBefore,
            Trouble::KilledAfter,
            Trouble::AnswerLost,
        ] {
            let bench = running(Role::Primary);
            let slots = |bench: &Bench| bench.server.instance().slots.all.len();
            bench
                .server
                .instance()
                .slots
                .with("pgsqlms_n2", Lsn::ZERO)
                .is_lost = true;
            bench.server.instance().slots.with("pgsqlms_n9", Lsn::ZERO);
            bench.server.instance().slots.with("barman", Lsn::ZERO);
            bench.journal.trouble_at(index, trouble);
            let _ = unless_killed(|| monitor(&bench));
            monitor(&bench);
            monitor(&bench);
            let kept: Vec<_> = bench.server.instance().slots.all.keys().cloned().collect();
            assert_eq!(
                kept,
                ["barman", "pgsqlms_n2", "pgsqlms_n3"],
                "{index} {trouble:?}"
            );
            assert_eq!(at(&bench, "pgsqlms_n2"), Some(lsn("0/5000000")));
            assert_eq!(slots(&bench), 3);
        }
    }
}

#[test]
fn a_node_that_is_removed_loses_its_slot_and_one_that_is_away_does_not() {
    let bench = running(Role::Primary);
    monitor(&bench);
    bench.cluster.kept().leave("n3");
    monitor(&bench);
    assert!(at(&bench, "pgsqlms_n3").is_some());
    bench.cluster.kept().permanent.remove(&node("n3"));
    bench.cluster.kept().versions += 1;
    monitor(&bench);
    assert_eq!(at(&bench, "pgsqlms_n3"), None);
}

/// An erased configuration says nothing of nodes.
#[test]
fn a_configuration_without_this_node_is_not_believed() {
    let bench = standby("0/1000000");
    bench.cluster.kept().permanent.clear();
    monitor(&bench);
    assert_eq!(bench.effects(), [""; 0]);
}

#[test]
fn a_primary_says_how_far_its_standbys_are_once_they_have_moved() {
    let bench = running(Role::Primary);
    monitor(&bench);
    let confirm = |at: &str| {
        let instance = &mut *bench.server.instance();
        let slot = instance.slots.with("pgsqlms_n2", Lsn::ZERO);
        slot.is_active = true;
        (slot.restart, slot.flushed) = (Some(lsn(at)), Some(lsn(at)));
    };
    let said = || bench.cluster.value_of("n1", ATTRIBUTE);
    assert_eq!(said(), None);
    confirm("0/6000000");
    monitor(&bench);
    assert_eq!(said().as_deref(), Some("2 n2@100663296"));
    bench.journal.forget();
    confirm("0/6FFFFFF");
    monitor(&bench);
    assert_eq!(bench.effects(), [""; 0]);
    confirm("0/7000000");
    monitor(&bench);
    assert_eq!(said().as_deref(), Some("2 n2@117440512"));
}

#[test]
fn a_standby_lets_go_of_what_the_others_have() {
    let bench = standby("0/1000000");
    monitor(&bench);
    // n2 was elected; of n3 nobody has said anything.
    assert_eq!(bench.effects(), ["advance pgsqlms_n2 to 0/5000000"]);
    bench.cluster.with_private("n2", ATTRIBUTE, "2 n3@50331648");
    monitor(&bench);
    assert_eq!(at(&bench, "pgsqlms_n3"), Some(lsn("0/3000000")));
    bench
        .cluster
        .with_private("n2", ATTRIBUTE, "2 n3@150994944");
    monitor(&bench);
    assert_eq!(
        at(&bench, "pgsqlms_n3"),
        Some(lsn("0/5000000")),
        "its own redo"
    );
    bench.journal.forget();
    monitor(&bench);
    assert_eq!(
        bench.journal.count("of_members"),
        0,
        "there is nothing to ask"
    );
}

/// Of an earlier reign of the same node, or of a node that is no primary any more.
#[test]
fn an_old_word_moves_no_slot() {
    let bench = standby("0/1000000");
    bench.cluster.with_private("n2", ATTRIBUTE, "1 n3@50331648");
    bench.cluster.with_private("n3", ATTRIBUTE, "2 n3@50331648");
    monitor(&bench);
    assert_eq!(at(&bench, "pgsqlms_n3"), Some(lsn("0/1000000")));
}

/// An old configuration was put back: it names a primary that may lack what is streamed now.
#[test]
fn an_old_record_moves_no_slot() {
    let bench = standby("0/1000000");
    bench.elected("n2", 3, "1@0/1000000");
    bench.cluster.with_private("n2", ATTRIBUTE, "1 n3@50331648");
    monitor(&bench);
    assert_eq!(bench.effects(), [""; 0]);
}

#[test]
fn a_standby_that_does_not_stream_lets_go_of_nothing() {
    let bench = standby("0/1000000");
    bench.server.instance().receives = false;
    monitor(&bench);
    assert_eq!(bench.effects(), [""; 0]);
}

/// Whatever fails, the next monitor tries it again, and says it once.
#[test]
fn a_failure_fails_nothing_else() {
    for method in ["permanent", "hosts", "make_slot", "configuration_version"] {
        let bench = running(Role::Primary);
        bench.journal.fail(method, 1);
        monitor(&bench);
        monitor(&bench);
        assert!(at(&bench, "pgsqlms_n2").is_some(), "{method}");
        assert!(at(&bench, "pgsqlms_n3").is_some(), "{method}");
        assert_eq!(bench.notes.read(&crate::record::note::SLOTS), None);
    }
}

#[test]
fn validate_all_demands_what_a_start_only_says() {
    let mut bench = running(Role::Standby);
    let (name, own) = ("primary_slot_name", "pgsqlms_n1".to_owned());
    let demand = |bench: &Bench| {
        let node = node("n1");
        settings::warn(&bench.server, &bench.cluster, Some(&node), soon());
        settings::demand(&bench.server, &bench.cluster, Some(&node), soon())
    };
    for (name, value) in [
        ("max_slot_wal_keep_size", "1024"),
        ("max_replication_slots", "3"),
        (name, ""),
    ] {
        bench.server.data().settings.insert(name, value.to_owned());
    }
    let failure = demand(&bench).unwrap_err();
    assert_eq!(failure.exit, OcfExit::Arguments);
    assert!(
        failure
            .reason
            .contains("primary_slot_name = 'pgsqlms_n1' on"),
        "{failure}"
    );
    bench.server.data().settings.insert(name, own);
    assert_eq!(demand(&bench), Ok(()));
    // Two of somebody else's.
    for foreign in ["barman", "debezium"] {
        bench.server.instance().slots.with(foreign, Lsn::ZERO);
    }
    let failure = demand(&bench).unwrap_err();
    assert!(failure.reason.ends_with("needs 4"), "{failure}");
    bench.server.parameters.slots = Slots::None;
    assert_eq!(demand(&bench), Ok(()));
}
