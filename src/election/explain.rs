//! What a DBA reads at night: who held what, what was decided, what to do.

use super::ballot::{Ballot, Unreadable};
use super::standing::{Count, Standing};
use super::verdict::{PassedOver, Refusal, Verdict};
use crate::ocf::NodeName;
use crate::record::reign::Reign;
use crate::record::score;
use crate::wal::{Position, Relation};

/// The lines for the log: one for each voter, the facts that bound the
/// decision, the decision, and what to do about it.
pub fn explain(ballot: &Ballot, verdict: &Verdict, resource: &str) -> Vec<String> {
    let count = Count::of(ballot);
    let best = count.best().and_then(|node| count.position(node));
    let voters = ballot
        .voters
        .iter()
        .map(|node| voter_line(&count, best, node));
    let reign = count.last_reign().map(reign_line);
    let checkpoints = ballot.shutdown_checkpoints.iter().map(|checkpoint| {
        format!(
            "{} was stopped cleanly: its shutdown checkpoint is {} on timeline {}",
            checkpoint.node, checkpoint.lsn, checkpoint.timeline
        )
    });
    voters
        .chain(reign)
        .chain(checkpoints)
        .chain(decision_lines(ballot, verdict, resource))
        .collect()
}

/// What an admin can do about a refusal, with commands ready to paste.
pub fn remedy(ballot: &Ballot, reason: &Refusal, resource: &str) -> Vec<String> {
    let mut lines = advice(&ballot.candidate, reason, resource);
    if let Some(node) = best_left(&ballot.candidate, reason) {
        let command = force(node, resource);
        lines.push(format!(
            "to promote {node} all the same and lose what it lacks: {command}"
        ));
    }
    lines
}

/// What heals the cluster without loss.
fn advice(candidate: &NodeName, reason: &Refusal, resource: &str) -> Vec<String> {
    match reason {
        Refusal::NoOwnVote => vec![format!("look at the log of PostgreSQL on {candidate}")],
        Refusal::NewerElection { voter, .. } => comparisons(voter, resource),
        Refusal::Unreadable(unreadable) => vec![unreadable_advice(unreadable)],
        Refusal::OtherSystem { .. } => vec![format!(
            "rebuild {candidate} from the primary (pg_basebackup), unless the whole cluster is new"
        )],
        Refusal::UnprovedSystem { voter } => vec![format!(
            "{candidate} or {voter} does not belong here: stop it and rebuild it"
        )],
        Refusal::LeftBranch { primary, .. } => rewind_advice(candidate, primary),
        Refusal::TwoBranches { other, .. } => vec![format!(
            "decide which of {candidate} and {other} is right; rewind or rebuild the other"
        )],
        Refusal::TwoWinners { winners, .. } => right_data_advice(winners),
        Refusal::CandidacyInDoubt {
            candidate: claimant,
            ..
        }
        | Refusal::ClaimInDoubt { claimant, .. } => vec![format!(
            "bring {claimant} back: it knows whether it was primary"
        )],
        Refusal::MissesShutdownCheckpoint { checkpoint, .. } => {
            vec![format!(
                "bring {} back: it holds all commits",
                checkpoint.node
            )]
        }
        Refusal::UncertainSwitchover { demoted } => vec![format!(
            "let replication from {demoted} catch up before moving the primary"
        )],
        Refusal::NoQuorum { .. } => quorum_advice(reason),
        Refusal::Barred(passed_over) => lift(passed_over),
        Refusal::Excluded { .. } => {
            vec!["bring back the last primary or a standby that was up to date".to_owned()]
        }
    }
}

fn quorum_advice(reason: &Refusal) -> Vec<String> {
    let Refusal::NoQuorum {
        missing,
        absent,
        rule,
        primary,
    } = reason
    else {
        return Vec::new();
    };
    vec![format!(
        "synchronous_standby_names was {rule}: bring back {primary}, or {missing} of: {}",
        list(absent)
    )]
}

fn right_data_advice([one, other]: &[NodeName; 2]) -> Vec<String> {
    vec![format!(
        "decide whose data are right, {one}'s or {other}'s; force that node, then rewind or \
         rebuild the other"
    )]
}

fn unreadable_advice(Unreadable { node, what }: &Unreadable) -> String {
    format!(
        "look at the {what} of {node} (the log says what is wrong with it); where another node \
         has a later version of this agent, update this one"
    )
}

fn lift(passed_over: &PassedOver) -> Vec<String> {
    let PassedOver { node, bar, .. } = passed_over;
    let of_crmsh = bar.command_of_crmsh.iter();
    let of_crmsh = of_crmsh.map(|command| format!(" (or: {command})"));
    vec![format!(
        "Pacemaker may not promote {node}; lift that, or take {node} out of the cluster: {}{}",
        bar.command,
        of_crmsh.collect::<String>()
    )]
}

fn comparisons(voter: &NodeName, resource: &str) -> Vec<String> {
    [Reign::NAME, Reign::CLAIM_NAME]
        .map(|name| name.of(resource))
        .map(|name| format!("compare: crm_attribute --query --node {voter} --name {name}"))
        .into()
}

fn rewind_advice(candidate: &NodeName, primary: &NodeName) -> Vec<String> {
    vec![
        format!("bring back {primary} or a standby that followed it"),
        format!(
            "then on {candidate}: pg_rewind --target-pgdata=PGDATA \
             --source-server='host={primary} dbname=postgres'"
        ),
    ]
}

/// The node that an admin may force.
fn best_left<'a>(candidate: &'a NodeName, reason: &'a Refusal) -> Option<&'a NodeName> {
    match reason {
        Refusal::NoOwnVote | Refusal::NewerElection { .. } => None,
        Refusal::ClaimInDoubt { best, .. }
        | Refusal::MissesShutdownCheckpoint { best, .. }
        | Refusal::Excluded { best, .. } => Some(best),
        _ => Some(candidate),
    }
}

/// The admin's command; it says what may be lost and asks.
fn force(node: &NodeName, resource: &str) -> String {
    format!(
        "on {node}: pgsqlms force-promotion \
         --resource {resource}; pcs resource cleanup {resource}"
    )
}

fn list(names: &std::collections::BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.join(", ")
}

fn voter_line(count: &Count<'_>, best: Option<&Position>, node: &NodeName) -> String {
    let standing = count
        .standings
        .get(node)
        .copied()
        .unwrap_or(Standing::NotVoted);
    let Some(held) = count.position(node) else {
        return format!("{node}: active, did not vote");
    };
    let bar = count.bar_of(node);
    let remark = match standing {
        Standing::NotVoted => String::new(),
        Standing::OtherSystem => ", another database: never a candidate".to_owned(),
        Standing::LeftBranch { fork } => format!(
            ", not on the elected branch{}: never a candidate",
            fork.map(|fork| format!(" (left it at {fork})"))
                .unwrap_or_default()
        ),
        Standing::Electable => distance(held, best),
    };
    let age = age_remark(count, node);
    let score = score_remark(count, node);
    let bar = bar.map(|bar| format!(", barred by {}", bar.what));
    let (bar, fresh) = (bar.unwrap_or_default(), fresh_remark(count, node));
    format!("{node}: {held}{age}{remark}{score}{bar}{fresh}")
}

/// The commit is the old primary's, so its clock counts too.
fn age_remark(count: &Count<'_>, node: &NodeName) -> String {
    let vote = count.ballot.current_vote(node);
    match vote.and_then(|vote| vote.last_commit_age) {
        Some(age) => format!(" (last commit {} s old)", age.as_secs()),
        None => String::new(),
    }
}

/// One that may not be promoted may hold more than the best of the others.
fn distance(held: &Position, best: Option<&Position>) -> String {
    let more = best.filter(|best| held.compare(best) == Relation::Ahead);
    if let Some(bytes) = more.and_then(|best| held.lsn.bytes_since(best.lsn)) {
        return format!(", {bytes} bytes more than the best that may be promoted");
    }
    match best.and_then(|best| best.lsn.bytes_since(held.lsn)) {
        Some(0) => ", as much as the best".to_owned(),
        Some(bytes) => format!(", {bytes} bytes behind the best"),
        None => ", on a shorter branch".to_owned(),
    }
}

fn score_remark(count: &Count<'_>, node: &NodeName) -> String {
    match count.exclusion_of(node) {
        Some(score) => format!(", excluded by promotion score {}", score::encode(score)),
        None => String::new(),
    }
}

/// It cannot tell whether it confirmed a commit that it does not hold.
fn fresh_remark(count: &Count<'_>, node: &NodeName) -> &'static str {
    if count.is_fresh_since(node, 0) {
        return ", with new data that do not vouch for what the node confirmed before";
    }
    ""
}

fn outweighed(candidate: &NodeName) -> String {
    format!(
        "a constraint prefers {candidate} (a move?): it is no candidate until it is close to the \
         primary, and then the constraint moves the role; if that is not wanted any more, \
         remove it (pcs constraint location shows it)"
    )
}

fn reign_line(reign: &Reign) -> String {
    let sync = match &reign.sync {
        Some(rule) => format!("synchronous: {rule}"),
        None => "asynchronous".to_owned(),
    };
    format!(
        "election {} was won by {} ({}), {sync}",
        reign.term, reign.primary, reign.branch
    )
}

fn decision_lines(ballot: &Ballot, verdict: &Verdict, resource: &str) -> Vec<String> {
    let candidate = &ballot.candidate;
    match verdict {
        Verdict::Wait { awaited } => {
            let names: Vec<&str> = awaited.iter().map(NodeName::as_str).collect();
            vec![format!("waiting for the vote of {}", names.join(", "))]
        }
        Verdict::Promote { ground, warnings } => {
            let warnings = warnings.iter().map(|warning| format!("WARNING: {warning}"));
            warnings
                .chain([format!("promoting {candidate}: {ground}")])
                .collect()
        }
        Verdict::Yield { to, reason } => {
            let decision = format!("not promoting {candidate} but {to}: {reason}");
            let wish = ballot.is_chosen_before(to).then(|| outweighed(candidate));
            [decision].into_iter().chain(wish).collect()
        }
        Verdict::Refuse { reason } => {
            let todo = remedy(ballot, reason, resource).into_iter();
            [format!("promoting nobody: {reason}")]
                .into_iter()
                .chain(todo.map(|line| format!("what to do: {line}")))
                .collect()
        }
    }
}
