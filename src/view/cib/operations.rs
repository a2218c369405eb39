//! The results of actions on one node: what they left running, and what of them failed.

use std::time::Duration;

use roxmltree::Node as Element;

use super::xml::child;

/// What of the resource runs on a node, by the results of actions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Running {
    /// Nothing was ever seen of it, or the node is away.
    #[default]
    Unknown,
    /// Nothing.
    Stopped,
    /// A standby.
    Standby,
    /// The primary.
    Primary,
}

/// The last action of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What was done: `start`, `promote`.
    pub name: String,
    /// How long it took.
    pub took: Duration,
}

/// An action that failed and that nobody has cleaned up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What was done.
    pub action: String,
    /// What it ended with.
    pub code: i64,
    /// Why, in the agent's words.
    pub reason: String,
    /// When, since the epoch.
    pub when: Option<Duration>,
}

/// The results of one resource's actions, in the order in which they were given.
pub(super) struct Operations<'a, 'i>(Vec<Element<'a, 'i>>);

/// The states of an action (`pcmk_exec_status`).
const PENDING: i64 = -1;
const DONE: i64 = 0;

impl<'a, 'i> Operations<'a, 'i> {
    /// Those in the state of a node. Instances of a clone have a number before Pacemaker 3.
    pub(super) fn of(state: Element<'a, 'i>, resource: &str) -> Self {
        let is_it = |id: &str| id.split(':').next() == Some(resource);
        let lrm = child(state, "lrm").and_then(|lrm| child(lrm, "lrm_resources"));
        let all = lrm.into_iter().flat_map(|lrm| lrm.children());
        let ours = all.filter(|one| one.attribute("id").is_some_and(is_it));
        let operations = ours.flat_map(|one| one.children());
        let mut operations: Vec<_> = operations
            .filter(|one| one.has_tag_name("lrm_rsc_op"))
            .collect();
        operations.sort_by_key(|one| (number(*one, "call-id").unwrap_or(0), is_failure(*one)));
        Self(operations)
    }

    /// What they left running.
    pub(super) fn running(&self) -> Running {
        let done = self.0.iter().filter(|one| status(**one) != PENDING);
        done.fold(Running::Unknown, |before, one| after(before, *one))
    }

    /// The one that has not ended. Monitors come and go.
    pub(super) fn pending(&self) -> Option<String> {
        let pending = self.0.iter().filter(|one| status(**one) == PENDING);
        let mut names = pending.filter_map(|one| one.attribute("operation"));
        names.find(|name| *name != "monitor").map(str::to_owned)
    }

    /// The last action of each kind that came to an end.
    pub(super) fn last_actions(&self) -> Vec<Action> {
        let mut last: Vec<Action> = Vec::new();
        for one in self.0.iter().filter(|one| status(**one) == DONE) {
            let (Some(name), Some(took)) = (one.attribute("operation"), number(*one, "exec-time"))
            else {
                continue;
            };
            last.retain(|other| other.name != name);
            last.push(Action {
                name: name.to_owned(),
                took: Duration::from_millis(took.unsigned_abs()),
            });
        }
        last
    }

    /// Those that failed.
    pub(super) fn failed(&self) -> Vec<Failed> {
        let failures = self.0.iter().filter(|one| is_failure(**one));
        failures
            .filter(|one| !is_finding(**one))
            .map(|one| failed(*one))
            .collect()
    }
}

/// What runs after an action.
fn after(before: Running, one: Element<'_, '_>) -> Running {
    let name = one.attribute("operation").unwrap_or_default();
    let code = number(one, "rc-code").unwrap_or(-1);
    match (name, code) {
        ("monitor", 8 | 9) | ("promote", 0) => Running::Primary,
        ("monitor" | "start" | "demote", 0) => Running::Standby,
        ("monitor" | "demote", 7) | ("stop", 0) => Running::Stopped,
        // What a failed one left, the next action tells.
        _ => before,
    }
}

fn failed(one: Element<'_, '_>) -> Failed {
    let when = number(one, "last-rc-change");
    let text = |name: &str| one.attribute(name).unwrap_or_default().to_owned();
    Failed {
        action: text("operation"),
        code: number(one, "rc-code").unwrap_or(-1),
        reason: text("exit-reason"),
        when: when.map(|when| Duration::from_secs(when.unsigned_abs())),
    }
}

/// Pacemaker keeps the last failure of an action beside its last result.
fn is_failure(one: Element<'_, '_>) -> bool {
    let id = one.attribute("id").unwrap_or_default();
    id.contains("_last_failure_")
}

/// A probe that found something is no failure, nor is what was expected:
/// `12:3:0:…` in the key is action, transition, expected code.
fn is_finding(one: Element<'_, '_>) -> bool {
    let code = number(one, "rc-code").unwrap_or(-1);
    let key = one.attribute("transition-key").unwrap_or_default();
    let expected = key.split(':').nth(2).and_then(|code| code.parse().ok());
    let is_probe = one.attribute("interval") == Some("0") && expected == Some(7);
    let is_monitor = one.attribute("operation") == Some("monitor");
    let found = is_monitor && is_probe && [0, 7, 8].contains(&code);
    status(one) == DONE && (found || expected == Some(code))
}

fn status(one: Element<'_, '_>) -> i64 {
    number(one, "op-status").unwrap_or(DONE)
}

fn number(one: Element<'_, '_>, name: &str) -> Option<i64> {
    one.attribute(name)?.parse().ok()
}
