//! Where a primary was stopped cleanly: what any new primary must hold.
//!
//! A primary that is demoted writes a shutdown checkpoint as its last record.
//! Whoever holds that record holds all of its commits. The demoted node publishes
//! where the record starts. Before a promotion the other nodes take that into their ledgers and
//! votes, in case the demoted node goes away, and a later monitor makes a copy of it; where nobody is
//! promoted, post-demote does.
//!
//! The attribute needs no cleaning: it binds until a later primary was elected and
//! has opened its branch (`Reign::supersedes`). From then on a standby that misses
//! the record is like any other that lags behind.
//!
//! A node that somebody promoted by hand publishes a shutdown checkpoint too when
//! Pacemaker demotes it. No reign ended there, so it binds nobody; but it shows
//! that the node's timeline was never elected.

use super::line::{FieldError, Fields, Line, escape, unescape};
use super::name::{Life, Name};
use super::reign::{Reign, last_term_of};
use crate::ocf::NodeName;
use crate::wal::{Lsn, Place, Position, SystemId, Timeline};

/// The shutdown checkpoint of a demoted primary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShutdownCheckpoint {
    /// The node that was demoted.
    pub node: NodeName,
    /// The term of its reign; 0 if it had published none, `None` if it could not
    /// be read. See `Reign::supersedes`.
    pub term: Option<u64>,
    /// The database it ran. The checkpoint binds no node of another one.
    pub system: Option<SystemId>,
    /// The timeline it was primary on. Source: `pg_controldata`, "Latest
    /// checkpoint's TimeLineID".
    pub timeline: Timeline,
    /// Where the record starts. Source: `pg_controldata`, "Latest checkpoint
    /// location".
    pub lsn: Lsn,
}

impl ShutdownCheckpoint {
    /// On the demoted node.
    pub const NAME: Name = Name::new(
        Life::Private,
        "shutdown-RESOURCE",
        "where its shutdown checkpoint is",
    );

    /// On all other nodes.
    pub const COPY_NAME: Name = Name::new(
        Life::Private,
        "shutdown-seen-RESOURCE",
        "a copy of it, in case the demoted node goes away",
    );

    /// The shutdown checkpoint of a node that was primary and has stopped: the record
    /// that starts at `start`. `reigns` are the claims and reigns of all nodes, or
    /// `None` if nobody tells.
    pub fn of(node: NodeName, system: SystemId, start: Place, reigns: Option<&[Reign]>) -> Self {
        Self {
            term: reigns.map(|reigns| last_term_of(&node, reigns)),
            node,
            system: Some(system),
            timeline: start.timeline,
            lsn: start.lsn,
        }
    }

    /// The line. It names the node because copies stand on other nodes.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        line.push("node", escape(self.node.as_str()));
        line.push_some("term", self.term);
        line.push_some("sys", self.system);
        line.push("tl", self.timeline);
        line.push("lsn", self.lsn.as_u64());
        line.finish()
    }

    /// Reads the line, from the demoted node or from a copy.
    pub fn decode(text: &str) -> Result<Self, FieldError> {
        let fields = Fields::parse(text)?;
        let name = fields.require("node")?;
        let wrong = || FieldError::Value {
            key: "node",
            value: name.to_owned(),
        };
        let node = unescape(name).and_then(|name| NodeName::new(&name));
        Ok(Self {
            node: node.ok_or_else(wrong)?,
            term: fields.number("term")?,
            system: fields.get("sys").map(SystemId::from_decimal).transpose()?,
            timeline: Timeline::from_decimal(fields.require("tl")?)?,
            lsn: Lsn::from_decimal(fields.require("lsn")?)?,
        })
    }

    /// What a node copies of all that is published or known: the newest of those nodes. Older ones
    /// may be left on other nodes.
    pub fn to_copy<'a>(
        published: impl Iterator<Item = (&'a NodeName, &'a String)>,
        is_demoted: impl Fn(&NodeName) -> bool,
    ) -> Option<&'a str> {
        let news = published
            .filter(|(node, _)| is_demoted(node))
            .filter_map(|(_, line)| Some((Self::decode(line).ok()?, line.as_str())))
            .max_by_key(|(checkpoint, _)| (checkpoint.timeline, checkpoint.lsn));
        news.map(|(_, line)| line)
    }

    /// Whether it is of the database that a position belongs to.
    pub fn concerns(&self, position: &Position) -> bool {
        !matches!((self.system, position.system), (Some(a), Some(b)) if a != b)
    }

    /// Whether a position holds the record. `None`: its known history does not
    /// reach back to the checkpoint's timeline.
    pub fn is_held_by(&self, position: &Position) -> Option<bool> {
        position.holds(self.timeline, self.lsn)
    }
}
