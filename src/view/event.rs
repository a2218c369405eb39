//! From what Pacemaker tells an alert agent, and from the cluster's configuration at that time, to
//! the events that concern this agent's resources.

use std::time::Duration;

use serde_json::{Value, json};

use super::alert::{Alert, What};
use super::cib::Running;
use super::seen::Seen;
use super::time::rfc3339;
use crate::ocf::NodeName;
use crate::record::{Divergence, Reign};

/// What happened. The words are a promise: `word` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A standby is the primary now.
    Promoted,
    /// A promotion was refused: commits could be lost.
    PromotionRefused,
    /// A node gave way to another one in an election.
    PromotionAborted,
    /// Another action failed.
    Failed,
    /// A standby holds what the primary does not.
    Diverged,
    /// It does no more: it was rewound, or built anew.
    Rewound,
    /// A node was fenced.
    Fenced,
    /// No standby may be promoted.
    NoCandidate,
}

impl Kind {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::PromotionRefused => "promotion_refused",
            Self::PromotionAborted => "promotion_aborted",
            Self::Failed => "failed",
            Self::Diverged => "diverged",
            Self::Rewound => "rewound",
            Self::Fenced => "fenced",
            Self::NoCandidate => "no_candidate",
        }
    }

    /// Where it says what to do.
    fn runbook(self) -> &'static str {
        match self {
            Self::Promoted | Self::Fenced => "docs/cookbook.md#see-what-happened",
            Self::PromotionRefused | Self::NoCandidate => {
                "docs/troubleshooting.md#nobody-is-promoted"
            }
            Self::PromotionAborted => "docs/troubleshooting.md#another-node-is-promoted",
            Self::Failed => "docs/troubleshooting.md",
            Self::Diverged | Self::Rewound => "docs/cookbook.md#rewind-the-node",
        }
    }
}

/// One event of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// The node that it is about.
    pub node: NodeName,
    /// When, since the epoch.
    pub at: Duration,
    /// The action that it was, its exit code, and how long it took.
    pub action: Option<(String, i64, Option<Duration>)>,
    /// Why, in the words of the agent or of Pacemaker.
    pub reason: Option<String>,
}

impl Event {
    /// The resource that an alert is about, where it names one: the configuration is to be looked
    /// at for that.
    pub fn resource_of(what: &What) -> Option<&str> {
        match what {
            What::Action { resource, .. } => Some(resource),
            What::Attribute { name, .. } => diverged_one(name),
            What::Fencing { .. } | What::Membership { .. } => None,
        }
    }

    /// Whether an alert may be of an event at all; what succeeds as expected is none.
    pub fn may_be(what: &What) -> bool {
        match what {
            What::Action {
                task, is_expected, ..
            } => !is_expected || task == "promote",
            What::Attribute { name, .. } => diverged_one(name).is_some(),
            What::Fencing { .. } => true,
            What::Membership { is_lost } => *is_lost,
        }
    }

    /// Whether all nodes are told of it, and one should pass it on.
    pub fn is_told_to_all(what: &What) -> bool {
        matches!(what, What::Fencing { .. } | What::Membership { .. })
    }

    /// Whether the configuration has the reason of this failure already: it is written at the
    /// time at which the alert is sent.
    pub fn is_explained(alert: &Alert, seen: &Seen) -> bool {
        match &alert.what {
            What::Action {
                task,
                is_expected: false,
                ..
            } => reason(seen, alert, task).is_some(),
            _ => true,
        }
    }

    /// The events of an alert.
    pub fn of(alert: &Alert, seen: &Seen) -> Vec<Self> {
        let mut events: Vec<_> = Self::itself(alert, seen).into_iter().collect();
        let takes_primary_away = match &alert.what {
            What::Fencing { succeeded, .. } => *succeeded,
            What::Membership { is_lost } => *is_lost,
            What::Action { is_expected, .. } => !is_expected,
            What::Attribute { .. } => false,
        };
        if takes_primary_away && has_no_candidate(seen) {
            let reason = "no member of the cluster has a promotion score that is not negative";
            events.push(Self {
                reason: Some(reason.to_owned()),
                ..Self::plain(Kind::NoCandidate, alert)
            });
        }
        events
    }

    fn plain(kind: Kind, alert: &Alert) -> Self {
        Self {
            kind,
            node: alert.node.clone(),
            at: alert.at,
            action: None,
            reason: None,
        }
    }

    fn itself(alert: &Alert, seen: &Seen) -> Option<Self> {
        match &alert.what {
            What::Action { .. } => of_action(alert, seen),
            What::Attribute { value, .. } => {
                let how = value.as_deref().and_then(Divergence::decode);
                let kind = if how.is_some() {
                    Kind::Diverged
                } else {
                    Kind::Rewound
                };
                Some(Self {
                    reason: how.map(|how| how.to_string()),
                    ..Self::plain(kind, alert)
                })
            }
            What::Fencing { succeeded, words } => Some(Self {
                reason: Some(words.clone()),
                ..Self::plain(
                    if *succeeded {
                        Kind::Fenced
                    } else {
                        Kind::Failed
                    },
                    alert,
                )
            }),
            What::Membership { .. } => None,
        }
    }
}

fn diverged_one(name: &str) -> Option<&str> {
    name.strip_prefix("diverged-")
}

fn of_action(alert: &Alert, seen: &Seen) -> Option<Event> {
    let What::Action {
        task,
        code,
        is_expected,
        took,
        words,
        ..
    } = &alert.what
    else {
        return None;
    };
    if *is_expected && task != "promote" {
        return None;
    }
    let reason = reason(seen, alert, task).filter(|_| !is_expected);
    let begins = |with: &str| reason.as_deref().is_some_and(|text| text.starts_with(with));
    let kind = match task.as_str() {
        _ if *is_expected => Kind::Promoted,
        "promote" if begins("Promotion refused") => Kind::PromotionRefused,
        "promote" if begins("Promotion aborted") => Kind::PromotionAborted,
        _ => Kind::Failed,
    };
    let in_words = || Some(words.clone()).filter(|words| !is_expected && !words.is_empty());
    Some(Event {
        action: Some((task.clone(), *code, *took)),
        reason: reason.or_else(in_words),
        ..Event::plain(kind, alert)
    })
}

/// The agent's own words, which only the configuration has.
fn reason(seen: &Seen, alert: &Alert, task: &str) -> Option<String> {
    let mut failed = seen.cib.nodes.get(&alert.node)?.failed.iter().rev();
    let found = failed.find(|failed| failed.action == task)?;
    (!found.reason.is_empty()).then(|| found.reason.clone())
}

/// No primary, and Pacemaker may promote no standby that runs.
fn has_no_candidate(seen: &Seen) -> bool {
    let is_candidate = |node: &&NodeName| seen.scores.get(*node).is_some_and(|score| *score >= 0);
    let standbys = seen.with(Running::Standby);
    let has_primary = !seen.with(Running::Primary).is_empty();
    !has_primary && !standbys.is_empty() && !standbys.iter().any(is_candidate)
}

/// The event for programs, in one line.
pub fn event_json(event: &Event, seen: &Seen) -> Value {
    let elected = elected(event, seen);
    let before = elected.as_ref().and_then(|reign| before(seen, reign));
    let (task, code, took) = match &event.action {
        Some((task, code, took)) => (Some(task), Some(code), took.as_ref()),
        None => (None, None, None),
    };
    json!({
        "schema": "pgsqlms.event/1",
        "event": event.kind.word(),
        "time": rfc3339(event.at),
        "cluster": seen.cib.options.get("cluster-name"),
        "resource": seen.cib.resource.id,
        "node": event.node.as_str(),
        "previous": before.map(|reign| reign.primary.to_string()),
        "election": elected.as_ref().map(|reign| reign.term),
        "timeline": elected.as_ref().and_then(timeline),
        "action": task,
        "code": code,
        "action_ms": took.map(Duration::as_millis).and_then(|ms| u64::try_from(ms).ok()),
        "reason": event.reason,
        "runbook": event.kind.runbook(),
        "text": sentence(event, &seen.cib.resource.id),
    })
}

fn timeline(reign: &Reign) -> Option<u32> {
    let opened = reign.is_opened().then_some(reign.branch.timeline);
    reign
        .particulars
        .opens
        .or(opened)
        .map(|timeline| timeline.as_u32())
}

/// The election that a promotion follows from.
fn elected(event: &Event, seen: &Seen) -> Option<Reign> {
    let last = seen.last_reign()?;
    (event.kind == Kind::Promoted && last.primary == event.node).then_some(last)
}

fn before(seen: &Seen, last: &Reign) -> Option<Reign> {
    let mut reigns = seen.known.all.reigns();
    reigns.retain(|reign| reign.term < last.term);
    reigns.into_iter().max_by_key(|reign| reign.term)
}

fn sentence(event: &Event, resource: &str) -> String {
    let node = &event.node;
    let what = match event.kind {
        Kind::Promoted => format!("{node} is the primary of {resource}"),
        Kind::PromotionRefused => format!("{node} was not promoted"),
        Kind::PromotionAborted => format!("{node} gave way to another node"),
        Kind::Failed => match &event.action {
            Some((task, ..)) => format!("{task} of {resource} failed on {node}"),
            None => format!("fencing of {node} failed"),
        },
        Kind::Diverged => format!("{node} has diverged"),
        Kind::Rewound => format!("{node} follows the primary again"),
        Kind::Fenced => format!("{node} was fenced"),
        Kind::NoCandidate => format!("nobody can take over {resource}"),
    };
    match &event.reason {
        Some(reason) => format!("{what}: {reason}"),
        None => what,
    }
}
