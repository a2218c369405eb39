//! Location constraints of the resource, as the cluster's configuration has them: enough
//! to name the one that keeps the role away from a node.

use crate::ocf::NodeName;

/// A constraint that may keep the role of the primary away from nodes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Constraint {
    /// Its id.
    pub id: String,
    /// The resource it is about: the clone or what is cloned.
    pub resource: String,
    /// The node, where it names one by itself or in a rule. Others are for nodes with an
    /// attribute, or at a time.
    pub node: Option<NodeName>,
}

impl Constraint {
    /// Whether `ban` or `move` made it: their `clear` removes it.
    pub fn is_of_command_line(&self) -> bool {
        self.id.starts_with("cli-")
    }
}
