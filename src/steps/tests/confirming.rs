//! Where any standby may confirm, one that is started counts before it can.

use super::bench::{Bench, soon};
use crate::instance::Role;
use crate::instance::replication::{Details, Sender, SenderState};
use crate::ocf::notify::Nodes;
use crate::pacemaker::Cluster;
use crate::postgres::{Address, Server};
use crate::steps::reign;
use crate::testing::node;

const BRANCH: &str = "2@0/4000000<1@0/3000000";

/// The primary `n1`, which `n2` follows, after a monitor.
fn primary(rule: &str) -> Bench {
    let bench = Bench::running(Role::Primary, BRANCH);
    {
        let mut instance = bench.server.instance();
        instance.synchronous_standby_names = rule.to_owned();
        instance.senders = vec![Sender {
            name: "n2".to_owned(),
            state: SenderState::Following,
            lag: Some(0),
            confirms: true,
        }];
    }
    let parameters = &bench.server.parameters;
    let at = Address {
        host: parameters.pghost.clone(),
        port: parameters.pgport,
    };
    let Ok(Details::Primary(seen)) = bench.server.details(&at, soon()) else {
        panic!("it is no primary");
    };
    let stored = bench.cluster.permanent().unwrap();
    let noted = (&node("n1"), &seen, &stored);
    reign::refresh(&bench.server, &bench.cluster, noted, soon()).unwrap();
    bench.journal.forget();
    bench
}

fn expect(bench: &Bench, name: &str) {
    let starting: Nodes = [node(name)].into();
    reign::expect(&bench.server, &bench.cluster, &starting).unwrap();
}

fn confirmers(bench: &Bench) -> Option<String> {
    let line = bench.cluster.permanent_of("n1", "reign-pgsqld").unwrap();
    let mut fields = line.split(';');
    let names = fields.find_map(|field| field.strip_prefix("confirm="));
    names.map(str::to_owned)
}

#[test]
fn a_node_that_is_started_may_confirm() {
    let bench = primary("*");
    assert_eq!(confirmers(&bench).as_deref(), Some("n2"));
    expect(&bench, "n3");
    assert_eq!(confirmers(&bench).as_deref(), Some("n2,n3"));
    let ledger = bench.cluster.ledger().unwrap().unwrap();
    assert!(ledger.contains("confirm=n2,n3"), "{ledger}");
}

/// Most starts change nothing, and cost no process then.
#[test]
fn what_is_on_record_is_not_asked_for() {
    for (rule, name) in [("*", "n2"), ("n2", "n3"), ("", "n3")] {
        let bench = primary(rule);
        expect(&bench, name);
        assert_eq!(bench.journal.count("permanent"), 0, "{rule:?}");
        assert_eq!(bench.effects(), Vec::<String>::new(), "{rule:?}");
    }
}
