//! The name of a cluster node, as Pacemaker spells it.
//!
//! Node names reach us from notify lists, attributes and
//! `pg_stat_replication.application_name`. They are data: compared by
//! equality, never turned into a pattern or a command line
//! (`srv1` is not `srv10`, and a dot is a dot).

use std::fmt;

/// A node name. Case matters, as it does to corosync.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(String);

impl NodeName {
    /// Takes a name as it was given; surrounding blanks are not part of it.
    /// `None` if nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let name = text.trim();
        (!name.is_empty()).then(|| Self(name.to_owned()))
    }

    /// The name as text, for argv and messages.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
