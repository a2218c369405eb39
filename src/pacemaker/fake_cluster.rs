//! A cluster for tests: attributes and members in memory, as each node's handle sees
//! them. Every method reaches them through the journal, where a test has it fail or be
//! the agent's last.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::cluster::{Answers, Cluster, FRESH};
use super::fake_kept::{Kept, change};
use super::operations::Monitor;
use super::permanent::Permanent;
use super::tools::ToolError;
use crate::ocf::{NodeName, time};
use crate::record::Constraint;
use crate::testing::journal::{Injected, Journal, Watched};
use crate::testing::node;

/// The handle of one node on the cluster.
#[derive(Clone)]
pub struct FakeCluster {
    kept: Rc<Watched<Kept>>,
    node: NodeName,
    /// Whether the environment of the action names the node.
    pub named: bool,
    /// What this action has read once for all of its steps.
    remembered: RefCell<Option<Permanent>>,
    /// What it has asked for ahead.
    ahead: RefCell<Option<Ahead>>,
}

/// Answers as old as they can be: of the moment in which they were asked for.
#[derive(Clone)]
struct Ahead {
    names: Vec<String>,
    /// `None` if that failed.
    answers: Option<Answers>,
    since: Instant,
}

impl FakeCluster {
    /// A cluster of these nodes, all members, as the first one sees it.
    pub fn of(nodes: &[&str], journal: &Rc<Journal>) -> Self {
        let members: BTreeSet<_> = nodes.iter().map(|name| node(name)).collect();
        Self {
            kept: Rc::new(Watched::new(Kept::of(members), journal)),
            node: node(nodes[0]),
            named: true,
            remembered: RefCell::default(),
            ahead: RefCell::default(),
        }
    }

    /// The same cluster as another node sees it.
    pub fn seen_by(&self, name: &str) -> Self {
        Self {
            node: node(name),
            ..self.clone()
        }
    }

    /// What Pacemaker keeps, for a test to arrange and to look at.
    pub fn kept(&self) -> RefMut<'_, Kept> {
        self.kept.arrange()
    }

    /// Arranges a permanent attribute.
    pub fn with_permanent(&self, of: &str, name: &str, value: &str) {
        change(&mut self.kept().permanent, &node(of), name, Some(value));
    }

    /// Arranges a private attribute.
    pub fn with_private(&self, of: &str, name: &str, value: &str) {
        change(&mut self.kept().of_members, &node(of), name, Some(value));
    }

    /// Has a private attribute arrive once somebody has looked at attributes so often.
    pub fn arrives_after(&self, looks: usize, of: &str, [name, value]: [&str; 2]) {
        self.kept().arrive(looks, &node(of), [name, value]);
    }

    /// The value of a permanent attribute.
    pub fn permanent_of(&self, of: &str, name: &str) -> Option<String> {
        self.kept().permanent.get(&node(of))?.get(name).cloned()
    }

    /// The value of a private or transient attribute.
    pub fn value_of(&self, of: &str, name: &str) -> Option<String> {
        self.kept().of_members.get(&node(of))?.get(name).cloned()
    }

    fn ask_all(&self, names: &[&str]) -> Result<Answers, ToolError> {
        let permanent = self.permanent()?;
        let values = names.iter().map(|name| self.of_members(name));
        Ok((permanent, values.collect::<Result<_, _>>()?))
    }

    fn change(
        &self,
        method: &'static str,
        (name, value): (&str, Option<&str>),
        is_in_cib: bool,
    ) -> Result<(), ToolError> {
        let line = line(&self.node, name, value);
        self.kept.act(method, line, |kept| {
            kept.cib_writes += usize::from(is_in_cib);
            match value {
                Some(value) if !is_in_cib && kept.late.1 > 0 => {
                    kept.late.1 -= 1;
                    kept.arrive(kept.late.0, &self.node, [name, value]);
                }
                value => change(&mut kept.of_members, &self.node, name, value),
            }
            Ok(())
        })
    }
}

impl Cluster for FakeCluster {
    fn resource(&self) -> &str {
        "pgsqld"
    }

    fn within(&self, _: Duration) -> Box<dyn Cluster + '_> {
        Box::new(self.clone())
    }

    fn unshared(&self) -> Box<dyn Cluster + '_> {
        Box::new(self.clone())
    }

    fn named_node(&self) -> Option<&NodeName> {
        self.named.then_some(&self.node)
    }

    fn node(&self) -> Result<NodeName, ToolError> {
        if self.named {
            return Ok(self.node.clone());
        }
        self.kept.ask("node", |_| Ok(self.node.clone()))
    }

    fn members(&self) -> Result<BTreeSet<NodeName>, ToolError> {
        self.kept.ask("members", |kept| Ok(kept.members.clone()))
    }

    fn hosts(&self) -> Result<BTreeSet<NodeName>, ToolError> {
        self.kept
            .ask("hosts", |kept| Ok(kept.permanent.keys().cloned().collect()))
    }

    fn has_fencing(&self) -> Result<bool, ToolError> {
        self.kept.ask("has_fencing", |_| Ok(true))
    }

    fn configuration_version(&self) -> Option<String> {
        let version = |kept: &mut Kept| Some(kept.versions.to_string());
        self.kept.ask("configuration_version", version)
    }

    fn permanent(&self) -> Result<Permanent, ToolError> {
        if let Some(remembered) = &*self.remembered.borrow() {
            return Ok(remembered.clone());
        }
        let all = |kept: &mut Kept| Ok(Permanent::of_a_test(kept.permanent.clone()));
        self.kept.ask("permanent", all)
    }

    fn remember_permanent(&self) {
        self.remembered.take();
        let read = self.permanent().ok();
        self.remembered.replace(read);
    }

    fn ask_ahead(&self, names: &[&str]) {
        if self.kept().has_usual_order() {
            return;
        }
        self.ahead.replace(Some(Ahead {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            answers: self.ask_all(names).ok(),
            since: time::now(),
        }));
    }

    fn permanent_and_of_members(&self, names: &[&str]) -> Result<Answers, ToolError> {
        let ahead = self.ahead.take();
        match ahead.filter(|it| it.names == names && time::since(it.since) < FRESH) {
            Some(it) => it.answers.ok_or_else(ToolError::injected),
            None => self.ask_all(names),
        }
    }

    fn set_permanent_during(
        &self,
        (node, name, value): (&NodeName, &str, &str),
        work: &mut dyn FnMut(),
    ) -> Result<(), ToolError> {
        if self.kept().has_usual_order() {
            let set = self.set_permanent(node, name, value);
            work();
            return set;
        }
        work();
        self.set_permanent(node, name, value)
    }

    fn set_permanent(&self, node: &NodeName, name: &str, value: &str) -> Result<(), ToolError> {
        self.remembered.take();
        let line = line(node, name, Some(value));
        self.kept.act("set_permanent", line, |kept| {
            kept.set_permanent(node, name, Some(value));
            Ok(())
        })
    }

    fn delete_permanent(&self, node: &NodeName, name: &str) -> Result<(), ToolError> {
        self.remembered.take();
        self.kept
            .act("delete_permanent", line(node, name, None), |kept| {
                kept.set_permanent(node, name, None);
                Ok(())
            })
    }

    fn of_members(&self, name: &str) -> Result<BTreeMap<NodeName, String>, ToolError> {
        self.kept.ask("of_members", |kept| {
            kept.pass_time();
            let value = |(node, all): (&NodeName, &BTreeMap<String, String>)| {
                Some((node.clone(), all.get(name)?.clone()))
            };
            Ok(kept.of_members.iter().filter_map(value).collect())
        })
    }

    fn set_private(&self, name: &str, value: &str) -> Result<(), ToolError> {
        self.change("set_private", (name, Some(value)), false)
    }

    fn delete_private(&self, name: &str) -> Result<(), ToolError> {
        self.change("delete_private", (name, None), false)
    }

    fn set_transient(&self, name: &str, value: &str) -> Result<(), ToolError> {
        self.change("set_transient", (name, Some(value)), true)
    }

    fn delete_transient(&self, name: &str) -> Result<(), ToolError> {
        self.change("delete_transient", (name, None), true)
    }

    fn boot(&self) -> Option<String> {
        self.kept.ask("boot", |kept| {
            let lost = kept.boots.get(&self.node).copied();
            Some(lost.unwrap_or(0).to_string())
        })
    }

    fn ledger(&self) -> io::Result<Option<String>> {
        self.kept
            .ask("ledger", |kept| Ok(kept.ledgers.get(&self.node).cloned()))
    }

    fn keep_ledger(&self, text: &str) -> io::Result<()> {
        let line = format!("{}: ledger", self.node);
        self.kept.act("keep_ledger", line, |kept| {
            kept.ledgers.insert(self.node.clone(), text.to_owned());
            Ok(())
        })
    }

    fn promotion_scores(&self) -> Result<BTreeMap<NodeName, i32>, ToolError> {
        self.kept
            .ask("promotion_scores", |kept| Ok(kept.promotion_scores()))
    }

    fn constraints(&self) -> Result<Vec<Constraint>, ToolError> {
        self.kept.ask("constraints", |kept| {
            let named = kept.constraints.iter().filter(|_| !kept.unnamed);
            Ok(named.cloned().collect())
        })
    }

    fn monitors(&self) -> Result<Vec<Monitor>, ToolError> {
        self.kept.ask("monitors", |_| Ok(Vec::new()))
    }
}

impl Injected for ToolError {
    fn injected() -> Self {
        Self::Failed {
            tool: "crm_attribute",
            text: "Connection timed out".to_owned(),
        }
    }
}

/// `n1: claim-pgsqld = …`, or `n1: no claim-pgsqld`.
fn line(node: &NodeName, name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{node}: {name} = {value}"),
        None => format!("{node}: no {name}"),
    }
}
