//! A cluster for tests: attributes and members in memory, as each node's handle sees
//! them. Every method reaches them through the journal, where a test has it fail or be
//! the agent's last.

use std::cell::RefMut;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::cluster::Cluster;
use super::operations::Monitor;
use super::permanent::Permanent;
use super::tools::ToolError;
use crate::ocf::NodeName;
use crate::record::{Constraint, score};
use crate::testing::journal::{Injected, Journal, Watched};
use crate::testing::node;

type OfNodes = BTreeMap<NodeName, BTreeMap<String, String>>;

/// What Pacemaker keeps.
pub struct Kept {
    /// The permanent attributes of all nodes, present or not.
    pub permanent: OfNodes,
    /// The private and transient attributes of the members.
    pub of_members: OfNodes,
    /// The nodes of the partition.
    pub members: BTreeSet<NodeName>,
    /// Attributes on their way, and how many looks at attributes come before them.
    arriving: Vec<(usize, NodeName, [String; 2])>,
    /// The ledgers of all nodes: files, which outlive a power cut.
    pub ledgers: BTreeMap<NodeName, String>,
    /// How often each node has lost power.
    pub boots: BTreeMap<NodeName, u64>,
    /// The constraints of this resource: those with a node keep the role away from it.
    pub constraints: Vec<Constraint>,
    /// Where an admin has moved the role, by a constraint.
    pub preferred: Option<NodeName>,
    /// Whether the cause is something else, which nobody can name.
    pub unnamed: bool,
    /// How many looks at attributes come before the next private attribute that is set
    /// arrives, and for how many that is so.
    pub late: (usize, usize),
    /// What was permanent before the last write: the disk of each node has only that for a
    /// moment.
    pub on_disk: OfNodes,
    /// How often the CIB was written.
    pub cib_writes: usize,
    /// How often the configuration in it was.
    pub versions: usize,
}

impl Kept {
    /// A node leaves: what lived as long as Pacemaker ran there goes.
    pub fn leave(&mut self, name: &str) {
        self.members.remove(&node(name));
        self.of_members.remove(&node(name));
        self.arriving.retain(|(_, of, _)| *of != node(name));
    }

    /// All nodes lose power before the last write of the configuration is on their disks.
    pub fn lose_last_write(&mut self) {
        self.permanent = self.on_disk.clone();
    }

    /// As Pacemaker sees them: a constraint is stronger than any score.
    fn promotion_scores(&self) -> BTreeMap<NodeName, i32> {
        let stored = Permanent::of_a_test(self.permanent.clone()).scores("pgsqld");
        let barred = |one: &Constraint, node: &NodeName| one.node.as_ref() == Some(node);
        let is_forbidden = |node: &NodeName| self.constraints.iter().any(|one| barred(one, node));
        let score = |node: &NodeName| match stored.get(node) {
            _ if is_forbidden(node) => score::MINUS_INFINITY,
            Some(..=score::MINUS_INFINITY) => score::MINUS_INFINITY,
            _ if self.preferred.as_ref() == Some(node) => score::INFINITY,
            stored => stored.copied().unwrap_or(-1),
        };
        let members = self.members.iter();
        members.map(|node| (node.clone(), score(node))).collect()
    }

    fn pass_time(&mut self) {
        for (looks, node, [name, value]) in std::mem::take(&mut self.arriving) {
            match looks.checked_sub(1) {
                Some(left) => self.arriving.push((left, node, [name, value])),
                None => change(&mut self.of_members, &node, &name, Some(&value)),
            }
        }
    }

    fn arrive(&mut self, looks: usize, node: &NodeName, attribute: [&str; 2]) {
        let attribute = attribute.map(str::to_owned);
        self.arriving.push((looks, node.clone(), attribute));
    }

    fn set_permanent(&mut self, node: &NodeName, name: &str, value: Option<&str>) {
        self.cib_writes += 1;
        self.versions += 1;
        self.on_disk.clone_from(&self.permanent);
        change(&mut self.permanent, node, name, value);
    }
}

/// The handle of one node on the cluster.
#[derive(Clone)]
pub struct FakeCluster {
    kept: Rc<Watched<Kept>>,
    node: NodeName,
    /// Whether the environment of the action names the node.
    pub named: bool,
}

impl FakeCluster {
    /// A cluster of these nodes, all members, as the first one sees it.
    pub fn of(nodes: &[&str], journal: &Rc<Journal>) -> Self {
        let members: BTreeSet<_> = nodes.iter().map(|name| node(name)).collect();
        let nothing = |node: &NodeName| (node.clone(), BTreeMap::new());
        let kept = Kept {
            permanent: members.iter().map(nothing).collect(),
            of_members: BTreeMap::new(),
            members,
            arriving: Vec::new(),
            ledgers: BTreeMap::new(),
            boots: BTreeMap::new(),
            constraints: Vec::new(),
            preferred: None,
            unnamed: false,
            late: (0, 0),
            on_disk: BTreeMap::new(),
            cib_writes: 0,
            versions: 0,
        };
        Self {
            kept: Rc::new(Watched::new(kept, journal)),
            node: node(nodes[0]),
            named: true,
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
        let all = |kept: &mut Kept| Ok(Permanent::of_a_test(kept.permanent.clone()));
        self.kept.ask("permanent", all)
    }

    fn set_permanent(&self, node: &NodeName, name: &str, value: &str) -> Result<(), ToolError> {
        let line = line(node, name, Some(value));
        self.kept.act("set_permanent", line, |kept| {
            kept.set_permanent(node, name, Some(value));
            Ok(())
        })
    }

    fn delete_permanent(&self, node: &NodeName, name: &str) -> Result<(), ToolError> {
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

fn change(all: &mut OfNodes, node: &NodeName, name: &str, value: Option<&str>) {
    let of_node = all.entry(node.clone()).or_default();
    match value {
        Some(value) => drop(of_node.insert(name.to_owned(), value.to_owned())),
        None => drop(of_node.remove(name)),
    }
}
