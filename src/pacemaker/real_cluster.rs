//! The cluster that this node belongs to, by Pacemaker's command line tools.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::operations::Monitor;
use super::permanent::{self, Permanent};
use super::tools::{Begun, ToolError, Tools};
use super::{attributes, cib_file, hosts, membership, operations, options, placement};
use crate::ocf::{NodeName, time};
use crate::record::{Constraint, Ledger};
use crate::system::{boot, kept_file};

/// The cluster of one resource, as this node sees it.
pub struct RealCluster {
    tools: Tools,
    resource: String,
    /// What this action has read once for all of its steps.
    remembered: Rc<RefCell<Option<Permanent>>>,
    /// What it has asked and not heard the answer of.
    ahead: Rc<RefCell<Option<Ahead>>>,
}

/// Questions on their way: for these attributes of all members, and for the permanent ones.
struct Ahead {
    names: Vec<String>,
    calls: Vec<Begun>,
    since: Instant,
}

/// An answer that was asked for longer ago is not taken for one of now.
const FRESH: Duration = Duration::from_secs(1);

impl RealCluster {
    /// The cluster of `resource`, reached by `tools`.
    pub fn new(tools: Tools, resource: &str) -> Self {
        Self {
            tools,
            resource: resource.to_owned(),
            remembered: Rc::default(),
            ahead: Rc::default(),
        }
    }

    /// The same cluster, reached by other tools.
    fn by(&self, tools: Tools) -> Self {
        Self {
            tools,
            resource: self.resource.clone(),
            remembered: Rc::clone(&self.remembered),
            ahead: Rc::clone(&self.ahead),
        }
    }

    /// What was read before is not so any more.
    fn forget(&self) {
        self.remembered.take();
        self.ahead.take();
    }

    fn begin_to_ask(&self, names: &[&str]) -> Ahead {
        let queries = names.iter().map(|name| attributes::query(name));
        let calls = queries.chain([permanent::query()]);
        Ahead {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            calls: calls
                .map(|(tool, words)| self.tools.begin(tool, &words))
                .collect(),
            since: time::now(),
        }
    }
}

impl Cluster for RealCluster {
    fn resource(&self) -> &str {
        &self.resource
    }

    fn within(&self, limit: Duration) -> Box<dyn Cluster + '_> {
        Box::new(self.by(self.tools.within(limit)))
    }

    fn unshared(&self) -> Box<dyn Cluster + '_> {
        Box::new(self.by(self.tools.unshared()))
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

    fn remember_permanent(&self) {
        // One that cannot be read now may be when it is needed.
        let read = Permanent::read(&self.tools).ok();
        self.remembered.replace(read);
    }

    fn ask_ahead(&self, names: &[&str]) {
        let ahead = self.begin_to_ask(names);
        self.ahead.replace(Some(ahead));
    }

    fn permanent(&self) -> Result<Permanent, ToolError> {
        match &*self.remembered.borrow() {
            Some(remembered) => Ok(remembered.clone()),
            None => Permanent::read(&self.tools),
        }
    }

    fn set_permanent(&self, node: &NodeName, name: &str, value: &str) -> Result<(), ToolError> {
        self.forget();
        permanent::set(&self.tools, node, name, value)
    }

    fn set_permanent_during(
        &self,
        (node, name, value): (&NodeName, &str, &str),
        work: &mut dyn FnMut(),
    ) -> Result<(), ToolError> {
        self.forget();
        let begun = permanent::begin_to_set(&self.tools, node, name, value);
        work();
        self.tools.finish(begun).map(drop)
    }

    fn delete_permanent(&self, node: &NodeName, name: &str) -> Result<(), ToolError> {
        self.forget();
        permanent::delete(&self.tools, node, name)
    }

    fn permanent_and_of_members(
        &self,
        names: &[&str],
    ) -> Result<(Permanent, Vec<BTreeMap<NodeName, String>>), ToolError> {
        let ahead = self.ahead.take();
        let ahead = ahead.filter(|it| it.names == names && time::since(it.since) < FRESH);
        let asked = ahead.unwrap_or_else(|| self.begin_to_ask(names));
        let calls = asked.calls.into_iter();
        let mut answers: Vec<_> = calls.map(|call| self.tools.finish(call)).collect();
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
