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
//! In a quiet cluster nobody writes either. The node whose claim or reign has the
//! highest *term* was elected last. Timelines do not tell that: two nodes that are
//! promoted apart from each other take the same number.
//!
//! Both attributes are deleted when the node is rewound. Before the agent starts the
//! instance as a standby, it ends the node's own claim by what the control file says
//! (`election::EndOfClaim`): a claim that came true becomes the reign, any other is
//! deleted.

use std::collections::BTreeSet;

use super::confirmers::{Confirmers, EarlierRules, Names, decode_names, encode_names};
use super::data::DataId;
use super::line::{FieldError, Fields, Line, push_position, read_position};
use super::name::{Life, Name};
use super::sync_rule::SyncRule;
use crate::ocf::NodeName;
use crate::wal::{Position, Timeline};

/// How far a reign is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The node won its election; whether PostgreSQL left recovery is not known.
    Claimed,
    /// The node was seen as a primary on its own branch.
    Opened,
}

/// One node's time as primary: its claim, or what its monitor saw.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reign {
    /// The node. It is not in the line, since the attribute stands on that node.
    pub primary: NodeName,
    /// The number of the election: higher than all terms known when it was held.
    pub term: u64,
    /// Claimed or opened.
    pub stage: Stage,
    /// Claimed: what the node held when it was elected. Opened: its timeline,
    /// and as LSN where that timeline began.
    pub branch: Position,
    /// `synchronous_standby_names` of this primary; `None` if empty.
    pub sync: Option<SyncRule>,
    /// What the first version of the agent neither wrote nor read.
    pub particulars: Particulars,
}

/// What stands under keys that the first version of the agent ignores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Particulars {
    /// The identity of the data that the node held when it was elected.
    pub data: Option<DataId>,
    /// How often the line was changed within its term: of two copies the later one counts.
    pub revision: u64,
    /// Of a claim: the timeline that the promotion opens, if it opens one.
    pub opens: Option<Timeline>,
    /// When the election was held, in seconds since the epoch.
    pub held_at: Option<u64>,
    /// Who confirms commits, where the rule alone does not tell: it names any standby, or
    /// receivers of WAL share a name.
    pub confirm: Option<Names>,
    /// Who confirmed them before.
    pub older: EarlierRules,
}

impl Reign {
    /// On the node of the primary.
    pub const NAME: Name = Name::new(
        Life::Permanent,
        "reign-RESOURCE",
        "which branch was elected, in which election, with which synchronous standbys",
    );

    /// On the node that is being promoted.
    pub const CLAIM_NAME: Name = Name::new(
        Life::Permanent,
        "claim-RESOURCE",
        "the same, before PostgreSQL leaves recovery; the first monitor of the new primary \
         replaces it by its reign",
    );

    /// On a node that was being promoted.
    pub const ENDED_NAME: Name = Name::new(
        Life::Permanent,
        "ended-RESOURCE",
        "up to which election its claims came to nothing: copies of them, which other nodes \
         have, bind nobody",
    );

    /// What `promote` publishes before PostgreSQL leaves recovery. `position` is what the
    /// candidate holds, `term` the number of its election (`Ballot::next_term`).
    pub fn claim(primary: NodeName, position: Position, sync: Option<SyncRule>, term: u64) -> Self {
        Self {
            primary,
            term,
            stage: Stage::Claimed,
            branch: position,
            sync,
            particulars: Particulars::default(),
        }
    }

    /// Whether the primary was seen on its own branch; else it is a claim.
    pub fn is_opened(&self) -> bool {
        self.stage == Stage::Opened
    }

    /// Who confirms its commits; `None` if nobody has to. Where that was not told, `*` means all
    /// nodes of the cluster.
    pub fn confirmers(&self, nodes: &BTreeSet<NodeName>) -> Option<Confirmers> {
        let rule = self.sync.as_ref()?;
        let Some(names) = self.particulars.confirm.clone() else {
            let any = nodes.iter().map(NodeName::to_string).collect();
            return Some(Confirmers::of(rule, &self.primary, &any));
        };
        let count = rule.count;
        Some(Confirmers { count, names })
    }

    /// The line to publish.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        line.push("term", self.term);
        let opened = self.stage == Stage::Opened;
        line.push("opened", if opened { "yes" } else { "no" });
        push_position(&mut line, &self.branch);
        line.push_some("sync", self.sync.as_ref().map(SyncRule::encode));
        self.particulars.push(&mut line);
        line.finish()
    }

    /// The line that says up to which term a node's claims came to nothing.
    pub fn encode_ended(term: u64) -> String {
        let mut line = Line::new();
        line.push("term", term);
        line.finish()
    }

    /// Reads it.
    pub fn decode_ended(text: &str) -> Result<u64, FieldError> {
        let fields = Fields::parse(text)?;
        fields.number("term")?.ok_or(FieldError::Missing("term"))
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
            particulars: Particulars::read(&fields)?,
        })
    }
}

impl Particulars {
    fn push(&self, line: &mut Line) {
        line.push_some("data", self.data.as_ref());
        let revision = (self.revision > 0).then_some(self.revision);
        line.push_some("rev", revision);
        line.push_some("opens", self.opens);
        line.push_some("at", self.held_at);
        line.push_some("confirm", self.confirm.as_ref().map(encode_names));
        line.push_some("older", self.older.encode());
    }

    fn read(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let opens = fields.get("opens").map(Timeline::from_decimal);
        let older = fields.get("older").map(EarlierRules::decode).transpose()?;
        let confirm = fields.get("confirm").map(read_names).transpose()?;
        Ok(Self {
            confirm,
            older: older.unwrap_or_default(),
            data: DataId::read(fields)?,
            revision: fields.number("rev")?.unwrap_or(0),
            opens: opens.transpose()?,
            held_at: fields.number("at")?,
        })
    }
}

fn read_names(text: &str) -> Result<Names, FieldError> {
    decode_names(text).ok_or_else(|| FieldError::Value {
        key: "confirm",
        value: text.to_owned(),
    })
}

/// The reign that was elected last.
pub fn last_reign(reigns: &[Reign]) -> Option<&Reign> {
    last_of(reigns.iter())
}

/// The one of these reigns that was elected last.
pub fn last_of<'a>(reigns: impl Iterator<Item = &'a Reign>) -> Option<&'a Reign> {
    reigns.max_by_key(|reign| (reign.term, reign.branch.timeline))
}

/// The term of the last election; 0 before the first.
pub fn last_term(reigns: &[Reign]) -> u64 {
    reigns.iter().map(|reign| reign.term).max().unwrap_or(0)
}

/// The term of the last election that a node won; 0 if it won none under this agent.
pub fn last_term_of(node: &NodeName, reigns: &[Reign]) -> u64 {
    let own = reigns.iter().filter(|reign| reign.primary == *node);
    own.map(|reign| reign.term).max().unwrap_or(0)
}

/// The term of the next election: higher than all that are known.
pub fn next_term(reigns: &[Reign]) -> u64 {
    last_term(reigns).saturating_add(1)
}
