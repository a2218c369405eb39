//! Who is in the cluster.

use std::collections::BTreeSet;

use super::tools::{ToolError, Tools};
use crate::ocf::NodeName;

/// The nodes of this partition.
pub fn partition(tools: &Tools) -> Result<BTreeSet<NodeName>, ToolError> {
    let output = tools.tell("crm_node", &["--partition"])?;
    Ok(names(&output))
}

/// The names between blanks.
pub fn names(output: &str) -> BTreeSet<NodeName> {
    let words = output.split_whitespace();
    words.filter_map(NodeName::new).collect()
}

/// This node, where the environment did not say.
pub fn this_node(tools: &Tools) -> Result<Option<NodeName>, ToolError> {
    Ok(NodeName::new(&tools.tell("crm_node", &["--name"])?))
}
