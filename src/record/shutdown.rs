//! What any new primary must hold: the end of a primary that was stopped cleanly.
//!
//! A primary that is demoted writes a shutdown checkpoint as its last record.
//! Whoever holds that record holds all of its commits. The demoted node
//! publishes where the record starts, and the survivors copy that in
//! post-demote, so that the fact outlives the node.
//!
//! A floor needs no cleaning: it binds until a primary was elected after it and
//! its branch is open (`Reign::settles`). From then on a standby that had not
//! received it is like any other that lags behind.
//!
//! A node that somebody promoted by hand publishes a floor as well when
//! Pacemaker demotes it. No reign ended there, so it binds nobody; and it shows
//! that the node's timeline was never elected.

use super::line::{FieldError, Fields, Line};
use crate::ocf::NodeName;
use crate::wal::{Lsn, Position, SystemId, Timeline};

/// The shutdown checkpoint of a demoted primary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Floor {
    /// The node that was demoted.
    pub node: NodeName,
    /// The term of its reign; 0 if it had published none, `None` if it could not
    /// be read. See `Reign::settles`.
    pub term: Option<u64>,
    /// The database it ran; a floor says nothing about another one.
    pub system: Option<SystemId>,
    /// The timeline it was primary on. Source: `pg_controldata`, "Latest
    /// checkpoint's TimeLineID".
    pub timeline: Timeline,
    /// Where its shutdown checkpoint record starts. Source: `pg_controldata`,
    /// "Latest checkpoint location".
    pub lsn: Lsn,
}

impl Floor {
    /// The name of the attribute of the demoted node.
    pub fn attribute(resource: &str) -> String {
        format!("shutdown-{resource}")
    }

    /// The name of the attribute in which the other nodes keep their copy.
    pub fn copy_attribute(resource: &str) -> String {
        format!("shutdown-seen-{resource}")
    }

    /// One line; it names the node because copies stand on other nodes.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        line.push("node", super::line::escape(self.node.as_str()));
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
        let node = super::line::unescape(name).and_then(|name| NodeName::new(&name));
        Ok(Self {
            node: node.ok_or_else(wrong)?,
            term: fields.number("term")?,
            system: fields.get("sys").map(SystemId::from_decimal).transpose()?,
            timeline: Timeline::from_decimal(fields.require("tl")?)?,
            lsn: Lsn::from_decimal(fields.require("lsn")?)?,
        })
    }

    /// Whether the floor is one of the database that a position belongs to.
    pub fn concerns(&self, position: &Position) -> bool {
        !matches!((self.system, position.system), (Some(a), Some(b)) if a != b)
    }

    /// Whether a position holds the record. `None`: its known history does not
    /// reach back to the floor's timeline.
    pub fn is_held_by(&self, position: &Position) -> Option<bool> {
        position.holds(self.timeline, self.lsn)
    }
}
