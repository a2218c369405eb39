//! The cluster that this node belongs to, by Pacemaker's command line tools.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::cluster::Cluster;
use super::operations::Monitor;
use super::permanent::{self, Permanent};
use super::tools::{ToolError, Tools};
use super::{attributes, cib_file, hosts, membership, operations, options, placement};
use crate::ocf::NodeName;
use crate::record::{Constraint, Ledger};
use crate::system::{boot, kept_file};

/// The cluster of one resource, as this node sees it.
pub struct RealCluster {
    tools: Tools,
    resource: String,
}

impl RealCluster {
    /// The cluster of `resource`, reached by `tools`.
    pub fn new(tools: Tools, resource: &str) -> Self {
        Self {
            tools,
            resource: resource.to_owned(),
        }
    }
}

impl Cluster for RealCluster {
    fn resource(&self) -> &str {
        &self.resource
    }

    fn within(&self, limit: Duration) -> Box<dyn Cluster + '_> {
        Box::new(Self::new(self.tools.within(limit), &self.resource))
    }

    fn unshared(&self) -> Box<dyn Cluster + '_> {
        Box::new(Self::new(self.tools.unshared(), &self.resource))
    }

    fn named_node(&self) -> Option<&NodeName> {
        self.tools.node()
    }

    fn node(&self) -> Result<NodeName, ToolError> {
        if let Some(node) = self.tools.node() {
            return Ok(node.clone());
        }
        membership::this_node(&self.tools)?.ok_or(ToolError::Nameless)
    }

    fn members(&self) -> Result<BTreeSet<NodeName>, ToolError> {
        membership::partition(&self.tools)
    }

    fn hosts(&self) -> Result<BTreeSet<NodeName>, ToolError> {
        hosts::read(&self.tools, &self.resource)
    }

    fn has_fencing(&self) -> Result<bool, ToolError> {
        options::has_fencing(&self.tools)
    }

    fn configuration_version(&self) -> Option<String> {
        cib_file::version()
    }

    fn permanent(&self) -> Result<Permanent, ToolError> {
        Permanent::read(&self.tools)
    }

    fn set_permanent(&self, node: &NodeName, name: &str, value: &str) -> Result<(), ToolError> {
        permanent::set(&self.tools, node, name, value)
    }

    fn delete_permanent(&self, node: &NodeName, name: &str) -> Result<(), ToolError> {
        permanent::delete(&self.tools, node, name)
    }

    fn permanent_and_of_members(
        &self,
        names: &[&str],
    ) -> Result<(Permanent, Vec<BTreeMap<NodeName, String>>), ToolError> {
        let queries = names.iter().map(|name| attributes::query(name));
        let calls: Vec<_> = queries.chain([permanent::query()]).collect();
        let mut answers = self.tools.tell_each(&calls);
        let last = answers.pop().unwrap_or(Err(ToolError::Nameless));
        let values = answers.into_iter().map(attributes::values);
        Ok((
            Permanent::of_answer(last)?,
            values.collect::<Result<_, _>>()?,
        ))
    }

    fn of_members(&self, name: &str) -> Result<BTreeMap<NodeName, String>, ToolError> {
        attributes::of_all_nodes(&self.tools, name)
    }

    fn set_private(&self, name: &str, value: &str) -> Result<(), ToolError> {
        attributes::set(&self.tools, name, value)
    }

    fn set_private_each(&self, values: &[(&str, &str)]) -> Result<(), ToolError> {
        attributes::set_each(&self.tools, values)
    }

    fn delete_private_each(&self, names: &[&str]) -> Result<(), ToolError> {
        attributes::delete_each(&self.tools, names)
    }

    fn delete_private(&self, name: &str) -> Result<(), ToolError> {
        attributes::delete(&self.tools, name)
    }

    fn set_transient(&self, name: &str, value: &str) -> Result<(), ToolError> {
        attributes::announce(&self.tools, name, value)
    }

    fn delete_transient(&self, name: &str) -> Result<(), ToolError> {
        attributes::retract(&self.tools, name)
    }

    fn boot(&self) -> Option<String> {
        boot::id()
    }

    fn ledger(&self) -> io::Result<Option<String>> {
        kept_file::read(
            Path::new(kept_file::FOLDER),
            &Ledger::NAME.of(&self.resource),
        )
    }

    fn keep_ledger(&self, text: &str) -> io::Result<()> {
        let name = Ledger::NAME.of(&self.resource);
        kept_file::write(Path::new(kept_file::FOLDER), &name, text)
    }

    fn promotion_scores(&self) -> Result<BTreeMap<NodeName, i32>, ToolError> {
        placement::scores(&self.tools, &self.resource)
    }

    fn constraints(&self) -> Result<Vec<Constraint>, ToolError> {
        placement::constraints(&self.tools, &self.resource)
    }

    fn monitors(&self) -> Result<Vec<Monitor>, ToolError> {
        operations::monitors(&self.tools, &self.resource)
    }
}
