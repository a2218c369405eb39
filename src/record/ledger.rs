//! What a node keeps of elections on its own disk: the copy that no other node, no pushed
//! configuration and no restart of the cluster can take away.
//!
//! A file of root's, written whole, through a draft and a rename, fsynced with its folder:
//! before each vote, and before PostgreSQL leaves recovery. One line for whose ledger it
//! is, then one for each fact:
//!
//! ```text
//! 1;node=srv2;data=131075.1764291234567.0;boot=0c2b5e0e-…;fresh=3:2:83886080
//! reign srv1 1;term=3;opened=yes;sys=7;tl=2;lsn=…;sync=any:1:srv2,srv3;data=…
//! promise srv2 4
//! doubt srv2 4
//! stop srv1 1;node=srv1;term=3;sys=7;tl=2;lsn=…
//! ```
//!
//! Its life:
//! * *It is not there* (a new node, an update of the agent, a lost disk): it begins with what
//!   the cluster and the others know, and the data are taken for those that they were.
//! * *It cannot be written* (a full disk): that is said, and the election goes on with what
//!   the cluster's configuration keeps.
//! * *It cannot be read*, or was written by a later version: it is left as it is, and this
//!   node is not promoted before somebody looked.
//! * *It is another node's* (a cloned machine): what it says of elections is true, but the
//!   data get an identity of their own, and are fresh.
//! * *The data are others than it says* (rebuilt from a backup): they are fresh (`Fresh`) until
//!   they hold all that the elected primary has.
//! * *It is of an earlier boot* (the machine lost power): what was promised is in doubt until this
//!   node streams from a primary.
//! * *It is old* (a machine put back to a snapshot): whatever others know in later terms
//!   counts.

use thiserror::Error;

use super::data::{DataId, Fresh};
use super::evidence::Evidence;
use super::line::{FieldError, Fields, Line, escape, unescape};
use super::name::{Life, Name};
use crate::ocf::NodeName;

/// What a node keeps on its own disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Whose it is.
    pub node: NodeName,
    /// The identity of its data; `None` before it was seen first.
    pub data: Option<DataId>,
    /// The boot of the machine in which it was written; `None` where that was not told.
    pub boot: Option<String>,
    /// Whether these took the place of others that confirmed more.
    pub fresh: Option<Fresh>,
    /// What it has seen of elections.
    pub evidence: Evidence,
}

/// Why a ledger could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// One of its lines.
    #[error("line {line}: {error}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        error: FieldError,
    },
}

impl Ledger {
    /// In a folder of root's that outlives a reboot.
    pub const NAME: Name = Name::new(
        Life::File,
        "RESOURCE.ledger",
        "what this node has seen of elections, and the identity of its data; do not remove it",
    );

    /// The text of the file.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        line.push("node", escape(self.node.as_str()));
        line.push_some("data", self.data.as_ref());
        line.push_some("boot", self.boot.as_deref().map(escape));
        Fresh::push(self.fresh.as_ref(), &mut line);
        let facts = self.evidence.lines().into_iter();
        let mut text = String::new();
        for line in std::iter::once(line.finish()).chain(facts) {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Reads the text of the file.
    pub fn decode(text: &str) -> Result<Self, LedgerError> {
        let mut lines = (1..).zip(text.lines());
        let (_, head) = lines.next().ok_or(LedgerError::Empty)?;
        let at = |line| move |error| LedgerError::Line { line, error };
        let (node, data, boot, fresh) = read_head(head).map_err(at(1))?;
        let mut evidence = Evidence::default();
        for (line, fact) in lines {
            evidence.read(fact).map_err(at(line))?;
        }
        Ok(Self {
            node,
            data,
            boot,
            fresh,
            evidence,
        })
    }
}

type Head = (NodeName, Option<DataId>, Option<String>, Option<Fresh>);

fn read_head(line: &str) -> Result<Head, FieldError> {
    let fields = Fields::parse(line)?;
    let name = fields.require("node")?;
    let node = unescape(name).and_then(|name| NodeName::new(&name));
    let node = node.ok_or_else(|| FieldError::Value {
        key: "node",
        value: name.to_owned(),
    })?;
    let boot = fields.get("boot").and_then(unescape);
    let fresh = Fresh::read(&fields)?;
    Ok((node, DataId::read(&fields)?, boot, fresh))
}
