//! What the cluster of a test keeps: attributes, members, ledgers.

use std::collections::{BTreeMap, BTreeSet};

use super::permanent::Permanent;
use crate::ocf::NodeName;
use crate::record::{Constraint, score};
use crate::testing::node;

pub(super) type OfNodes = BTreeMap<NodeName, BTreeMap<String, String>>;

/// What Pacemaker keeps.
pub struct Kept {
    /// The permanent attributes of all nodes, present or not.
    pub permanent: OfNodes,
    /// The private and transient attributes of the members.
    pub of_members: OfNodes,
    /// The nodes of the partition.
    pub members: BTreeSet<NodeName>,
    /// Attributes on their way, and how many looks at attributes come before them.
    pub(super) arriving: Vec<(usize, NodeName, [String; 2])>,
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
    /// Whether the next claim comes after what is done beside it, and the next question asked ahead
    /// is answered as of then; by turns with the usual order. `None`: always the usual order.
    pub last_at_once: Option<bool>,
}

impl Kept {
    /// A cluster of these nodes, all members, that remembers nothing.
    pub(super) fn of(members: BTreeSet<NodeName>) -> Self {
        let nothing = |node: &NodeName| (node.clone(), BTreeMap::new());
        Self {
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
            last_at_once: None,
        }
    }

    /// Whether it is the turn of the usual order: a claim before what is done beside it, and an answer
    /// as of the moment in which it is used.
    pub(super) fn has_usual_order(&mut self) -> bool {
        let last = self.last_at_once.unwrap_or(false);
        self.last_at_once = self.last_at_once.map(|last| !last);
        !last
    }

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
    pub(super) fn promotion_scores(&self) -> BTreeMap<NodeName, i32> {
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

    pub(super) fn pass_time(&mut self) {
        for (looks, node, [name, value]) in std::mem::take(&mut self.arriving) {
            match looks.checked_sub(1) {
                Some(left) => self.arriving.push((left, node, [name, value])),
                None => change(&mut self.of_members, &node, &name, Some(&value)),
            }
        }
    }

    pub(super) fn arrive(&mut self, looks: usize, node: &NodeName, attribute: [&str; 2]) {
        let attribute = attribute.map(str::to_owned);
        self.arriving.push((looks, node.clone(), attribute));
    }

    pub(super) fn set_permanent(&mut self, node: &NodeName, name: &str, value: Option<&str>) {
        self.cib_writes += 1;
        self.versions += 1;
        self.on_disk.clone_from(&self.permanent);
        change(&mut self.permanent, node, name, value);
    }
}

/// Sets or removes an attribute of a node.
pub(super) fn change(all: &mut OfNodes, node: &NodeName, name: &str, value: Option<&str>) {
    let of_node = all.entry(node.clone()).or_default();
    match value {
        Some(value) => drop(of_node.insert(name.to_owned(), value.to_owned())),
        None => drop(of_node.remove(name)),
    }
}
