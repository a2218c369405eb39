//! The election itself: guard clauses in the order of the rule.

use std::collections::BTreeSet;

use super::ballot::Ballot;
use super::obstacle::{better_but_barred, obstacles, silently_demoted};
use super::rule::Rule;
use super::standing::{Count, Standing};
use super::verdict::{Fork, Ground, Outvoted, Refusal, Verdict, Warning};
use crate::ocf::NodeName;
use crate::wal::{Position, Relation};

/// Decides whether the candidate may be promoted.
pub fn elect(ballot: &Ballot) -> Verdict {
    let count = Count::of(ballot);
    let awaited = awaited(ballot, &count);
    if !ballot.wait_is_over && !awaited.is_empty() && Rule::WaitForVotes.holds() {
        return Verdict::Wait { awaited };
    }
    let Some(own) = count.position(&ballot.candidate) else {
        return refuse(Refusal::NoOwnVote);
    };
    if let Some(reason) = unknown_election(ballot).or_else(|| wrong_system(&count, own)) {
        return refuse(reason);
    }
    match count.best() {
        Some(best) => decide(ballot, &count, own, best),
        None => refuse(nobody(ballot, &count)),
    }
}

/// Whether the decision depends on whom Pacemaker may promote: it would not be the
/// candidate.
pub fn asks_for_bars(ballot: &Ballot) -> bool {
    let count = Count::of(ballot);
    let best = count.best();
    let other = best.is_some_and(|best| *best != ballot.candidate);
    other && count.position(&ballot.candidate).is_some()
}

/// Whether the decision may depend on the last record that the candidate holds:
/// a node on PAF was demoted, and tells nothing about its end.
pub fn asks_for_last_record(ballot: &Ballot) -> bool {
    let count = Count::of(ballot);
    let own = count.position(&ballot.candidate);
    own.is_some_and(|own| silently_demoted(&count, own).is_some())
}

/// The barred voter from which the candidate should fetch what only that one holds, and up
/// to where, before it is promoted in its place.
pub fn to_be_fetched(ballot: &Ballot) -> Option<(NodeName, Position)> {
    let count = Count::of(ballot);
    let own = count.position(&ballot.candidate)?;
    count.best().filter(|best| **best == ballot.candidate)?;
    let passed_over = count.passed_over_by(own);
    let known = passed_over.into_iter().filter(|one| one.bytes.is_some());
    let most = known.max_by_key(|one| one.bytes)?;
    let theirs = count.position(&most.node)?.clone();
    (theirs.timeline == own.timeline).then_some((most.node, theirs))
}

/// Promotes or yields to the best voter, unless something forbids it.
fn decide(ballot: &Ballot, count: &Count<'_>, own: &Position, best: &NodeName) -> Verdict {
    let found = obstacles(ballot, count, best);
    let forced = count.is_forced(best);
    if let (false, Some(reason)) = (forced, found.first()) {
        let barred = better_but_barred(count, best).map(Refusal::Barred);
        return refuse(barred.unwrap_or_else(|| reason.clone()));
    }
    if *best != ballot.candidate {
        let reason = outvoted(count, own, best);
        return Verdict::Yield {
            to: best.clone(),
            reason,
        };
    }
    let ground = if found.is_empty() {
        ground(count, own)
    } else {
        Ground::Forced
    };
    let mut warnings: Vec<_> = found.into_iter().map(Warning::Forced).collect();
    warnings.extend(warnings_of(ballot, count, own));
    Verdict::Promote { ground, warnings }
}

fn refuse(reason: Refusal) -> Verdict {
    Verdict::Refuse { reason }
}

/// The voters that are waited for: their vote has not arrived, or they know of an
/// election whose reign has not arrived here.
fn awaited(ballot: &Ballot, count: &Count<'_>) -> BTreeSet<NodeName> {
    let newer = ballot
        .voters
        .iter()
        .filter(|node| newer_term(ballot, node).is_some());
    count
        .with(Standing::NotVoted)
        .chain(newer)
        .cloned()
        .collect()
}

/// The term of a voter's vote, if it knows of an election that is not known here.
fn newer_term(ballot: &Ballot, node: &NodeName) -> Option<u64> {
    let term = ballot.votes.get(node)?.term;
    term.filter(|term| *term > ballot.term())
}

fn unknown_election(ballot: &Ballot) -> Option<Refusal> {
    ballot.voters.iter().find_map(|voter| {
        let theirs = newer_term(ballot, voter)?;
        Some(Refusal::NewerElection {
            voter: voter.clone(),
            theirs,
            ours: ballot.term(),
        })
    })
}

/// The candidate holds another database than the cluster's.
fn wrong_system(count: &Count<'_>, own: &Position) -> Option<Refusal> {
    let (ours, theirs) = (own.system?, count.system()?);
    (Rule::System.holds() && ours != theirs).then_some(Refusal::OtherSystem { ours, theirs })
}

/// Nobody is electable, or only voters that Pacemaker may not promote.
fn nobody(ballot: &Ballot, count: &Count<'_>) -> Refusal {
    let barred = count.only_barred().map(Refusal::Barred);
    barred.unwrap_or_else(|| left_branch(ballot, count))
}

fn left_branch(ballot: &Ballot, count: &Count<'_>) -> Refusal {
    match count.last_reign() {
        Some(last) => Refusal::LeftBranch {
            primary: last.primary.clone(),
            fork: fork_of(count, &ballot.candidate),
        },
        None => Refusal::NoOwnVote,
    }
}

fn fork_of(count: &Count<'_>, node: &NodeName) -> Fork {
    match count.standings.get(node) {
        Some(Standing::LeftBranch { fork }) => Fork(*fork),
        _ => Fork(None),
    }
}

fn outvoted(count: &Count<'_>, own: &Position, best: &NodeName) -> Outvoted {
    let candidate = &count.ballot.candidate;
    let other = best.clone();
    let off_branch = matches!(
        count.standings.get(candidate),
        Some(Standing::LeftBranch { .. })
    );
    if off_branch {
        return Outvoted::OnBranch {
            other,
            fork: fork_of(count, candidate),
        };
    }
    let theirs = count.position(best).unwrap_or(own);
    match own.compare(theirs) {
        Relation::Diverged { fork } => Outvoted::OnBranch {
            other,
            fork: Fork(Some(fork)),
        },
        Relation::Same => {
            let score = count.exclusion_of(candidate).unwrap_or_default();
            Outvoted::NotExcluded { other, score }
        }
        _ => Outvoted::HoldsMore {
            other,
            theirs: theirs.into(),
            ours: own.into(),
        },
    }
}

fn ground(count: &Count<'_>, own: &Position) -> Ground {
    let voted = count
        .standings
        .values()
        .filter(|standing| **standing != Standing::NotVoted);
    if voted.count() == 1 {
        return Ground::OnlyVoter;
    }
    if !count.passed_over_by(own).is_empty() {
        return Ground::BestPromotable;
    }
    let electable = count.electable();
    let mut same = electable
        .iter()
        .filter(|(_, held)| own.compare(held) == Relation::Same);
    if same.nth(1).is_some() {
        Ground::Tie
    } else {
        Ground::Best
    }
}

fn warnings_of(ballot: &Ballot, count: &Count<'_>, own: &Position) -> Vec<Warning> {
    let foreign = count
        .with(Standing::OtherSystem)
        .cloned()
        .map(Warning::OtherSystem);
    let left = count
        .left_branch()
        .filter(|node| **node != ballot.candidate);
    let unknown = count.electable().into_iter();
    let unknown = unknown.filter(|(_, held)| own.compare(held) == Relation::Unknown);
    let absent = count
        .with(Standing::NotVoted)
        .cloned()
        .map(Warning::NotVoted);
    absent
        .chain(foreign)
        .chain(left.cloned().map(Warning::LeftBranch))
        .chain(common_branch(count))
        .chain(unknown.map(|(node, _)| Warning::UnknownHistory(node.clone())))
        .chain(primary_absent(ballot, count, own))
        .chain(given_up(count, own))
        .collect()
}

fn common_branch(count: &Count<'_>) -> Option<Warning> {
    let last = count.last_reign().filter(|_| count.adopts)?;
    Some(Warning::CommonBranch(last.primary.clone()))
}

/// What barred voters hold more than the winner.
fn given_up(count: &Count<'_>, own: &Position) -> impl Iterator<Item = Warning> {
    let passed_over = count.passed_over_by(own).into_iter();
    passed_over.map(Warning::PassedOver)
}

/// The last primary does not vote, replication was asynchronous, and nothing
/// shows that the candidate holds its end.
fn primary_absent(ballot: &Ballot, count: &Count<'_>, own: &Position) -> Option<Warning> {
    let last = count.last_reign().filter(|last| last.sync.is_none())?;
    let votes = count.position(&last.primary).is_some();
    let checkpoints = ballot.shutdown_checkpoints.iter();
    let mut checkpoints = checkpoints.filter(|checkpoint| checkpoint.node == last.primary);
    let has_end = checkpoints.any(|checkpoint| checkpoint.is_held_by(own) == Some(true));
    (!votes && !has_end).then(|| Warning::PrimaryAbsent(last.primary.clone()))
}
