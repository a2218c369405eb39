//! Reads the decision tables in `../testdata/` and holds the code to them.
//!
//! A case is a paragraph: comments that tell the rule, the facts, a line of
//! dashes, and what must come out, word for word. The files explain themselves
//! and are meant to be reviewed by people who know PostgreSQL, not Rust.

use std::time::Duration;

use crate::election::rule::Rule;
use crate::election::{Ballot, Bar, Verdict, elect, explain};
use crate::ocf::NodeName;
use crate::record::confirmers::EarlierRule;
use crate::record::reign::{Particulars, Stage};
use crate::record::{
    Confirmers, Evidence, Force, Fresh, Reign, ShutdownCheckpoint, SyncRule, Vote,
};
use crate::testing::{check, node};
use crate::wal::notation::{SYSTEM, place, position};
use crate::wal::{Place, SystemId, Timeline};

/// The ballot that the facts of a case describe.
fn ballot(facts: &[&str]) -> Ballot {
    let candidate = facts[0]
        .strip_prefix("candidate ")
        .unwrap_or_else(|| panic!("{facts:?}"));
    let mut ballot = Ballot::new(node(candidate));
    ballot.wait_is_over = true;
    ballot.known_nodes.extend(["n1", "n2", "n3"].map(node));
    for fact in &facts[1..] {
        add_fact(&mut ballot, fact);
    }
    let term = ballot.term();
    for vote in ballot.votes.values_mut() {
        vote.term = vote.term.or(vote.position.system.map(|_| term));
    }
    ballot
}

fn add_fact(ballot: &mut Ballot, fact: &str) {
    let (fact, sync) = fact.split_once(" sync ").unwrap_or((fact, ""));
    let words: Vec<&str> = fact.split_whitespace().collect();
    match words.as_slice() {
        ["not-voted", names @ ..] => ballot.voters.extend(names.iter().map(|name| node(name))),
        ["vote", name, held, rest @ ..] => {
            ballot.voters.insert(node(name));
            ballot.votes.insert(node(name), vote(held, rest));
        }
        ["absent", "vote", name, held] => {
            ballot.votes.insert(node(name), vote(held, &[]));
        }
        ["score", name, score] => {
            ballot.scores.insert(node(name), score.parse().unwrap());
        }
        ["shutdown", name, at, term] => {
            let (timeline, lsn) = place(at);
            let system = Some(SystemId::from(SYSTEM));
            let term = (*term != "term=?").then(|| number(term));
            ballot.shutdown_checkpoints.insert(ShutdownCheckpoint {
                node: node(name),
                term,
                system,
                timeline,
                lsn,
            });
        }
        [stage @ ("reign" | "claim"), name, branch, term] => {
            let term = number(term);
            ballot.reigns.push(reign(stage, name, branch, term, sync));
        }
        ["claim", name, branch, term, opens] => {
            let mut claim = reign("claim", name, branch, number(term), sync);
            let opens = opens.strip_prefix("opens=").unwrap();
            claim.particulars.opens = Some(Timeline::from_decimal(opens).unwrap());
            ballot.reigns.push(claim);
        }
        ["confirm", name, names @ ..] => {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            last_reign_of(ballot, name).particulars.confirm = Some(names);
        }
        ["older", name, until, count, names @ ..] => {
            let (timeline, lsn) = place(until);
            let older = &mut last_reign_of(ballot, name).particulars.older;
            older.push(EarlierRule {
                until: Place { timeline, lsn },
                confirmers: Confirmers {
                    count: count.parse().unwrap(),
                    names: names.iter().map(|name| (*name).to_owned()).collect(),
                },
            });
        }
        ["demoted", name] => ballot.demoted = Some(node(name)),
        ["force", name, timeline, rest @ ..] => {
            let force = Force {
                after: rest.first().map(|word| number(word)),
                ..Force::decode(timeline).unwrap()
            };
            ballot.forces.insert(node(name), force);
        }
        ["told", teller, name, term] => {
            seen_by(ballot, teller).promise(&node(name), number(term));
            ballot.promised.insert(node(name), number(term));
        }
        ["lost-power", teller] => seen_by(ballot, teller).doubt_promises(),
        ["barred", name] => {
            let bar = Bar {
                what: format!("cli-ban-on-{name}"),
                command: format!("pcs resource clear pgsqld-clone {name}"),
                command_of_crmsh: Some("crm resource clear pgsqld-clone".to_owned()),
            };
            ballot.barred.insert(node(name), bar);
        }
        ["maxloss", bytes] => ballot.max_loss = bytes.parse().unwrap(),
        ["waiting"] => ballot.wait_is_over = false,
        ["guard", "off"] => ballot.sync_guard = false,
        other => panic!("unknown fact {other:?}"),
    }
}

/// What a voter has seen, or a node that does not vote and tells.
fn seen_by<'a>(ballot: &'a mut Ballot, teller: &str) -> &'a mut Evidence {
    match ballot.votes.get_mut(&node(teller)) {
        Some(vote) => &mut vote.seen,
        None => ballot.witnesses.entry(node(teller)).or_default(),
    }
}

fn last_reign_of<'a>(ballot: &'a mut Ballot, name: &str) -> &'a mut Reign {
    let mut own = ballot.reigns.iter_mut().rev();
    own.find(|reign| reign.primary == node(name)).unwrap()
}

/// `term=3`.
fn number(word: &str) -> u64 {
    word.strip_prefix("term=").unwrap().parse().unwrap()
}

fn vote(held: &str, remarks: &[&str]) -> Vote {
    let mut vote = Vote {
        position: position(held),
        term: None,
        ends_with_shutdown: None,
        last_commit_age: None,
        data: None,
        fresh: None,
        ledger_is_unreadable: false,
        seen: Evidence::default(),
    };
    for remark in remarks {
        match remark.split_once('=') {
            Some(("term", term)) => vote.term = Some(term.parse().unwrap()),
            Some(("sys", id)) => vote.position.system = Some(SystemId::from_decimal(id).unwrap()),
            Some(("age", seconds)) => {
                vote.last_commit_age = Some(Duration::from_secs(seconds.parse().unwrap()));
            }
            Some(("fresh", text)) => vote.fresh = Some(fresh(text)),
            Some(("shutdown", last)) => vote.ends_with_shutdown = Some(last == "last"),
            None if *remark == "paf" => vote = Vote::decode_paf(&vote.encode_paf()).unwrap(),
            _ => panic!("unknown remark {remark:?}"),
        }
    }
    vote
}

/// `3` or `3:2@0/100`.
fn fresh(text: &str) -> Fresh {
    let (term, owes) = text.split_once(':').unwrap_or((text, ""));
    let owes = (!owes.is_empty()).then(|| place(owes));
    Fresh {
        term: term.parse().unwrap(),
        owes: owes.map(|(timeline, lsn)| Place { timeline, lsn }),
    }
}

fn reign(stage: &str, name: &str, branch: &str, term: u64, sync: &str) -> Reign {
    Reign {
        primary: node(name),
        term,
        stage: if stage == "claim" {
            Stage::Claimed
        } else {
            Stage::Opened
        },
        branch: position(branch),
        sync: SyncRule::parse(sync).unwrap(),
        particulars: Particulars::default(),
    }
}

fn answer(facts: &[&str]) -> String {
    let ballot = ballot(facts);
    match elect(&ballot) {
        Verdict::Wait { awaited } => {
            let names: Vec<&str> = awaited.iter().map(NodeName::as_str).collect();
            format!("wait for {}", names.join(", "))
        }
        Verdict::Promote { ground, warnings } => {
            let warnings = warnings
                .iter()
                .map(|warning| format!("\nwarning: {warning}"));
            format!("promote: {ground}{}", warnings.collect::<String>())
        }
        Verdict::Yield { to, reason } => format!("yield to {to}: {reason}"),
        Verdict::Refuse { reason } => format!("refuse: {reason}"),
    }
}

#[test]
fn best_position_wins() {
    check(include_str!("../testdata/best.txt"), answer);
}

#[test]
fn votes_are_waited_for_within_bounds() {
    check(include_str!("../testdata/not_voted.txt"), answer);
}

#[test]
fn a_left_branch_is_never_promoted() {
    check(include_str!("../testdata/branch.txt"), answer);
}

#[test]
fn a_new_primary_holds_the_shutdown_checkpoint() {
    check(include_str!("../testdata/switchover.txt"), answer);
}

#[test]
fn an_election_whose_outcome_is_unknown_is_no_ground() {
    check(include_str!("../testdata/doubts.txt"), answer);
}

/// The record of n3's election went with the power, and a node that followed it is all that is
/// left. The rule that refuses doubtful candidacies hides the damage from the model.
#[test]
fn promises() {
    let facts = [
        "candidate n2",
        "score n1 1001",
        "reign n1 1@0/0 term=1",
        "vote n2 2@0/300<1@0/100",
        "told n2 n3 term=2",
        "lost-power n2",
    ];
    assert!(answer(&facts).starts_with("promote"), "{}", answer(&facts));
    let without = Rule::Promises.weakened(|| answer(&facts));
    assert!(without.contains("left the branch"), "{without}");
}

/// PostgreSQL does not run on the only node that was told of n3.
#[test]
fn witnesses() {
    let facts = [
        "candidate n1",
        "reign n1 1@0/0 term=1",
        "vote n1 1@0/200",
        "told n2 n3 term=2",
        "lost-power n2",
    ];
    assert!(answer(&facts).starts_with("refuse"), "{}", answer(&facts));
    let without = Rule::Witnesses.weakened(|| answer(&facts));
    assert!(without.starts_with("promote"), "{without}");
}

#[test]
fn one_winner() {
    let facts = [
        "candidate n3",
        "reign n1 2@0/100<1@0/100 term=4",
        "reign n2 3@0/120<1@0/120 term=4",
        "vote n3 3@0/150<1@0/120",
    ];
    assert!(answer(&facts).starts_with("refuse"), "{}", answer(&facts));
    let without = Rule::OneWinner.weakened(|| answer(&facts));
    assert!(without.starts_with("promote"), "{without}");
}

#[test]
fn an_acknowledged_synchronous_commit_is_kept() {
    check(include_str!("../testdata/guard.txt"), answer);
}

#[test]
fn exclusions_hold_in_the_election() {
    check(include_str!("../testdata/exclusion.txt"), answer);
}

#[test]
fn another_database_is_never_promoted() {
    check(include_str!("../testdata/system.txt"), answer);
}

#[test]
fn an_admin_forces_one_promotion() {
    check(include_str!("../testdata/force.txt"), answer);
}

#[test]
fn nobody_waits_for_a_node_that_may_not_be_promoted() {
    check(include_str!("../testdata/barred.txt"), answer);
}

#[test]
fn a_decision_is_explained() {
    check(include_str!("../testdata/explain.txt"), |facts| {
        let ballot = ballot(facts);
        explain(&ballot, &elect(&ballot), "pgsqld").join("\n")
    });
}
