//! The elections and promotions that are on record: from the reigns and claims of all nodes,
//! from this node's ledger, and from the history files of its server.
//!
//! The record of the cluster has the last election that each node won, with its time. Files
//! have every timeline of the branch, and where it began, but neither time nor node.

use std::time::Duration;

use serde_json::{Value, json};

use super::seen::Seen;
use super::table::table;
use super::time::{in_words, rfc3339};
use crate::ocf::{Line, NodeName, Style};
use crate::record::{Evidence, Reign};
use crate::wal::{History, Lsn, Timeline};

/// One election, or one timeline of which no more is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Promotion {
    /// The number of the election.
    pub election: Option<u64>,
    /// When it was held, since the epoch.
    pub when: Option<Duration>,
    /// Who won it.
    pub primary: Option<NodeName>,
    /// The timeline that was opened; of a claim it is not known.
    pub timeline: Option<Timeline>,
    /// Where it began.
    pub opened_at: Option<Lsn>,
    /// The timeline that it left.
    pub parent: Option<Timeline>,
    /// Who was primary before.
    pub from: Option<NodeName>,
    /// What kind of promotion it was.
    pub kind: Option<Kind>,
}

/// What kind of promotion it was, as far as the record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first election on record.
    First,
    /// The primary before was stopped cleanly.
    Switchover,
    /// It was not, as far as it is known.
    Failover,
    /// The same node was primary before.
    Again,
    /// A claim of which nobody knows what became of it.
    Claim,
}

impl Kind {
    fn sentence(self) -> &'static str {
        match self {
            Self::First => "first election",
            Self::Again => "promoted again",
            Self::Claim => "not seen to open its timeline",
            other => other.word(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Switchover => "switchover",
            Self::Failover => "failover",
            Self::Again => "again",
            Self::Claim => "claim",
        }
    }
}

/// All that are on record, the last one first.
pub fn past(seen: &Seen) -> Vec<Promotion> {
    let evidence = &seen.known.all;
    let mut reigns = evidence.reigns();
    reigns.sort_by_key(|reign| reign.term);
    let mut all: Vec<_> = (0..reigns.len())
        .map(|index| elected(evidence, &reigns, index))
        .collect();
    let known: Vec<_> = all.iter().map(place).collect();
    let timelines = seen.local.as_ref().map(|local| &local.timelines);
    let opened = timelines.into_iter().flatten();
    let opened = opened.map(|(timeline, history)| of_file(*timeline, history));
    all.extend(opened.filter(|one| !known.contains(&place(one))));
    all.sort_by_key(|one| std::cmp::Reverse((one.timeline, one.election)));
    all
}

/// What kind of promotion the last election led to, and from whom the role came.
pub fn how(seen: &Seen, election: u64) -> Option<String> {
    let all = past(seen);
    let last = all.iter().find(|one| one.election == Some(election))?;
    let from = last
        .from
        .as_ref()
        .filter(|from| last.primary.as_ref() != Some(from));
    let from = from.map(|from| format!(" from {from}"));
    Some(last.kind?.sentence().to_owned() + &from.unwrap_or_default())
}

fn place(one: &Promotion) -> (Option<Timeline>, Option<Lsn>) {
    (one.timeline, one.opened_at)
}

fn elected(evidence: &Evidence, reigns: &[Reign], index: usize) -> Promotion {
    let reign = &reigns[index];
    // A number that is missing in between may have been won by any of them.
    let before = index.checked_sub(1).map(|before| &reigns[before]);
    let before = before.filter(|before| before.term + 1 == reign.term);
    let parent = reign.branch.history.switches().last();
    let opened = reign.is_opened();
    Promotion {
        election: Some(reign.term),
        when: reign.particulars.held_at.map(Duration::from_secs),
        primary: Some(reign.primary.clone()),
        timeline: opened.then_some(reign.branch.timeline),
        opened_at: opened.then_some(reign.branch.lsn),
        parent: parent.filter(|_| opened).map(|switch| switch.timeline),
        from: before.map(|before| before.primary.clone()),
        kind: kind(evidence, before, reign),
    }
}

fn kind(evidence: &Evidence, before: Option<&Reign>, reign: &Reign) -> Option<Kind> {
    if !reign.is_opened() {
        return Some(Kind::Claim);
    }
    let Some(before) = before else {
        return (reign.term == 1).then_some(Kind::First);
    };
    if before.primary == reign.primary {
        return Some(Kind::Again);
    }
    let checkpoints = evidence.checkpoints();
    let mut own = checkpoints.iter().filter(|one| one.node == before.primary);
    let was_stopped = own.any(|one| one.term == Some(before.term));
    Some(if was_stopped {
        Kind::Switchover
    } else {
        Kind::Failover
    })
}

fn of_file(timeline: Timeline, history: &History) -> Promotion {
    let last = history.switches().last();
    Promotion {
        timeline: Some(timeline),
        opened_at: last.map(|switch| switch.at),
        parent: last.map(|switch| switch.timeline),
        ..Promotion::default()
    }
}

const HEADING: [&str; 8] = [
    "election",
    "when",
    "primary",
    "timeline",
    "opened at",
    "left timeline",
    "from",
    "kind",
];

/// For people.
pub fn past_lines(past: &[Promotion]) -> Vec<Line> {
    let heading = HEADING.map(|word| (Style::Faint, word.to_owned()));
    let rows = past.iter().map(row);
    let all: Vec<_> = std::iter::once(heading.into()).chain(rows).collect();
    table(&all)
}

fn row(one: &Promotion) -> Vec<(Style, String)> {
    let text = |text: Option<String>| (Style::Plain, text.unwrap_or_else(|| "-".to_owned()));
    vec![
        text(one.election.map(|term| term.to_string())),
        text(one.when.map(in_words)),
        text(one.primary.as_ref().map(ToString::to_string)),
        text(one.timeline.map(|timeline| timeline.to_string())),
        text(one.opened_at.map(|lsn| lsn.to_string())),
        text(one.parent.map(|timeline| timeline.to_string())),
        text(one.from.as_ref().map(ToString::to_string)),
        text(one.kind.map(|kind| kind.word().to_owned())),
    ]
}

/// For programs.
pub fn past_json(seen: &Seen, past: &[Promotion]) -> Value {
    let number = |timeline: Option<Timeline>| timeline.map(Timeline::as_u32);
    let all = past.iter().map(|one| {
        json!({
            "election": one.election,
            "when": one.when.map(rfc3339),
            "primary": one.primary.as_ref().map(ToString::to_string),
            "timeline": number(one.timeline),
            "opened_at": one.opened_at.map(|lsn| lsn.to_string()),
            "left": number(one.parent),
            "from": one.from.as_ref().map(ToString::to_string),
            "kind": one.kind.map(Kind::word),
        })
    });
    json!({
        "schema": "pgsqlms.history/1",
        "resource": seen.cib.resource.id,
        "checked_at": rfc3339(seen.at),
        "promotions": all.collect::<Vec<_>>(),
    })
}
