//! A database takes the place of all that was elected before.

use super::bench::{Bench, nodes, patient, soon};
use crate::instance::Role;
use crate::ocf::OcfExit;
use crate::ocf::notify::Transition;
use crate::pacemaker::Cluster;
use crate::record::{Ledger, PERMANENT};
use crate::steps::forget::Forgetting;
use crate::testing::journal::{Trouble, unless_killed};

const HELD: &str = "1@0/3000000";
/// Of the database before: it had system 6.
const BEFORE: &str = "1;term=9;opened=yes;sys=6;tl=4;lsn=83886080;hist=;sync=any:1:n1,n3";
const CLAIM: &str = "1;term=8;opened=no;sys=6;tl=3;lsn=83886080;hist=";

/// The new database is on n1; the cluster and two ledgers know of the one before.
fn bench() -> Bench {
    let bench = Bench::stopped(HELD);
    bench.cluster.with_permanent("n2", "reign-pgsqld", BEFORE);
    bench.cluster.with_permanent("n1", "claim-pgsqld", CLAIM);
    bench
        .cluster
        .with_permanent("n3", "ended-pgsqld", "1;term=7");
    bench
        .cluster
        .with_permanent("n1", "force-promotion-pgsqld", "1;tl=3;after=7");
    bench.with_score("n2", 1001);
    bench.with_score("n3", -1000);
    bench.cluster.with_permanent("n1", "master-other", "1001");
    let ledger = format!("1;node=n1;data=1.2.0;boot=before\nreign n2 {BEFORE}\npromise n3 10\n");
    bench.cluster.keep_ledger(&ledger).unwrap();
    let told = format!(
        "1;holds=unknown;seen={}",
        escaped(&format!("reign n2 {BEFORE}"))
    );
    bench.cluster.with_private("n3", "vote-pgsqld", &told);
    bench.journal.forget();
    bench
}

fn escaped(fact: &str) -> String {
    let escape = |one: char| match one {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => one.to_string(),
        other => format!("%{:02X}", u32::from(other)),
    };
    fact.chars().map(escape).collect()
}

fn forget(bench: &Bench) {
    let found = Forgetting::look(&bench.server, &bench.cluster, soon()).unwrap();
    found.carry_out(&bench.cluster).unwrap();
}

fn is_done(bench: &Bench) -> bool {
    let found = Forgetting::look(&bench.server, &bench.cluster, soon());
    found.unwrap().is_done()
}

/// What is left of permanent attributes of the resource.
fn left(bench: &Bench) -> Vec<String> {
    let permanent = bench.cluster.permanent().unwrap();
    let names = PERMANENT.iter().map(|name| name.of("pgsqld"));
    let of = |name: String| {
        let values = permanent.values(&name).into_keys();
        values
            .map(|node| format!("{node} {name}"))
            .collect::<Vec<_>>()
    };
    names.flat_map(of).collect()
}

fn promotion(bench: &Bench) -> Result<OcfExit, String> {
    bench.server.instance().run_as(Role::Standby);
    let transition = Transition {
        active: nodes("n1"),
        promote: nodes("n1"),
        ..Transition::default()
    };
    let outcome = bench.promotion(&transition, 5000).run();
    outcome.map_err(|failure| failure.to_string())
}

#[test]
fn only_the_new_database_is_on_record_and_other_resources_are_left_alone() {
    let bench = bench();
    assert!(!is_done(&bench));
    forget(&bench);
    assert_eq!(left(&bench), ["n1 reign-pgsqld"]);
    let reign = bench.cluster.permanent_of("n1", "reign-pgsqld").unwrap();
    // Election 10 was promised to somebody.
    assert!(
        reign.starts_with("1;term=11;opened=yes;sys=7;tl=1;lsn=0;"),
        "{reign}"
    );
    let other = bench.cluster.permanent_of("n1", "master-other");
    assert_eq!(other.as_deref(), Some("1001"));
    let text = bench.cluster.ledger().unwrap().unwrap();
    let ledger = Ledger::decode(&text).unwrap();
    assert_eq!(ledger.evidence.lines(), [format!("reign n1 {reign}")]);
    assert_eq!(ledger.fresh, None, "it took nobody's place");
    bench
        .journal
        .assert_order(&["n1: ledger", "n1: reign-pgsqld", "n2: no reign-pgsqld"]);
}

#[test]
fn what_is_forgotten_once_is_not_forgotten_again() {
    let bench = bench();
    forget(&bench);
    bench.journal.forget();
    assert!(is_done(&bench));
    forget(&bench);
    assert_eq!(bench.effects(), Vec::<String>::new());
}

/// The ledger of n3, where nobody forgot anything, tells of the database before.
#[test]
fn a_ledger_that_remembers_does_not_bring_it_back() {
    let before = bench();
    let refused = promotion(&before).unwrap_err();
    assert!(refused.contains("another database"), "{refused}");
    let bench = bench();
    forget(&bench);
    assert_eq!(promotion(&bench), Ok(OcfExit::Success));
    let claim = bench.cluster.permanent_of("n1", "claim-pgsqld").unwrap();
    assert!(claim.starts_with("1;term=12;"), "{claim}");
}

/// The same database at an earlier time, restored. The end of what was there before is not
/// deleted: private attributes last as long as Pacemaker runs. It binds nobody any more.
#[test]
fn nor_does_the_end_of_what_was_there_before() {
    let bench = || {
        let bench = Bench::stopped(HELD);
        let before = "1;term=9;opened=yes;sys=7;tl=1;lsn=16777216;hist=";
        let end = "1;node=n2;term=9;sys=7;tl=1;lsn=83886080";
        bench.cluster.with_permanent("n2", "reign-pgsqld", before);
        bench.cluster.with_private("n2", "shutdown-pgsqld", end);
        bench
            .cluster
            .with_private("n3", "shutdown-seen-pgsqld", end);
        bench
    };
    let refused = promotion(&bench()).unwrap_err();
    assert!(refused.contains("shutdown checkpoint"), "{refused}");
    let bench = bench();
    forget(&bench);
    assert_eq!(promotion(&bench), Ok(OcfExit::Success));
}

/// An old configuration that is pushed afterwards does not either.
#[test]
fn nor_does_an_old_configuration() {
    let bench = bench();
    forget(&bench);
    bench.cluster.with_permanent("n2", "reign-pgsqld", BEFORE);
    let found = Forgetting::look(&bench.server, &bench.cluster, soon()).unwrap();
    assert_eq!(found.anew.term, 11, "the one that was made before");
    assert_eq!(promotion(&bench), Ok(OcfExit::Success));
}

#[test]
fn killed_anywhere_the_next_call_ends_it() {
    let count = {
        let bench = bench();
        forget(&bench);
        bench.effects().len()
    };
    assert!(count > 6, "{count}");
    for trouble in [
        Trouble::KilledBefore,
        Trouble::KilledAfter,
        Trouble::AnswerLost,
    ] {
        for index in 0..count {
            let bench = bench();
            bench.journal.trouble_at(index, trouble);
            let found = Forgetting::look(&bench.server, &bench.cluster, soon()).unwrap();
            let ended = unless_killed(|| found.carry_out(&bench.cluster));
            assert!(!matches!(ended, Some(Ok(()))), "{trouble:?} {index}");
            forget(&bench);
            assert!(is_done(&bench), "{trouble:?} {index}");
            assert_eq!(left(&bench), ["n1 reign-pgsqld"], "{trouble:?} {index}");
            assert_eq!(
                promotion(&bench),
                Ok(OcfExit::Success),
                "{trouble:?} {index}"
            );
        }
    }
}

/// What cannot be looked at is no answer, and what cannot be read is forgotten.
#[test]
fn a_look_that_fails_forgets_nothing_and_damage_goes() {
    for method in [
        "permanent",
        "of_members",
        "control_data",
        "control_identity",
    ] {
        let bench = bench();
        bench.journal.fail(method, 9);
        let looked = Forgetting::look(&bench.server, &bench.cluster, patient());
        assert!(looked.is_err(), "{method}");
        assert_eq!(bench.effects(), Vec::<String>::new(), "{method}");
    }
    let bench = bench();
    bench
        .cluster
        .with_permanent("n2", "reign-pgsqld", "2;of=later");
    bench.cluster.keep_ledger("damaged").unwrap();
    let found = Forgetting::look(&bench.server, &bench.cluster, soon()).unwrap();
    assert_eq!(found.unreadable.len(), 2);
    forget(&bench);
    assert!(is_done(&bench));
}

/// The same database, put back to an earlier state: with the record of it, it is elected; without
/// it would be off the branch.
#[test]
fn a_database_that_was_restored_stands_on_its_own_branch() {
    let bench = bench();
    let line = "1;term=12;opened=yes;sys=7;tl=2;lsn=33554432;hist=1:33554432";
    bench.cluster.with_permanent("n2", "reign-pgsqld", line);
    bench.cluster.with_private("n3", "vote-pgsqld", "");
    let refused = promotion(&bench).unwrap_err();
    assert!(refused.contains("left the branch"), "{refused}");
    let bench = self::bench();
    bench.cluster.with_permanent("n2", "reign-pgsqld", line);
    forget(&bench);
    assert_eq!(promotion(&bench), Ok(OcfExit::Success));
}
