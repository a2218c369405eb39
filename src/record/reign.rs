//! Who was elected, and from where: the evidence that outlives a primary.
//!
//! Two permanent attributes on the node of the primary, each one line:
//!
//! * the *claim*: written by `promote` after the election and *before*
//!   PostgreSQL leaves recovery. From this moment on commits on a new branch are
//!   possible;
//! * the *reign*: written by the primary's monitor once the branch is open, and
//!   again only when its timeline or `synchronous_standby_names` changes.
//!
//! A quiet cluster writes nothing. The one with the highest *term* was elected
//! last; timelines alone do not tell, because two nodes promoted apart from each
//! other take the same number.
//!
//! Duties of the caller: both go when the node is rewound or rebuilt. Whoever
//! starts the instance as a standby (`start`, `demote`) first ends the node's
//! own claim, by what the control file says (`ended_by`): one that came true
//! becomes the reign, one that did not is deleted.

use super::line::{FieldError, Fields, Line};
use super::sync_rule::SyncRule;
use super::vote::{push_position, read_position};
use crate::ocf::NodeName;
use crate::wal::{Position, Timeline};

/// Steps of the history that a reign carries.
pub const HISTORY_LIMIT: usize = 32;

/// Promotions that a node may have missed.
const MOST_TAKEN: usize = 100;

/// How far a reign is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The node won its election; whether PostgreSQL left recovery is not known.
    Claimed,
    /// The node was seen as a primary on its own branch.
    Opened,
}

/// One node's time as primary: its claim, or what its monitor saw.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reign {
    /// The node. Not part of the line: it is the node that has the attribute.
    pub primary: NodeName,
    /// Counts elections. Higher than all terms known when it was written.
    pub term: u64,
    /// Claimed or opened.
    pub stage: Stage,
    /// Claimed: what the node held when it was elected. Opened: its timeline,
    /// and as LSN where that timeline began.
    pub branch: Position,
    /// `synchronous_standby_names` of this primary; `None` if empty.
    pub sync: Option<SyncRule>,
}

impl Reign {
    /// The name of the permanent attribute with a node's claim.
    pub fn claim_attribute(resource: &str) -> String {
        format!("claim-{resource}")
    }

    /// The name of the permanent attribute with a node's reign.
    pub fn attribute(resource: &str) -> String {
        format!("reign-{resource}")
    }

    /// What `promote` publishes before PostgreSQL leaves recovery. `known` are
    /// the claims and reigns of all nodes, `position` what the candidate holds.
    pub fn claim(
        primary: NodeName,
        position: Position,
        sync: Option<SyncRule>,
        known: &[Reign],
    ) -> Self {
        let term = next_term(known);
        Self {
            primary,
            term,
            stage: Stage::Claimed,
            branch: position,
            sync,
        }
    }

    /// Whether the primary was seen on its own branch; else it is a claim.
    pub fn is_opened(&self) -> bool {
        self.stage == Stage::Opened
    }

    /// The line to publish.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        line.push("term", self.term);
        let opened = self.stage == Stage::Opened;
        line.push("opened", if opened { "yes" } else { "no" });
        push_position(&mut line, &self.branch, HISTORY_LIMIT);
        line.push_some("sync", self.sync.as_ref().map(SyncRule::encode));
        line.finish()
    }

    /// Reads the attribute of `primary`.
    pub fn decode(primary: NodeName, text: &str) -> Result<Self, FieldError> {
        let fields = Fields::parse(text)?;
        let opened = fields
            .flag("opened")?
            .ok_or(FieldError::Missing("opened"))?;
        Ok(Self {
            primary,
            term: fields.number("term")?.ok_or(FieldError::Missing("term"))?,
            stage: if opened {
                Stage::Opened
            } else {
                Stage::Claimed
            },
            branch: read_position(&fields)?,
            sync: fields.get("sync").map(SyncRule::decode).transpose()?,
        })
    }
}

/// The reign that was elected last.
pub fn last_reign(reigns: &[Reign]) -> Option<&Reign> {
    last_of(reigns.iter())
}

/// The node that was elected last, if that is not `node`: then `node` is a primary by
/// no election. `None` also where no election is on record.
pub fn elected_instead_of<'a>(node: &NodeName, known: &'a [Reign]) -> Option<&'a NodeName> {
    let elected = &last_reign(known)?.primary;
    (elected != node).then_some(elected)
}

/// The one of these reigns that was elected last.
pub fn last_of<'a>(reigns: impl Iterator<Item = &'a Reign>) -> Option<&'a Reign> {
    reigns.max_by_key(|reign| (reign.term, reign.branch.timeline))
}

/// The highest timeline that was opened, or may have been: by a claim, the first one
/// that was free then. PostgreSQL itself knows only of those whose history it has.
pub fn newest_timeline(known: &[Reign]) -> Option<Timeline> {
    let mut by_term: Vec<_> = known.iter().collect();
    by_term.sort_by_key(|reign| reign.term);
    by_term.into_iter().fold(None, |newest, reign| {
        let own = Some(reign.branch.timeline);
        match reign.stage {
            Stage::Opened => newest.max(own),
            Stage::Claimed => newest.max(own).and_then(Timeline::next),
        }
    })
}

/// The timelines that a promotion on `own` must not open. The error is a newest one
/// that is too far away to be true: an attribute is damaged.
pub fn taken_timelines(own: Timeline, known: &[Reign]) -> Result<Vec<Timeline>, Timeline> {
    let newest = newest_timeline(known).unwrap_or(own);
    let taken: Vec<_> = own.up_to(newest).take(MOST_TAKEN + 1).collect();
    if taken.len() > MOST_TAKEN {
        return Err(newest);
    }
    Ok(taken)
}

/// The term of the next election: higher than all that are known.
pub fn next_term(known: &[Reign]) -> u64 {
    let highest = known.iter().map(|reign| reign.term).max();
    highest.map_or(1, |term| term.saturating_add(1))
}
