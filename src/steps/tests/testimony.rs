//! A node that cannot vote tells what it has seen of elections.

use super::bench::{Bench, nodes, soon};
use crate::instance::{NoAnswer, Role};
use crate::ocf::OcfExit;
use crate::ocf::notify::Transition;
use crate::pacemaker::Cluster;
use crate::record::note::AFTERMATH;
use crate::steps::{aftermath, vote};
use crate::system::clock;

const HELD: &str = "2@0/3000000<1@0/2000000";
const LEDGER: &str = "1;node=n1;boot=before\npromise n2 4\n";

fn told(bench: &Bench) -> Option<String> {
    bench.cluster.value_of("n1", "vote-pgsqld")
}

/// Its machine lost power after it was told of a candidate: nobody asks it for its vote.
#[test]
fn a_probe_that_finds_nothing_running_tells_what_the_ledger_has() {
    let bench = Bench::stopped(HELD);
    bench.cluster.keep_ledger(LEDGER).unwrap();
    aftermath::testify(&bench.cluster, &bench.notes);
    let wanted = "1;holds=unknown;seen=promise%20n2%204,doubt%20n2%204";
    assert_eq!(told(&bench).as_deref(), Some(wanted));
    assert_eq!(bench.cluster.value_of("n1", "lsn_location-pgsqld"), None);

    let then = clock::since_epoch().as_secs() - 9;
    assert!(bench.notes.write(&AFTERMATH, &format!("{then} voted")));
    aftermath::attend(&bench.cluster, &bench.notes);
    assert_eq!(told(&bench), None, "it runs now, and can vote");
}

#[test]
fn who_has_seen_nothing_tells_nothing() {
    let bench = Bench::stopped(HELD);
    bench.journal.forget();
    aftermath::testify(&bench.cluster, &bench.notes);
    assert_eq!(bench.effects(), Vec::<String>::new());
}

/// It may be the only one that is left later.
#[test]
fn a_voter_that_cannot_be_asked_tells_and_remembers_the_candidate() {
    let bench = Bench::running(Role::Standby, HELD);
    bench.elected("n3", 4, HELD);
    vote::cast(&bench.server, &bench.cluster, &of_n2(), soon()).unwrap();
    bench.server.instance().refuses = Some(NoAnswer::Full);
    assert!(vote::cast(&bench.server, &bench.cluster, &of_n2(), soon()).is_err());
    let told = told(&bench).unwrap();
    assert!(told.starts_with("1;holds=unknown;seen="), "{told}");
    assert!(told.contains("promise%20n2%206"), "{told}");
    assert_eq!(bench.cluster.value_of("n1", "lsn_location-pgsqld"), None);
    let ledger = bench.cluster.ledger().unwrap().unwrap();
    assert!(ledger.contains("promise n2 6"), "{ledger}");
}

/// It knows more than it tells, as one does that can vote.
#[test]
fn a_voter_that_can_read_no_ledger_either_says_so() {
    let bench = Bench::running(Role::Standby, HELD);
    bench
        .cluster
        .keep_ledger("2;written by a later version")
        .unwrap();
    bench.server.instance().refuses = Some(NoAnswer::Full);
    assert!(vote::cast(&bench.server, &bench.cluster, &of_n2(), soon()).is_err());
    let told = told(&bench).unwrap();
    assert!(told.contains(";ledger=unreadable"), "{told}");

    let bench = Bench::running(Role::Standby, HELD);
    bench.cluster.with_private("n2", "vote-pgsqld", &told);
    let transition = Transition {
        active: nodes("n1 n2"),
        promote: nodes("n1"),
        ..Transition::default()
    };
    let refused = bench.promotion(&transition, 20_000).run().unwrap_err();
    let reason = &refused.reason;
    assert!(
        reason.contains("the ledger of n2 cannot be read"),
        "{reason}"
    );
}

/// The reason why it has no vote is what Pacemaker shows.
#[test]
fn that_it_cannot_tell_hides_no_reason() {
    let bench = Bench::running(Role::Standby, HELD);
    bench.server.instance().refuses = Some(NoAnswer::Full);
    bench.journal.fail("set_private", 1);
    let failure = vote::cast(&bench.server, &bench.cluster, &of_n2(), soon()).unwrap_err();
    assert!(failure.reason.contains("connections"), "{failure}");
}

fn of_n2() -> Transition {
    Transition {
        promote: nodes("n2"),
        ..Transition::default()
    }
}

/// All lost power after n2 was elected, the configuration lost that, n2 is away, and PostgreSQL
/// does not start on n3, which was told of it.
#[test]
fn what_a_node_without_postgresql_tells_counts() {
    let seen = "promise%20n2%205,doubt%20n2%205";
    let elected = |told: Option<&str>| {
        let bench = Bench::running(Role::Standby, HELD);
        bench.elected("n1", 4, HELD);
        if let Some(told) = told {
            bench.cluster.with_private("n3", "vote-pgsqld", told);
        }
        let transition = Transition {
            active: nodes("n1"),
            promote: nodes("n1"),
            ..Transition::default()
        };
        let outcome = bench.promotion(&transition, 5000).run();
        outcome.map_err(|failure| failure.to_string())
    };
    assert_eq!(elected(None), Ok(OcfExit::Success));
    let refused = elected(Some(&format!("1;holds=unknown;seen={seen}"))).unwrap_err();
    assert!(refused.contains("n2 may have won election 5"), "{refused}");
    let unread = elected(Some("1;holds=unknown;seen=guess%20n2%205")).unwrap_err();
    assert!(
        unread.contains("testimony of n3 cannot be read"),
        "{unread}"
    );
}
