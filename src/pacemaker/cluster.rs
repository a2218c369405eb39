//! The handle on the cluster, as this node and this resource see it: all that the
//! agent reads there and writes.
//!
//! Steps know the cluster by this trait alone; `RealCluster` runs Pacemaker's command
//! line tools, tests have one of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use super::operations::Monitor;
use super::permanent::Permanent;
use super::tools::ToolError;
use crate::ocf::NodeName;
use crate::record::{Constraint, score};

/// An answer of `ask_ahead` that was asked for longer ago is not taken for one of now.
pub(super) const FRESH: Duration = Duration::from_secs(1);

/// The permanent attributes of all nodes, and the values of others on the members that have one.
pub type Answers = (Permanent, Vec<BTreeMap<NodeName, String>>);

/// The cluster of one resource. Everything answers by the deadline of the action.
pub trait Cluster {
    /// The resource.
    fn resource(&self) -> &str;
    /// The same cluster, which must have answered within `limit` from now.
    fn within(&self, limit: Duration) -> Box<dyn Cluster + '_>;

    /// The same cluster, of which each call may take all the time that is left: for what an
    /// action cannot do without. Any other has a share of it.
    fn unshared(&self) -> Box<dyn Cluster + '_>;

    /// This node, where the environment of the action names it.
    fn named_node(&self) -> Option<&NodeName>;
    /// This node; Pacemaker is asked where the environment does not name it.
    fn node(&self) -> Result<NodeName, ToolError>;
    /// The nodes of this partition.
    fn members(&self) -> Result<BTreeSet<NodeName>, ToolError>;
    /// The nodes, present or not, on which the resource may run.
    fn hosts(&self) -> Result<BTreeSet<NodeName>, ToolError>;
    /// Whether it has fencing.
    fn has_fencing(&self) -> Result<bool, ToolError>;
    /// Differs after every change of the configuration; `None` where that cannot be seen.
    fn configuration_version(&self) -> Option<String>;

    /// Has the permanent attributes of now answer for the rest of this action, or until it changes one
    /// itself: where clients wait for several steps that need them. The answer is not waited for.
    fn remember_permanent(&self);
    /// Begins to ask what `permanent_and_of_members` will be asked for with the same names, within a
    /// second: the answer is of now.
    fn ask_ahead(&self, names: &[&str]);
    /// The permanent attributes of all nodes, present or not.
    fn permanent(&self) -> Result<Permanent, ToolError>;
    /// Sets a permanent attribute of a node: a write of the CIB, which aborts the
    /// running transition and reaches every node's disk.
    fn set_permanent(&self, node: &NodeName, name: &str, value: &str) -> Result<(), ToolError>;
    /// Sets it while `work` is done. Only what comes after the return may rely on it.
    fn set_permanent_during(
        &self,
        attribute: (&NodeName, &str, &str),
        work: &mut dyn FnMut(),
    ) -> Result<(), ToolError>;
    /// Deletes a permanent attribute of a node.
    fn delete_permanent(&self, node: &NodeName, name: &str) -> Result<(), ToolError>;

    /// The permanent attributes of all nodes, and the values of these private or transient ones
    /// on the members that have one, asked for at once.
    fn permanent_and_of_members(&self, names: &[&str]) -> Result<Answers, ToolError>;
    /// The values of a private or transient attribute on the members that have one.
    fn of_members(&self, name: &str) -> Result<BTreeMap<NodeName, String>, ToolError>;
    /// Sets a private attribute of this node: all nodes see it, the CIB never.
    fn set_private(&self, name: &str, value: &str) -> Result<(), ToolError>;
    /// Sets several of them at once.
    fn set_private_each(&self, values: &[(&str, &str)]) -> Result<(), ToolError> {
        let mut values = values.iter();
        values.try_for_each(|(name, value)| self.set_private(name, value))
    }
    /// Deletes a private attribute of this node.
    fn delete_private(&self, name: &str) -> Result<(), ToolError>;
    /// Deletes several of them at once.
    fn delete_private_each(&self, names: &[&str]) -> Result<(), ToolError> {
        let mut names = names.iter();
        names.try_for_each(|name| self.delete_private(name))
    }
    /// Sets a transient attribute of this node, which `crm_mon -A` shows until Pacemaker
    /// stops here. It reaches the CIB: only for what is rare.
    fn set_transient(&self, name: &str, value: &str) -> Result<(), ToolError>;
    /// Deletes a transient attribute of this node.
    fn delete_transient(&self, name: &str) -> Result<(), ToolError>;

    /// What names the time since this node's machine was started, or lost power; `None` where
    /// that cannot be seen.
    fn boot(&self) -> Option<String>;
    /// The text of this node's ledger, a file; `None` before the first one.
    fn ledger(&self) -> io::Result<Option<String>>;
    /// Replaces this node's ledger; on disk when it returns.
    fn keep_ledger(&self, text: &str) -> io::Result<()>;
    /// The score by which Pacemaker would choose each node for the promotion now.
    fn promotion_scores(&self) -> Result<BTreeMap<NodeName, i32>, ToolError>;
    /// The constraints that may keep the role of the primary away from a node.
    fn constraints(&self) -> Result<Vec<Constraint>, ToolError>;

    /// The recurring monitors that are configured for the resource.
    fn monitors(&self) -> Result<Vec<Monitor>, ToolError>;

    /// Stores the promotion score of a node.
    fn set_score(&self, node: &NodeName, score: i32) -> Result<(), ToolError> {
        self.set_permanent(
            node,
            &score::NAME.of(self.resource()),
            &score::encode(score),
        )
    }
}
