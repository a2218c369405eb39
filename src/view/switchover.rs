//! Whether the role of the primary can move to a node now: the facts and words of `status`, the
//! election of `explain`, before anything is stopped.

use std::collections::BTreeSet;

use super::bytes::amount;
use super::candidacy::Candidacy;
use super::checked::{Checked, worst_checked};
use super::cib::Running;
use super::fencing::PROBLEMS_OF_FENCING;
use super::handover::{Handover, handover};
use super::held::receiver;
use super::problem::{Health, Problem};
use super::seen::Seen;
use super::synchronous::Synchronous;
use super::underway::pending;
use super::{View, report::NodeView};
use crate::ocf::NodeName;
use crate::record::SyncRule;

/// Clients wait while a standby receives so much: worth saying.
const LARGE_LAG: u64 = 16 * 1024 * 1024;

/// All that is checked.
pub fn before_switchover(seen: &Seen, to: &NodeName) -> Vec<Checked> {
    if !seen.cib.nodes.contains_key(to) {
        let names: Vec<_> = seen.cib.nodes.keys().map(|node| node.as_str()).collect();
        let text = format!("this cluster has no node {to}");
        let cure = format!("one of: {}", names.join(", "));
        return vec![Checked::fail("no-such-node", text).cure(cure)];
    }
    let view = View::of(seen);
    let mut all = troubles(seen, &view, to);
    all.extend(in_flight(seen));
    all.extend(candidate(seen, &view, to));
    all.extend(synchronous(seen, to));
    all.extend(election(seen, to, &all));
    all.sort_by_key(|one| one.health);
    all
}

/// The exit code that follows: 0 it may move, 2 it may not, 3 that cannot be told from here.
pub fn may_move(checked: &[Checked]) -> Health {
    match worst_checked(checked) {
        Health::Attention => Health::Well,
        other => other,
    }
}

/// The problems of the view, by what they mean here, or that there are none.
fn troubles(seen: &Seen, view: &View, to: &NodeName) -> Vec<Checked> {
    let mark = |problem: &Problem| Checked::of_problem(problem, mark(seen, problem, to));
    let mut all: Vec<_> = view.problems.iter().map(mark).collect();
    if all.iter().all(|one| one.health == Health::Attention) {
        let text = format!("nothing bans {to}, no constraint is left over, no action has failed");
        all.push(Checked::ok("cluster", text));
    }
    all
}

/// What concerns neither of the two nodes does not stand in the way.
fn mark(seen: &Seen, problem: &Problem, to: &NodeName) -> Health {
    let is_one_of_the_two = |node: &NodeName| node == to || seen.primary() == Some(node);
    match problem.id {
        "pacemaker-down" => Health::Unknown,
        // About the loss of the primary, which is not lost here; or it takes a little longer.
        "nobody-ready" | "replay-behind" => Health::Attention,
        id if PROBLEMS_OF_FENCING.contains(&id) => Health::Attention,
        "failed-action" => Health::Critical,
        _ if problem.node.as_ref().is_none_or(is_one_of_the_two) => Health::Critical,
        _ => Health::Attention,
    }
}

/// Another switchover, or anything else that Pacemaker does with the resource now.
fn in_flight(seen: &Seen) -> Vec<Checked> {
    let told = pending(seen).map(|text| {
        Checked::fail("in-flight", text).cure("try again once crm_mon shows no action pending")
    });
    told.collect()
}

fn candidate(seen: &Seen, view: &View, to: &NodeName) -> Option<Checked> {
    let why = match Candidacy::of(seen, to) {
        Candidacy::Yes | Candidacy::ByScore | Candidacy::Late(_) => {
            let node = view.nodes.iter().find(|one| one.node == *to);
            return node.map(|node| lag(seen, node));
        }
        Candidacy::Unknown => {
            let text = format!("what runs on {to} is not known here");
            return Some(Checked::unknown("no-candidate", text));
        }
        Candidacy::Primary => "it runs as a primary".to_owned(),
        Candidacy::No(why) | Candidacy::LastChoice(why) => why,
    };
    // What is wrong with it says more, with a cure.
    let mut said = view.problems.iter();
    let is_said = said.any(|one| one.node.as_ref() == Some(to));
    (!is_said).then(|| no_candidate(seen, to, &why))
}

fn no_candidate(seen: &Seen, to: &NodeName, why: &str) -> Checked {
    let command = seen.bars.get(to).map(|bar| bar.command.clone());
    let cure = command.unwrap_or_else(|| format!("on {to}: pgsqlms status"));
    Checked::fail("no-candidate", format!("{to} is no candidate: {why}")).cure(cure)
}

fn lag(seen: &Seen, node: &NodeView) -> Checked {
    let Some(behind) = node.wal.behind else {
        return lag_elsewhere(seen, &node.node);
    };
    let most = seen.policy.max_lag;
    let text = format!("{} follows, {} behind", node.node, amount(behind));
    let cure = "wait until it has caught up";
    if most > 0 && behind > most {
        let text = format!("{text}, and maxlag is {}", amount(most));
        return Checked::fail("lag", text).cure(cure);
    }
    if behind > LARGE_LAG {
        let text = format!("{text}: clients wait until it has received that");
        return Checked::warn("lag", text).cure(cure);
    }
    let score = node.score.unwrap_or_default();
    Checked::ok("lag", format!("{text}, promotion score {score}"))
}

fn lag_elsewhere(seen: &Seen, node: &NodeName) -> Checked {
    let primary = seen.primary().map(|primary| format!("{primary} and "));
    let text = format!(
        "how far {node} is behind is known on {}{node}: run it there",
        primary.unwrap_or_default()
    );
    Checked::unknown("lag", text)
}

/// Whether commits can be confirmed afterwards. Where the rule leaves the primary out, each node
/// may have one that leaves itself out.
fn synchronous(seen: &Seen, to: &NodeName) -> Option<Checked> {
    let Some(rule) = Synchronous::of(seen).rule else {
        return Some(Checked::ok("synchronous", "commits wait for no standby"));
    };
    let primary = seen.primary()?;
    let left = standbys_after(seen, to, primary);
    let by_rule = confirming(&rule, &left);
    if by_rule.len() >= rule.count {
        let names = list(&by_rule);
        let text = format!("{rule} can be met afterwards by {names}");
        return Some(Checked::ok("synchronous", text));
    }
    Some(unmet(&rule, (&by_rule, left.len()), (primary, to)))
}

fn unmet(
    rule: &SyncRule,
    (by_rule, left): (&BTreeSet<&NodeName>, usize),
    (primary, to): (&NodeName, &NodeName),
) -> Checked {
    let leaves_out = !rule.names.iter().any(|name| name == primary.as_str());
    let need = format!("{rule} needs {} standbys that confirm", rule.count);
    if leaves_out && left >= rule.count && by_rule.len() + 1 >= rule.count {
        let text =
            format!("{need}: the setting of {to} must name {primary}, which is not seen here");
        let cure = format!("on {to}: SHOW synchronous_standby_names");
        return Checked::warn("synchronous", text).cure(cure);
    }
    let text = format!("{need}, and afterwards there is {}", list(by_rule));
    Checked::fail("synchronous", text).cure("bring back one of its standbys, or change it")
}

/// Who is a standby once the role has moved.
fn standbys_after<'a>(
    seen: &'a Seen,
    to: &NodeName,
    primary: &'a NodeName,
) -> BTreeSet<&'a NodeName> {
    let standbys = seen.with(Running::Standby).into_iter();
    let follows = |node: &&NodeName| seen.writer().is_none() || receiver(seen, node).is_some();
    let stay = standbys.filter(follows).filter(|node| *node != to);
    stay.chain([primary]).collect()
}

fn confirming<'a>(rule: &SyncRule, left: &BTreeSet<&'a NodeName>) -> BTreeSet<&'a NodeName> {
    let is_named = |node: &&&NodeName| rule.lists(node);
    let all = left.iter().filter(|node| rule.is_open() || is_named(node));
    all.copied().collect()
}

/// The election itself, where nothing that was said before decides it.
fn election(seen: &Seen, to: &NodeName, before: &[Checked]) -> Option<Checked> {
    if before.iter().any(|one| one.health > Health::Attention) {
        return None;
    }
    Some(match handover(seen, to) {
        Handover::Promotes { voters } => {
            let names = list(&voters.iter().collect());
            let text = format!("the election among {names} would promote {to}");
            Checked::ok("election", text)
        }
        Handover::Refuses { reason, cures } => {
            let text = format!("the election would not promote {to}: {reason}");
            let failed = Checked::fail("election", text);
            cures.into_iter().fold(failed, Checked::cure)
        }
        Handover::Unknown => {
            let text = format!("what the nodes hold is not known here: run it on {to}");
            Checked::unknown("election", text)
        }
    })
}

fn list(nodes: &BTreeSet<&NodeName>) -> String {
    let names: Vec<_> = nodes.iter().map(|node| node.as_str()).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        all => all.join(""),
    }
}
