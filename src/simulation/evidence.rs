//! What the cluster remembers of an election is lost, comes back old, or cannot be read: the
//! next election ends as it would have, or in a refusal.

use super::fleet::{Fleet, List, NAMES};
use crate::election::rule::Rule;
use crate::instance::Role;
use crate::ocf::{OcfExit, Outcome};
use crate::postgres::fake_instance::Processes;
use crate::testing::journal::{Trouble, unless_killed};
use crate::testing::node;
use crate::wal::Lsn;

const PRIMARY: Processes = Processes::Alive(Role::Primary);
const ALL: List<'_> = ("active", "n1 n2 n3");
const SURVIVORS: List<'_> = ("active", "n2 n3");
const SUCCESS: Result<OcfExit, crate::ocf::Failure> = Ok(OcfExit::Success);

/// The primary `n1`, whose commits one of the others confirms, and which all have seen.
fn running() -> Fleet {
    let mut fleet = Fleet::holding("1@0/3000000");
    for name in NAMES {
        fleet.server(name).instance().synchronous_standby_names = "ANY 1 (n1, n2, n3)".to_owned();
        assert_eq!(fleet.start(name), SUCCESS);
    }
    assert_eq!(fleet.promote("n1", &[ALL, ("promote", "n1")]), SUCCESS);
    for name in ["n2", "n3"] {
        fleet.follow(name, "n1");
    }
    for name in ["n1", "n2", "n3", "n1"] {
        assert!(fleet.monitor(name).is_ok());
    }
    fleet
}

/// `n2` confirmed a commit that `n3` lacks; then it is away, and `n1` is lost.
fn with_a_commit_on_n2() -> Fleet {
    let mut fleet = running();
    fleet.write("n1", 4096);
    fleet.follow("n2", "n1");
    assert_eq!(fleet.stop("n2"), SUCCESS);
    fleet.cluster().kept().leave("n2");
    fleet.server("n1").instance().crash();
    fleet.cluster().kept().leave("n1");
    fleet
}

fn refusal(fleet: &Fleet, name: &str, active: &str) -> String {
    let lists = [("active", active), ("promote", name)];
    fleet.promote(name, &lists).unwrap_err().reason
}

#[test]
fn a_refusal_survives_the_removal_of_the_dead_primary() {
    let fleet = with_a_commit_on_n2();
    let wanted = "Promotion refused: synchronous commits of n1 may be missing";
    assert!(refusal(&fleet, "n3", "n3").starts_with(wanted));
    fleet.cluster().kept().permanent.remove(&node("n1"));
    assert!(refusal(&fleet, "n3", "n3").starts_with(wanted));
    // Also where all attributes are gone, and Pacemaker was restarted everywhere.
    fleet.cluster().kept().permanent.clear();
    fleet.cluster().kept().of_members.clear();
    assert!(refusal(&fleet, "n3", "n3").starts_with(wanted));
    assert_eq!(fleet.start("n2"), SUCCESS);
    assert_eq!(
        fleet.promote("n2", &[SURVIVORS, ("promote", "n2")]),
        SUCCESS
    );
}

/// A configuration from before the failover: the old primary, which came back diverged, is the
/// one that it knows.
#[test]
fn an_old_configuration_that_is_pushed_brings_no_old_primary_back() {
    let mut fleet = running();
    let old = fleet.cluster().kept().permanent.clone();
    fleet.write("n1", 4096);
    fleet.server("n1").instance().crash();
    fleet.cluster().kept().leave("n1");
    let lists = [SURVIVORS, ("promote", "n2")];
    assert_eq!(fleet.promote("n2", &lists), SUCCESS);
    fleet.follow("n3", "n2");
    assert_eq!(fleet.start("n1"), SUCCESS);
    fleet.cluster().kept().members.insert(node("n1"));
    for name in ["n2", "n3"] {
        assert!(fleet.monitor(name).is_ok());
    }
    let reign = fleet.cluster().permanent_of("n2", "reign-pgsqld");
    fleet.cluster().kept().permanent = old;
    fleet.cluster().kept().versions += 1;
    // The primary writes it again, if it has the time to.
    assert_eq!(fleet.monitor("n2"), Ok(OcfExit::Promoted));
    let again = fleet.cluster().permanent_of("n2", "reign-pgsqld");
    assert_eq!(again, reign);
}

#[test]
fn an_old_configuration_elects_nobody_who_left_the_branch() {
    let mut fleet = running();
    let old = fleet.cluster().kept().permanent.clone();
    fleet.write("n1", 4096);
    fleet.server("n1").instance().crash();
    fleet.cluster().kept().leave("n1");
    assert_eq!(
        fleet.promote("n2", &[SURVIVORS, ("promote", "n2")]),
        SUCCESS
    );
    fleet.follow("n3", "n2");
    for name in ["n2", "n3"] {
        assert!(fleet.monitor(name).is_ok());
    }
    assert_eq!(fleet.start("n1"), SUCCESS);
    fleet.cluster().kept().members.insert(node("n1"));
    // The push demotes n2 before its monitor has the time to heal the record.
    fleet.cluster().kept().permanent = old;
    let lists = [ALL, ("demote", "n2"), ("promote", "n1")];
    assert_eq!(fleet.demote("n2", &lists), SUCCESS);
    let failure = fleet.promote("n1", &lists).unwrap_err();
    assert!(failure.reason.starts_with("Promotion aborted"), "{failure}");
    assert_eq!(fleet.promote("n2", &[ALL, ("promote", "n2")]), SUCCESS);
}

/// Of a later version, or damaged: it is left as it is, and named.
#[test]
fn what_cannot_be_read_refuses_and_is_not_deleted() {
    for (what, name) in [("reign", "reign-pgsqld"), ("claim", "claim-pgsqld")] {
        let fleet = with_a_commit_on_n2();
        let later = "2;term=9;mood=good";
        fleet.cluster().with_permanent("n1", name, later);
        assert_eq!(fleet.start("n2"), SUCCESS);
        let reason = refusal(&fleet, "n2", "n2 n3");
        assert_eq!(
            reason,
            format!(
                "Promotion refused: the {what} of n1 cannot be read: damaged, or of a later version"
            )
        );
        assert_eq!(
            fleet.cluster().permanent_of("n1", name).as_deref(),
            Some(later)
        );
    }
}

#[test]
fn a_ledger_that_cannot_be_read_is_left_alone_and_its_node_is_not_promoted() {
    let fleet = with_a_commit_on_n2();
    assert_eq!(fleet.start("n2"), SUCCESS);
    let later = "2;node=n2;mood=good\n".to_owned();
    fleet
        .cluster()
        .kept()
        .ledgers
        .insert(node("n2"), later.clone());
    assert!(refusal(&fleet, "n2", "n2 n3").contains("the ledger of n2 cannot be read"));
    assert_eq!(fleet.cluster().kept().ledgers[&node("n2")], later);
    // As a voter it refuses too: its ledger may have what decides.
    assert!(refusal(&fleet, "n3", "n2 n3").contains("the ledger of n2 cannot be read"));
    // Lost, it begins anew with what the others know.
    fleet.cluster().kept().ledgers.remove(&node("n2"));
    assert_eq!(
        fleet.promote("n2", &[SURVIVORS, ("promote", "n2")]),
        SUCCESS
    );
}

/// A copy of n3 under the name of the primary: it is not what the primary wrote.
#[test]
fn a_primary_that_was_rebuilt_vouches_for_nothing() {
    let mut fleet = with_a_commit_on_n2();
    assert!(refusal(&fleet, "n3", "n3").contains("commits of n1"));
    let held = fleet.server("n3").data().end;
    fleet.server("n1").data().identity = "999.1765".to_owned();
    fleet.server("n1").data().end = held;
    assert_eq!(fleet.start("n1"), SUCCESS);
    fleet.cluster().kept().members.insert(node("n1"));
    let reason = refusal(&fleet, "n3", "n1 n3");
    assert!(reason.contains("synchronous commits of n1"), "{reason}");
}

/// The archive has more than the winner voted with, so that its branch begins beyond its claim;
/// it is lost before its monitor writes that down. Who followed it is on its branch, and the old
/// primary, which comes back, has not left it.
fn after_an_archive() -> Outcome {
    let mut fleet = running();
    for name in NAMES {
        fleet
            .server(name)
            .instance()
            .synchronous_standby_names
            .clear();
    }
    assert!(fleet.monitor("n1").is_ok());
    fleet.write("n1", 4096);
    let end = fleet.server("n1").data().end;
    let trail = fleet.server("n2").data().trail.clone();
    fleet.server("n2").data().archive = Some((trail, end));
    lose(&mut fleet, "n1");
    assert_eq!(
        fleet.promote("n2", &[SURVIVORS, ("promote", "n2")]),
        SUCCESS
    );
    fleet.write("n2", 100);
    fleet.follow("n3", "n2");
    lose(&mut fleet, "n2");
    assert_eq!(fleet.start("n1"), SUCCESS);
    fleet.cluster().kept().members.insert(node("n1"));
    fleet.promote("n3", &[("active", "n1 n3"), ("promote", "n3")])
}

fn lose(fleet: &mut Fleet, name: &str) {
    fleet.server(name).instance().crash();
    fleet.cluster().kept().leave(name);
}

#[test]
fn a_branch_that_began_beyond_its_claim_goes_on() {
    assert_eq!(after_an_archive(), SUCCESS);
    let refused = Rule::Opens.weakened(after_an_archive).unwrap_err();
    assert!(
        refused.reason.contains("left the branch of n2"),
        "{refused}"
    );
}

/// The old primary comes back with n3, which was told of the winner, but the winner stays away
/// and the configuration lost its claim, when all lost power.
fn without_the_claim(starts_on_n3: bool) -> Outcome {
    let mut fleet = running();
    fleet.write("n1", 4096);
    lose(&mut fleet, "n1");
    let on_disk = fleet.cluster().kept().permanent.clone();
    assert_eq!(
        fleet.promote("n2", &[SURVIVORS, ("promote", "n2")]),
        SUCCESS
    );
    for name in ["n2", "n3"] {
        fleet.lose_power(name);
    }
    fleet.cluster().kept().permanent = on_disk;
    let members = ["n1", "n3"].map(node);
    fleet.cluster().kept().members.extend(members);
    assert_eq!(fleet.start("n1"), SUCCESS);
    let on_n3 = fleet.probe("n3");
    assert_eq!(on_n3, Ok(OcfExit::NotRunning));
    let active = if starts_on_n3 { "n1 n3" } else { "n1" };
    if starts_on_n3 {
        assert_eq!(fleet.start("n3"), SUCCESS);
    }
    fleet.promote("n1", &[("active", active), ("promote", "n1")])
}

#[test]
fn who_was_told_of_a_winner_remembers_what_the_configuration_lost() {
    let refused = without_the_claim(true).unwrap_err();
    assert!(refused.reason.starts_with("Promotion refused"), "{refused}");
    assert_eq!(Rule::Ledgers.weakened(|| without_the_claim(true)), SUCCESS);
}

/// PostgreSQL does not start on it, so that nobody asks for its vote.
#[test]
fn who_was_told_of_a_winner_says_so_without_a_vote() {
    let refused = without_the_claim(false).unwrap_err();
    assert!(refused.reason.starts_with("Promotion refused"), "{refused}");
    assert_eq!(
        Rule::Witnesses.weakened(|| without_the_claim(false)),
        SUCCESS
    );
}

/// All nodes lose power between any two effects of a promotion, and what was written to the
/// configuration last is on no disk. Whoever comes back, the winner or not: nobody is promoted
/// who is not on the branch that was opened, and there is a primary once all are back.
#[test]
fn a_power_cut_of_all_nodes_anywhere_in_a_promotion_decides_nothing() {
    for index in 0.. {
        let mut fleet = running();
        fleet.server("n1").instance().crash();
        fleet.cluster().kept().leave("n1");
        let on_disk = fleet.cluster().kept().permanent.clone();
        fleet.journal.trouble_at(index, Trouble::KilledAfter);
        let lists = [SURVIVORS, ("promote", "n2")];
        let whole = unless_killed(|| fleet.promote("n2", &lists));
        let context = format!("{index} {:#?}", fleet.journal.effects());
        if whole.is_some() {
            break;
        }
        let opened = fleet.processes("n2") == PRIMARY;
        if opened {
            fleet.follow("n3", "n2");
            fleet.server("n3").data().end = Lsn::from(0x400_0000);
        }
        let branch = fleet.server("n2").data().timeline;
        for name in ["n2", "n3"] {
            fleet.server(name).instance().crash();
            fleet.cluster().kept().leave(name);
        }
        fleet.cluster().kept().permanent = on_disk;
        for name in NAMES {
            assert_eq!(fleet.start(name), SUCCESS, "{context}");
            fleet.cluster().kept().members.insert(node(name));
        }
        let promoted = NAMES
            .iter()
            .find(|name| fleet.promote(name, &[ALL, ("promote", name)]).is_ok());
        let promoted = promoted.unwrap_or_else(|| panic!("nobody: {context}"));
        if opened {
            assert_ne!(*promoted, "n1", "{context}");
            assert!(fleet.server(promoted).data().timeline > branch, "{context}");
        }
    }
}
