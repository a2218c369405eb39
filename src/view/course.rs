//! The course of a switchover, from one state of the cluster to the next, and its end.

use std::time::Duration;

use super::Cib;
use super::cib::Running;
use super::problem::Health;
use super::text::style;
use crate::ocf::{Line, NodeName, Style};

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The old primary still is one.
    Waits,
    /// It is no more, and nobody is yet.
    Between,
    /// The new one failed, or refused.
    Failed,
    /// The new one is the primary.
    Done,
    /// The old one is it again.
    Back,
    /// A third one is.
    Elsewhere(NodeName),
}

/// The switchover that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// From whom.
    pub from: NodeName,
    /// To whom.
    pub to: NodeName,
    has_begun: bool,
}

impl Course {
    /// One that has not begun.
    pub fn new(from: NodeName, to: NodeName) -> Self {
        Self {
            from,
            to,
            has_begun: false,
        }
    }

    /// How far it is by this state of the cluster. What failed before it began was a reason
    /// not to begin, so each failure in it is its own.
    pub fn stage(&mut self, cib: &Cib) -> Stage {
        let is_primary = |node: &&NodeName| runs(cib, node) == Running::Primary;
        let primaries: Vec<_> = cib.nodes.keys().filter(is_primary).collect();
        let has_failed = cib
            .nodes
            .get(&self.to)
            .is_some_and(|to| !to.failed.is_empty());
        match primaries.as_slice() {
            [] => {
                self.has_begun = true;
                if has_failed {
                    Stage::Failed
                } else {
                    Stage::Between
                }
            }
            [one] if **one == self.to => Stage::Done,
            [one] if **one != self.from => Stage::Elsewhere((*one).clone()),
            [_] if self.has_begun => Stage::Back,
            [_] if has_failed => Stage::Failed,
            // Of two, one was not seen to end: its node is being fenced.
            _ => Stage::Waits,
        }
    }

    /// How long the demotion took, by its result.
    pub fn demotion(&self, cib: &Cib) -> Option<Duration> {
        let mut actions = cib.nodes.get(&self.from)?.actions.iter();
        let demote = actions.find(|action| action.name == "demote")?;
        Some(demote.took)
    }

    /// Whether the old primary is a standby.
    pub fn is_settled(&self, cib: &Cib) -> bool {
        runs(cib, &self.from) == Running::Standby
    }

    /// Whether Pacemaker has not ended an action on any node.
    pub fn is_pending(&self, cib: &Cib) -> bool {
        cib.nodes.values().any(|node| node.pending.is_some())
    }

    /// Why it failed, in the agent's words.
    pub fn reason(&self, cib: &Cib) -> Option<String> {
        let of = |node: &NodeName| {
            let failed = cib.nodes.get(node)?.failed.last()?;
            let reason = Some(failed.reason.as_str()).filter(|reason| !reason.is_empty());
            let reason = reason
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            Some(format!("{} failed on {node}{reason}", failed.action))
        };
        of(&self.to).or_else(|| cib.nodes.keys().find_map(of))
    }
}

fn runs(cib: &Cib, node: &NodeName) -> Running {
    let facts = cib.nodes.get(node);
    facts.map_or(Running::Unknown, |facts| facts.running)
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The last stage that was seen; `None`: the cluster did not answer.
    pub stage: Option<Stage>,
    /// Why it failed, in the agent's words.
    pub reason: Option<String>,
    /// How long nobody was the primary, by Pacemaker's results.
    pub blocked: Option<Duration>,
    /// Whether the old primary was seen as a standby.
    pub is_settled: bool,
    /// What ended it before its time.
    pub cut_short: Option<String>,
    /// The constraint that could not be removed, and by what command it can be.
    pub left: Option<(String, String)>,
}

impl Ending {
    /// 0 done, 1 the role is where it was or elsewhere, 3 that cannot be told, or something of
    /// it is left in the cluster.
    pub fn health(&self) -> Health {
        match &self.stage {
            _ if self.left.is_some() => Health::Unknown,
            Some(Stage::Done) => Health::Well,
            Some(Stage::Waits | Stage::Back | Stage::Elsewhere(_)) => Health::Attention,
            Some(Stage::Between | Stage::Failed) | None => Health::Unknown,
        }
    }

    /// For people.
    pub fn lines(&self, course: &Course) -> Vec<Line> {
        let mut all: Vec<_> = self
            .cut_short
            .iter()
            .map(|why| Line::of(Style::Warn, why))
            .collect();
        let constraint = match &self.left {
            None => "the constraint is gone".to_owned(),
            Some((id, _)) => format!("the constraint {id} could not be removed"),
        };
        let text = format!("{}; {constraint}.", self.sentence(course));
        all.push(Line::of(style(self.health()), text));
        all.extend(
            self.left
                .iter()
                .map(|(_, cure)| Line::plain(format!("    {cure}"))),
        );
        let cures = self.reason.iter().map(|_| "    pgsqlms status");
        all.extend(cures.map(Line::plain));
        all
    }

    fn sentence(&self, course: &Course) -> String {
        let Course { from, to, .. } = course;
        let because = self.reason.as_ref().map(|reason| format!(" ({reason})"));
        let because = because.unwrap_or_default();
        match &self.stage {
            Some(Stage::Done) => self.done(course),
            Some(Stage::Waits) => format!("the role did not move: {from} is the primary{because}"),
            Some(Stage::Back) => format!("the role went back: {from} is the primary{because}"),
            Some(Stage::Elsewhere(other)) => {
                format!("{other} is the primary, neither {from} nor {to}{because}")
            }
            Some(Stage::Between | Stage::Failed) => {
                format!("nobody is the primary yet{because}: see pgsqlms status")
            }
            None => "what became of it is not known: see pgsqlms status".to_owned(),
        }
    }

    fn done(&self, Course { from, to, .. }: &Course) -> String {
        let old = if self.is_settled {
            format!("{from} is a standby")
        } else {
            format!("{from} is no standby yet")
        };
        let blocked = self
            .blocked
            .map(|time| format!("; clients were blocked for {:.1} s", time.as_secs_f64()));
        format!("{to} is the primary, {old}{}", blocked.unwrap_or_default())
    }
}
