//! What an election leaves to do, and when it is done.

use super::bench::{Bench, nodes, soon, timeline};
use crate::instance::{NoAnswer, Role};
use crate::ocf::notify::Transition;
use crate::pacemaker::Cluster;
use crate::record::ShutdownCheckpoint;
use crate::record::note::AFTERMATH;
use crate::steps::evidence::Known;
use crate::steps::{aftermath, vote};
use crate::system::{Notes, clock};

const HELD: &str = "2@0/3000000<1@0/2000000";
const VOTES: [&str; 2] = ["vote-pgsqld", "lsn_location-pgsqld"];

fn voted() -> Bench {
    let bench = Bench::running(Role::Standby, HELD);
    vote::cast(
        &bench.server,
        &bench.cluster,
        &Transition::default(),
        soon(),
    )
    .unwrap();
    bench
}

fn votes(bench: &Bench) -> usize {
    let values = VOTES.map(|name| bench.cluster.value_of("n1", name));
    values.iter().flatten().count()
}

fn noted_ago(bench: &Bench, seconds: u64) {
    let then = clock::since_epoch().as_secs() - seconds;
    assert!(bench.notes.write(&AFTERMATH, &format!("{then} promoted")));
}

/// The address of the new primary waits for it.
#[test]
fn post_promote_runs_no_program() {
    let bench = voted();
    bench.journal.forget();
    aftermath::put_off(&bench.cluster, &bench.notes, false).unwrap();
    assert_eq!(bench.effects(), Vec::<String>::new());
    aftermath::attend(&bench.cluster, &bench.notes);
    assert_eq!(bench.effects(), Vec::<String>::new(), "the first monitor");
    assert_eq!(votes(&bench), 2);
}

#[test]
fn a_later_monitor_takes_the_vote_back_once() {
    let bench = voted();
    noted_ago(&bench, 9);
    bench.journal.fail("delete_private", 1);
    aftermath::attend(&bench.cluster, &bench.notes);
    assert_eq!(votes(&bench), 2, "the daemon was silent");
    aftermath::attend(&bench.cluster, &bench.notes);
    assert_eq!(votes(&bench), 0);
    bench.journal.forget();
    aftermath::attend(&bench.cluster, &bench.notes);
    assert_eq!(bench.effects(), Vec::<String>::new());
}

/// The next election may begin before a monitor has come.
#[test]
fn another_vote_is_not_taken_back_with_the_one_before() {
    let bench = voted();
    noted_ago(&bench, 9);
    aftermath::forget(&bench.notes);
    aftermath::attend(&bench.cluster, &bench.notes);
    assert_eq!(votes(&bench), 2);
}

#[test]
fn what_cannot_be_noted_is_done_at_once() {
    let bench = voted();
    let nowhere = Notes::of_a_test(std::path::Path::new("/nonexistent"));
    aftermath::put_off(&bench.cluster, &nowhere, true).unwrap();
    assert_eq!(votes(&bench), 0);
}

/// The old primary, which comes up, was stopped in this reign: clients do not wait for it.
#[test]
fn a_demoted_primary_votes_with_its_end_unless_it_was_primary_again_since() {
    let voted = |term: u64| {
        let bench = Bench::running(Role::Standby, HELD);
        let lsn = bench.server.data().end;
        bench.server.data().control.checkpoint = lsn;
        bench.server.data().control.checkpoint_timeline = timeline(2);
        bench.server.instance().is_starting = true;
        bench.server.instance().refuses = Some(NoAnswer::NotYet("starting up".to_owned()));
        bench.elected("n1", 4, HELD);
        let permanent = bench.cluster.permanent().unwrap();
        let mut known = Known::gather(&bench.server, &bench.cluster, &permanent).unwrap();
        let line = format!("1;node=n1;term={term};sys=7;tl=2;lsn={}", lsn.as_u64());
        known
            .all
            .add_checkpoint(ShutdownCheckpoint::decode(&line).unwrap());
        assert!(known.keep(&bench.cluster));
        let transition = Transition {
            demote: nodes("n1"),
            ..Transition::default()
        };
        vote::cast(&bench.server, &bench.cluster, &transition, soon()).is_ok()
    };
    assert!(voted(4));
    assert!(!voted(3), "it holds more than its last end but one");
}

/// Its checkpoint stood on its own node alone, until others vote.
#[test]
fn who_votes_keeps_the_shutdown_checkpoint_of_the_demoted_node() {
    let bench = Bench::running(Role::Standby, HELD);
    let line = "1;node=n2;term=1;sys=7;tl=2;lsn=200";
    bench.cluster.with_private("n2", "shutdown-pgsqld", line);
    let transition = Transition {
        demote: nodes("n2"),
        ..Transition::default()
    };
    vote::cast(&bench.server, &bench.cluster, &transition, soon()).unwrap();
    let ledger = bench.cluster.ledger().unwrap().unwrap();
    assert!(
        ledger.contains("stop n2 1;node=n2;term=1;sys=7;tl=2;lsn=200"),
        "{ledger}"
    );
    let vote = bench.cluster.value_of("n1", "vote-pgsqld").unwrap();
    assert!(vote.contains("stop"), "{vote}");
    // A candidate of the first version reads the copy, and clients do not wait for that.
    let copy = || bench.cluster.value_of("n1", "shutdown-seen-pgsqld");
    assert_eq!(copy(), None);
    let then = clock::since_epoch().as_secs() - 9;
    assert!(bench.notes.write(&AFTERMATH, &format!("{then} voted")));
    aftermath::attend(&bench.cluster, &bench.notes);
    assert_eq!(copy().as_deref(), Some(line));
}
