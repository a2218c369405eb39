//! What forbids the promotion of even the best voter.

use super::ballot::Ballot;
use super::barred::gives_up_too_much;
use super::guard::no_quorum;
use super::rule::Rule;
use super::standing::{Count, Standing};
use super::verdict::{Fork, PassedOver, Refusal};
use crate::ocf::NodeName;
use crate::record::reign::{Stage, last_of};
use crate::record::vote::Vote;
use crate::wal::{Position, Relation};

/// All obstacles, the gravest first.
pub(super) fn obstacles(ballot: &Ballot, count: &Count<'_>, best: &NodeName) -> Vec<Refusal> {
    let Some(held) = count.position(best) else {
        return vec![Refusal::NoOwnVote];
    };
    let found = [
        unreadable(ballot),
        other_database(ballot, held),
        unproved_system(count),
        two_winners(count),
        candidacy_in_doubt(count, held),
        off_branch(count, best),
        two_branches(count, best, held),
        claim_in_doubt(count, best, held),
        uncertain_switchover(count, best, held),
        misses_shutdown_checkpoint(count, best, held),
        no_quorum(count, held),
        gives_up_too_much(count, held),
        excluded(count, best, held),
    ];
    found.into_iter().flatten().collect()
}

/// What cannot be read may be what decides.
fn unreadable(ballot: &Ballot) -> Option<Refusal> {
    let first = ballot.unreadable.first().filter(|_| Rule::Readable.holds());
    first.cloned().map(Refusal::Unreadable)
}

/// Two nodes won the same election: no term tells whose branch is the cluster's.
fn two_winners(count: &Count<'_>) -> Option<Refusal> {
    let last = count.last_reign().filter(|_| Rule::OneWinner.holds())?;
    let mut others = count.reigns.iter();
    let other = others.find(|other| other.term == last.term && other.primary != last.primary)?;
    Some(Refusal::TwoWinners {
        term: last.term,
        winners: [other.primary.clone(), last.primary.clone()],
    })
}

/// All lost power in the middle of an election whose candidate is away now. A best voter
/// beyond the branch elected last follows what that candidate opened.
fn candidacy_in_doubt(count: &Count<'_>, held: &Position) -> Option<Refusal> {
    let (candidate, term) = count.ballot.candidacy_in_doubt()?;
    let last = count.last_reign().filter(|last| last.is_opened());
    let follows = last.is_some_and(|last| held.timeline > last.branch.timeline);
    (Rule::Doubts.holds() && !follows).then(|| Refusal::CandidacyInDoubt {
        candidate: candidate.clone(),
        term,
    })
}

/// The barred voter that could be promoted in the place of a node that may not: to lift
/// its bar is what heals the cluster without loss.
pub(super) fn better_but_barred(count: &Count<'_>, best: &NodeName) -> Option<PassedOver> {
    let passed_over = count.passed_over_by(count.position(best)?);
    passed_over
        .into_iter()
        .find(|one| obstacles(count.ballot, count, &one.node).is_empty())
}

/// Another voter stands on another branch, which has the same number.
fn two_branches(count: &Count<'_>, best: &NodeName, held: &Position) -> Option<Refusal> {
    let electable = count.electable();
    let mut others = electable.into_iter().filter(|(node, _)| *node != best);
    others
        .find(|(_, other)| is_other_branch(held, other))
        .map(|(other, _)| Refusal::TwoBranches {
            other: other.clone(),
            timeline: held.timeline,
        })
}

fn is_other_branch(held: &Position, other: &Position) -> bool {
    other.timeline == held.timeline && matches!(held.compare(other), Relation::Diverged { .. })
}

/// The last claimant does not vote, so nobody knows whether it ever was primary:
///
/// ```text
/// n1: 1 ────┬─ ?       n1 was elected holding this much, and is away
/// n2: 1 ────┴───       n2 holds more of timeline 1
/// ```
///
/// If n1 opened a branch, n2 has diverged. If not, n2 must not be passed over.
fn claim_in_doubt(count: &Count<'_>, best: &NodeName, held: &Position) -> Option<Refusal> {
    let last = count
        .last_reign()
        .filter(|last| last.stage == Stage::Claimed)?;
    let in_doubt = Rule::Doubt.holds() && count.position(&last.primary).is_none();
    let holds_more = |node: &&NodeName| {
        let theirs = count.position(node);
        theirs.is_some_and(|theirs| held.compare(theirs) == Relation::Behind)
    };
    let voter = count.left_branch().find(holds_more).filter(|_| in_doubt)?;
    Some(Refusal::ClaimInDoubt {
        voter: voter.clone(),
        best: best.clone(),
        claimant: last.primary.clone(),
    })
}

/// A demoted node on PAF publishes no shutdown checkpoint; then the candidate's own
/// last record must be one.
fn uncertain_switchover(count: &Count<'_>, best: &NodeName, held: &Position) -> Option<Refusal> {
    let ballot = count.ballot;
    let own = ballot.current_vote(&ballot.candidate)?;
    let lacks_it = *best == ballot.candidate && own.ends_with_shutdown == Some(false);
    let demoted = silently_demoted(count, held).filter(|_| lacks_it)?;
    Some(Refusal::UncertainSwitchover {
        demoted: demoted.clone(),
    })
}

/// The demoted node, if it must be taken for a primary on PAF: it told nothing about
/// its end, its vote is not of this agent, and no reign shows that it was somebody
/// else who was primary on the candidate's timeline.
///
/// The last matters because Pacemaker also demotes a node of ours whose promotion
/// failed. That one votes again in the next election, or is stopped and does not.
pub(super) fn silently_demoted<'a>(count: &Count<'a>, held: &Position) -> Option<&'a NodeName> {
    let demoted = count.ballot.demoted.as_ref()?;
    let reigned = count.last_reign().is_some_and(|last| {
        last.primary == *demoted || last.accounts_for(held.timeline, &count.ballot.reigns)
    });
    let told = count
        .binding_checkpoints(held)
        .any(|checkpoint| checkpoint.node == *demoted);
    let vote = count.ballot.votes.get(demoted);
    let ours = vote.is_some_and(Vote::is_own_form);
    (!reigned && !told && !ours && *demoted != count.ballot.candidate).then_some(demoted)
}

/// The shutdown checkpoint of a demoted primary that the node does not hold.
fn misses_shutdown_checkpoint(
    count: &Count<'_>,
    best: &NodeName,
    held: &Position,
) -> Option<Refusal> {
    if !Rule::ShutdownCheckpoint.holds() {
        return None;
    }
    let mut checkpoints = count.binding_checkpoints(held);
    let missed = checkpoints.find(|checkpoint| checkpoint.is_held_by(held) == Some(false))?;
    Some(Refusal::MissesShutdownCheckpoint {
        best: best.clone(),
        checkpoint: missed.clone(),
    })
}

/// The best voter lagged too far, or did not stream, when the last primary saw
/// it last.
fn excluded(count: &Count<'_>, best: &NodeName, held: &Position) -> Option<Refusal> {
    let score = count.exclusion_of(best)?;
    if is_vouched_for(count, held) {
        return None;
    }
    let candidate = &count.ballot.candidate;
    // A candidate that is not excluded and holds less proves the score outdated.
    let own = count.position(candidate);
    let less = own.is_some_and(|own| own.compare(held) == Relation::Behind);
    let outdated = less && count.exclusion_of(candidate).is_none();
    (!outdated).then(|| Refusal::Excluded {
        best: best.clone(),
        score,
    })
}

/// Enough of the last primary's synchronous standbys vote: whoever was cut off while commits hung,
/// the best voter holds all that was acknowledged.
fn is_vouched_for(count: &Count<'_>, held: &Position) -> bool {
    let is_synchronous = count.last_reign().is_some_and(|last| last.sync.is_some());
    count.ballot.sync_guard && is_synchronous && no_quorum(count, held).is_none()
}

/// Only an admin's force brings the election to a node off the branch.
fn off_branch(count: &Count<'_>, best: &NodeName) -> Option<Refusal> {
    let Standing::LeftBranch { fork } = count.standings.get(best)? else {
        return None;
    };
    let primary = count.last_reign()?.primary.clone();
    Some(Refusal::LeftBranch {
        primary,
        fork: Fork(*fork),
    })
}

/// Voters hold different databases, and no primary ever said which is the
/// cluster's.
fn unproved_system(count: &Count<'_>) -> Option<Refusal> {
    let mut foreign = count.with(Standing::OtherSystem);
    let voter = foreign.next().filter(|_| count.last_reign().is_none())?;
    Some(Refusal::UnprovedSystem {
        voter: voter.clone(),
    })
}

/// Only an admin's force takes the cluster to another database.
fn other_database(ballot: &Ballot, held: &Position) -> Option<Refusal> {
    let given_up = ballot
        .reigns
        .iter()
        .filter(|reign| ballot.is_given_up(reign));
    let theirs = last_of(given_up)?.branch.system?;
    Some(Refusal::OtherSystem {
        ours: held.system?,
        theirs,
    })
}
