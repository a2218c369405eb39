//! Data that took the place of others, and when they vouch for commits again.

use super::bench::{Bench, soon};
use crate::instance::Role;
use crate::ocf::notify::Transition;
use crate::pacemaker::Cluster;
use crate::postgres::FakeUpstream;
use crate::steps::evidence::{self, Known};
use crate::steps::{fresh, vote};
use crate::testing::{in_ms, node};
use crate::wal::Lsn;

const HELD: &str = "2@0/3000000<1@0/2000000";
const BRANCH: &str = "2@0/2000000<1@0/2000000";
const HAS: u64 = 0x300_0000;

/// n2 was elected, and this standby has a ledger of the data that it had before.
fn rebuilt() -> Bench {
    let bench = Bench::running(Role::Standby, HELD);
    bench.elected("n2", 3, BRANCH);
    keep(&bench);
    bench.server.instance().data.identity = "131.1999".to_owned();
    bench
}

fn keep(bench: &Bench) {
    let permanent = bench.cluster.permanent().unwrap();
    let known = Known::gather(&bench.server, &bench.cluster, &permanent).unwrap();
    assert!(known.keep(&bench.cluster));
}

fn electing() -> Transition {
    Transition {
        promote: [node("n3")].into(),
        ..Transition::default()
    }
}

/// n2, by its own name, has WAL up to here.
fn with_primary(bench: &Bench, offers: u64) {
    let lsn = Lsn::from(offers);
    bench.server.instance().replay.upstream = Some(FakeUpstream {
        host: "n2",
        is_standby: false,
        offers: lsn,
        sends: lsn,
    });
}

fn monitor(bench: &Bench) {
    fresh::make_up(&bench.server, &bench.cluster, soon());
}

fn ledger(bench: &Bench) -> String {
    let ledger = bench.cluster.ledger().unwrap().unwrap();
    ledger.lines().next().unwrap().to_owned()
}

fn is_fresh(bench: &Bench) -> bool {
    evidence::is_fresh(&bench.cluster, &node("n1"))
}

#[test]
fn data_that_were_there_at_the_first_look_are_not_new() {
    let bench = Bench::running(Role::Standby, HELD);
    bench.elected("n2", 3, BRANCH);
    keep(&bench);
    assert!(!is_fresh(&bench));
    monitor(&bench);
    assert_eq!(bench.effects(), ["n1: ledger"]);
}

#[test]
fn a_vote_says_after_which_election_the_data_came() {
    let bench = rebuilt();
    vote::cast(&bench.server, &bench.cluster, &electing(), soon()).unwrap();
    let vote = bench.cluster.value_of("n1", "vote-pgsqld").unwrap();
    assert!(vote.contains(";data=131.1999.0;fresh=3;"), "{vote}");
    assert!(ledger(&bench).ends_with(";fresh=3"), "{}", ledger(&bench));
}

/// It has confirmed what it can never replay: with its vote the guard must not conclude that no
/// such commit exists.
#[test]
fn damaged_wal_is_vouched_for_no_more_until_it_was_received_anew() {
    let bench = stuck("2@0/3000028<1@0/2000000");
    let owed = format!(";fresh=3:2:{}", HAS + 0x28);
    assert!(voted(&bench).contains(&format!("{owed};")));
    assert!(ledger(&bench).ends_with(&owed), "{}", ledger(&bench));
    bench.server.instance().replay.stuck_at = None;
    monitor(&bench);
    assert!(!is_fresh(&bench));
}

/// A primary that dies has often sent a part of its last record, up to the end of a page.
#[test]
fn part_of_a_record_is_no_damage() {
    let bench = stuck("2@0/3002000<1@0/2000000");
    let vote = voted(&bench);
    assert!(vote.contains(";lsn=49283072;"), "{vote}");
    assert!(!vote.contains("fresh"), "{vote}");
}

/// It cannot replay what is at 0/2F00000.
fn stuck(received: &str) -> Bench {
    let bench = Bench::running(Role::Standby, received);
    bench.elected("n2", 3, BRANCH);
    bench.server.instance().replay.stuck_at = Some(Lsn::from(0x2F0_0000));
    bench
}

fn voted(bench: &Bench) -> String {
    vote::cast(&bench.server, &bench.cluster, &electing(), in_ms(2_000)).unwrap();
    bench.cluster.value_of("n1", "vote-pgsqld").unwrap()
}

#[test]
fn they_are_as_good_as_any_once_they_hold_what_the_primary_had() {
    let bench = rebuilt();
    keep(&bench);
    with_primary(&bench, HAS + 0x40);
    monitor(&bench);
    let owed = format!(";fresh=3:2:{}", HAS + 0x40);
    assert!(ledger(&bench).ends_with(&owed), "{}", ledger(&bench));
    // What is written afterwards is not owed.
    with_primary(&bench, HAS + 0x1000);
    bench.server.instance().data.end = Lsn::from(HAS + 0x40);
    monitor(&bench);
    assert!(!is_fresh(&bench), "{}", ledger(&bench));
}

#[test]
fn a_copy_of_the_primary_is_so_with_one_monitor() {
    let bench = rebuilt();
    keep(&bench);
    with_primary(&bench, HAS);
    monitor(&bench);
    assert!(!is_fresh(&bench), "{}", ledger(&bench));
}

#[test]
fn nobody_else_than_the_elected_primary_is_believed() {
    let bench = rebuilt();
    keep(&bench);
    monitor(&bench);
    bench.elected("n2", 4, "3@0/2800000<2@0/2800000<1@0/2000000");
    with_primary(&bench, HAS);
    monitor(&bench);
    assert!(ledger(&bench).ends_with(";fresh=3"), "{}", ledger(&bench));
}

#[test]
fn the_data_of_a_cloned_machine_are_new() {
    let bench = rebuilt();
    bench.server.instance().data.identity = "131.1764".to_owned();
    let foreign = bench.cluster.ledger().unwrap().unwrap();
    let foreign = foreign.replace("node=n1", "node=n9");
    bench.cluster.kept().ledgers.insert(node("n1"), foreign);
    keep(&bench);
    assert!(ledger(&bench).ends_with(";fresh=3"), "{}", ledger(&bench));
}
