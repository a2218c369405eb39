//! What is wrong with one node.

use crate::election::remove_foreign_score;
use crate::instance::capacity;
use crate::ocf::NodeName;
use crate::record::{Divergence, impairment, score};
use crate::view::bytes::amount;
use crate::view::cib::{Away, Failed, Node, Running};
use crate::view::held::{divergence, receiver};
use crate::view::problem::{Health, Problem};
use crate::view::replay::Late;
use crate::view::seen::{Leftover, Local, Seen};
use crate::view::underway::after_that;

/// All that is.
pub fn problems(seen: &Seen, node: &NodeName) -> Vec<Problem> {
    let Some(facts) = seen.cib.nodes.get(node) else {
        return Vec::new();
    };
    let mut all: Vec<_> = absence(seen, node, facts).into_iter().collect();
    all.extend(
        facts
            .failed
            .iter()
            .map(|failed| failure(seen, node, failed)),
    );
    all.extend(data(seen, node));
    all.extend(impaired(seen, node, facts).or_else(|| late(seen, node)));
    all.extend(foreign_score(seen, node, facts));
    if let Some(local) = seen
        .local
        .as_ref()
        .filter(|_| seen.here.as_ref() == Some(node))
    {
        all.extend(of_server(seen, node, local));
    }
    all
}

fn attention(id: &'static str, node: &NodeName, text: impl Into<String>) -> Problem {
    Problem::new(id, Health::Attention, text).of(node)
}

/// Nothing runs there.
fn absence(seen: &Seen, node: &NodeName, facts: &Node) -> Option<Problem> {
    let resource = seen.cib.resource.name();
    let is_stopped = seen.cib.resource.is_disabled();
    if !seen.cib.has_state {
        return None;
    }
    if !facts.online {
        return Some(offline(seen, node, facts.away));
    }
    if facts.standby {
        let text = format!("{node} is in standby: Pacemaker runs nothing there");
        return Some(
            attention("node-standby", node, text).cure(format!("pcs node unstandby {node}")),
        );
    }
    let runs = matches!(seen.running(node), Running::Primary | Running::Standby);
    (!runs && !is_stopped && !is_kept_off(seen, node)).then(|| {
        let text = format!("nothing of {resource} runs on {node}");
        let by = seen.cib.locations.iter().find(|one| one.keeps_off(node));
        let (why, cure) = match by {
            Some(one) if one.is_left() => (format!(", by {}", one.id), one.clear()),
            _ => (
                String::new(),
                format!("pcs resource cleanup {resource} {node}"),
            ),
        };
        attention("not-running", node, text + &why).cure(after_that(seen, cure))
    })
}

/// A constraint that no command left behind is an admin's will.
fn is_kept_off(seen: &Seen, node: &NodeName) -> bool {
    let mut all = seen.cib.locations.iter();
    all.any(|one| one.keeps_off(node) && !one.is_left())
}

/// Each with the way back that there is.
fn offline(seen: &Seen, node: &NodeName, away: Option<Away>) -> Problem {
    let told = |text: &str| attention("offline", node, format!("{node} {text}"));
    let start = format!("pcs cluster start {node}");
    let history = format!("pcs stonith history show {node}");
    match away {
        None => told("is not in the cluster").cure(start),
        Some(Away::Left) => told("has left the cluster: Pacemaker was stopped there").cure(start),
        Some(Away::Fenced) => told("was fenced, and is not back")
            .cure(format!("once it has power and has booted: {start}"))
            .cure(format!("why: pgsqlms history --last; {history}")),
        Some(Away::Lost) if seen.cib.has_fencing() => {
            told("is lost, and not fenced yet: Pacemaker waits for that")
                .cure(format!("wait; if it lasts: {history}"))
                .cure(format!(
                    "only once you have seen that it is off: pcs stonith confirm {node}"
                ))
        }
        Some(Away::Lost) => told("is lost").cure(format!("once it is back: {start}")),
    }
}

fn failure(seen: &Seen, node: &NodeName, failed: &Failed) -> Problem {
    let Failed { action, code, .. } = failed;
    let reason = match failed.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let resource = seen.cib.resource.name();
    let text = format!("{action} failed on {node} with code {code}{reason}");
    let cure = after_that(seen, format!("pcs resource cleanup {resource} {node}"));
    let problem = attention("failed-action", node, text);
    // Tried again, it would be refused again.
    if failed.reason.starts_with("Promotion refused") {
        return problem
            .cure("pgsqlms explain")
            .cure(format!("then: {cure}"));
    }
    problem.cure(cure)
}

/// It has data that do not fit, or gets none.
fn data(seen: &Seen, node: &NodeName) -> Option<Problem> {
    match divergence(seen, node) {
        Some(what) => Some(diverged(node, what)),
        None => not_following(seen, node),
    }
}

fn diverged(node: &NodeName, what: Divergence) -> Problem {
    let Divergence::Left {
        timeline,
        lsn,
        fork,
    } = what
    else {
        let text = format!("{node} holds another database than the primary");
        return attention("other-database", node, text).cure("docs/cookbook.md: rebuild a standby");
    };
    let bytes = lsn.bytes_since(fork).unwrap_or_default();
    let text = format!(
        "{node} has diverged: {} of timeline {timeline} after {fork} are only there",
        amount(bytes)
    );
    attention("diverged", node, text).cure("docs/cookbook.md: rewind a node that has diverged")
}

/// Known where the primary is.
fn not_following(seen: &Seen, node: &NodeName) -> Option<Problem> {
    seen.writer()?;
    let is_standby = seen.running(node) == Running::Standby;
    if !is_standby {
        return None;
    }
    if receiver(seen, node).is_none() {
        let text = format!(
            "{node} is not connected to the primary (application_name of its primary_conninfo \
             must be {node})"
        );
        let cure = format!("look at the log of PostgreSQL on {node}");
        return Some(attention("not-connected", node, text).cure(cure));
    }
    let score = seen.scores.get(node).copied().unwrap_or_default();
    let shown = score::encode(score);
    let text = format!("{node} follows, but is no candidate: its promotion score is {shown}");
    let problem = || attention("excluded", node, text);
    (score < 0).then(|| problem().cure("wait until it has caught up, or raise maxlag"))
}

fn impaired(seen: &Seen, node: &NodeName, facts: &Node) -> Option<Problem> {
    let why = facts
        .transient
        .get(&impairment::NAME.of(&seen.cib.resource.id))?;
    let text = format!("{node} is promoted only where no other standby is sound: {why}");
    Some(attention("impaired", node, text))
}

/// A standby that is paused says so itself, and more.
fn late(seen: &Seen, node: &NodeName) -> Option<Problem> {
    let late = Late::of(seen, node).filter(|_| !says_paused(seen, node))?;
    let left = late.amount();
    if !late.is_still {
        let text = format!("{node} has {left} to replay, for which a promotion would wait");
        return Some(
            attention("replay-behind", node, text).cure("wait until it has replayed that"),
        );
    }
    let text = format!(
        "{node} has {left} to replay, and replays none of it: its replay is paused, delayed or \
         held up, and clients would wait for it"
    );
    Some(attention("replay-still", node, text).cure(format!(
        "on {node}: pgsqlms status; SELECT pg_wal_replay_resume()"
    )))
}

fn says_paused(seen: &Seen, node: &NodeName) -> bool {
    let local = seen.local.as_ref();
    let local = local.filter(|_| seen.here.as_ref() == Some(node));
    let survey = local.and_then(|local| local.survey.as_ref());
    let follower = survey.and_then(|survey| survey.follower());
    follower.is_some_and(|follower| follower.is_paused)
}

fn foreign_score(seen: &Seen, node: &NodeName, facts: &Node) -> Option<Problem> {
    let resource = &seen.cib.resource.id;
    let value = facts.transient.get(&score::NAME.of(resource))?;
    let text = format!(
        "{node} has a promotion score of {value} by hand (lifetime reboot), which counts in the \
         place of the agent's own"
    );
    let problem = attention("foreign-score", node, text);
    Some(problem.cure(remove_foreign_score(node, resource)))
}

/// What its own server says, on this node.
fn of_server(seen: &Seen, node: &NodeName, local: &Local) -> Vec<Problem> {
    let mut all = Vec::new();
    if local.is_half_rewound {
        let text =
            format!("a rewind of {node} has begun and did not end: nothing is started there");
        all.push(attention("half-rewound", node, text).cure("docs/cookbook.md: rewind a node"));
    }
    if let Some(why) = &local.unread_mark {
        let text = format!(
            "whether a rewind of {node} has ended cannot be told, and nothing is started there: {why}"
        );
        all.push(attention("half-rewound", node, text).cure("docs/cookbook.md: rewind a node"));
    }
    all.extend(
        local
            .leftover
            .as_ref()
            .map(|left| interrupted(seen, node, left)),
    );
    all.extend(lacking_rights(node, local));
    if let Some(why) = &local.trouble {
        let text = format!("PostgreSQL on {node}: {why}");
        let is_expected = matches!(seen.running(node), Running::Primary | Running::Standby);
        all.extend(is_expected.then(|| attention("no-answer", node, text)));
    }
    if says_paused(seen, node) {
        all.push(paused(node, local));
    }
    all
}

/// An admin began it, and it did not end.
fn interrupted(seen: &Seen, node: &NodeName, left: &Leftover) -> Problem {
    let text = match left {
        Leftover::NoData => "was interrupted, and there are no data: nothing is started there",
        Leftover::OldData => "was interrupted: its data are those of before",
        Leftover::OldFiles => "is done, and what was there before still takes up room",
        Leftover::Unreadable(why) => why,
    };
    let text = format!("a rebuild of {node} {text}");
    let again = format!("pgsqlms rebuild --resource {}", seen.cib.resource.id);
    let problem = attention("rebuild-interrupted", node, text);
    let problem = problem.cure(format!("on {node}, in standby: {again}"));
    let may_be_left = *left == Leftover::OldData;
    let give_up = may_be_left.then(|| format!("to leave it: {again} --give-up"));
    give_up.into_iter().fold(problem, Problem::cure)
}

fn lacking_rights(node: &NodeName, local: &Local) -> Option<Problem> {
    let text = format!("db_role lacks rights that the agent on {node} needs");
    let problem = attention("rights-missing", node, text);
    let grants = local.grants.iter();
    let grants = grants.map(|grant| format!("in the database postgres, on the primary: {grant}"));
    (!local.grants.is_empty()).then(|| grants.fold(problem, Problem::cure))
}

fn paused(node: &NodeName, local: &Local) -> Problem {
    if local.lacking.is_empty() {
        let text = format!("the replay of {node} is paused");
        return attention("replay-paused", node, text)
            .cure(format!("on {node}: SELECT pg_wal_replay_resume()"));
    }
    let lacking = capacity::list(&local.lacking);
    let text = format!("PostgreSQL has paused the replay of {node}: {lacking}");
    attention("settings-too-small", node, text).cure("set them, and restart this standby")
}
