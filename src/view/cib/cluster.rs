//! The cluster of one resource.

use std::collections::BTreeMap;

use roxmltree::{Document, Node as Element};

use super::error::CibError;
use super::fencing::{Device, has_watchdog};
use super::location::Location;
use super::operations::{Action, Failed, Operations, Running};
use super::resource::Resource;
use super::xml::{child, children, configuration, is_true, pairs_below};
use crate::ocf::NodeName;
use crate::ocf::values::{boolean, turns_fencing_off};

/// What the cluster has of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cib {
    /// The resource.
    pub resource: Resource,
    /// All nodes that may run it, present or not.
    pub nodes: BTreeMap<NodeName, Node>,
    /// The options of the whole cluster.
    pub options: BTreeMap<String, String>,
    /// The fence devices.
    pub devices: Vec<Device>,
    /// Whether this partition has quorum.
    pub quorate: bool,
    /// Whether there is a state in it: a file on disk has the configuration alone.
    pub has_state: bool,
    /// The node that decides for all (the DC), where it is known.
    pub coordinator: Option<NodeName>,
    /// The location constraints of the resource.
    pub locations: Vec<Location>,
}

/// Why a node is no member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// Pacemaker was stopped there.
    Left,
    /// It was fenced, and is not back.
    Fenced,
    /// It was not expected to go, and is not fenced yet.
    Lost,
}

/// One node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Whether it is a member of the cluster now.
    pub online: bool,
    /// Why it is none, where that is told.
    pub away: Option<Away>,
    /// Whether Pacemaker runs nothing on it, by an admin's word.
    pub standby: bool,
    /// Whether Pacemaker leaves all on it alone.
    pub maintenance: bool,
    /// What its attributes say until Pacemaker stops there.
    pub transient: BTreeMap<String, String>,
    /// What of the resource runs there.
    pub running: Running,
    /// The action that goes on there, if one does.
    pub pending: Option<String>,
    /// The last action of each kind, and how long it took.
    pub actions: Vec<Action>,
    /// The actions that failed and were not cleaned up.
    pub failed: Vec<Failed>,
}

impl Cib {
    /// Reads the text; `wanted` names the resource, where there are several.
    pub fn parse(text: &str, wanted: Option<&str>) -> Result<Self, CibError> {
        if text.starts_with("BZh") {
            return Err(CibError::Compressed);
        }
        let document =
            Document::parse(text).map_err(|error| CibError::NotXml(error.to_string()))?;
        let root = document.root_element();
        let resource = Resource::find(root, wanted)?;
        let status = child(root, "status");
        Ok(Self {
            nodes: nodes(root, status, &resource),
            devices: Device::all(root, &members(status)),
            options: pairs_below(configuration(root, "crm_config")),
            quorate: is_true(root.attribute("have-quorum")),
            has_state: status.is_some_and(|status| status.has_children()),
            coordinator: coordinator(root),
            locations: Location::all(root, &resource),
            resource,
        })
    }

    /// The ids of all resources of this agent in a text; none in one that cannot be read.
    pub fn resources(text: &str) -> Vec<String> {
        let document = Document::parse(text);
        document.map_or_else(
            |_| Vec::new(),
            |document| Resource::all(document.root_element()),
        )
    }

    /// Whether the cluster has fencing.
    pub fn has_fencing(&self) -> bool {
        has_fencing(&self.options)
    }

    /// Whether nodes are fenced by their own watchdogs.
    pub fn has_watchdog(&self) -> bool {
        has_watchdog(&self.options)
    }

    /// Whether Pacemaker leaves everything alone, or this resource.
    pub fn is_unmanaged(&self) -> bool {
        let all = self.options.get("maintenance-mode");
        all.is_some_and(|value| boolean(value) == Some(true)) || !self.resource.managed
    }

    /// The ids of those that `ban` and `move` left behind.
    pub fn left_constraints(&self) -> Vec<String> {
        let left = self.locations.iter().filter(|one| one.is_left());
        left.map(|one| one.id.clone()).collect()
    }

    /// The values of a transient attribute.
    pub fn transient(&self, name: &str) -> BTreeMap<NodeName, &str> {
        let all = self.nodes.iter();
        all.filter_map(|(node, facts)| Some((node.clone(), facts.transient.get(name)?.as_str())))
            .collect()
    }
}

/// Whether a cluster with these options has fencing: it has unless one says otherwise.
pub(in crate::view) fn has_fencing(options: &BTreeMap<String, String>) -> bool {
    let mut options = options.iter();
    !options.any(|(name, value)| turns_fencing_off(name, value))
}

/// The root names it by its id.
fn coordinator(root: Element<'_, '_>) -> Option<NodeName> {
    let id = root.attribute("dc-uuid")?;
    let mut nodes = children(configuration(root, "nodes"), "node");
    let node = nodes.find(|node| node.attribute("id") == Some(id))?;
    NodeName::new(node.attribute("uname")?)
}

fn nodes(
    root: Element<'_, '_>,
    status: Option<Element<'_, '_>>,
    resource: &Resource,
) -> BTreeMap<NodeName, Node> {
    let mut nodes = BTreeMap::new();
    for element in children(configuration(root, "nodes"), "node") {
        if let Some(name) = element.attribute("uname").and_then(NodeName::new) {
            let permanent = pairs_below(Some(element));
            nodes.insert(name, node_of(&permanent));
        }
    }
    for state in children(status, "node_state") {
        let name = state.attribute("uname").and_then(NodeName::new);
        if let Some(node) = name.and_then(|name| nodes.get_mut(&name)) {
            add_state(node, state, resource);
        }
    }
    nodes
}

/// The states of the nodes that are members.
fn members<'a, 'i: 'a>(status: Option<Element<'a, 'i>>) -> Vec<(NodeName, Element<'a, 'i>)> {
    let states = children(status, "node_state").filter(|state| is_member(*state));
    let named = states.filter_map(|state| {
        let name = state.attribute("uname").and_then(NodeName::new)?;
        Some((name, state))
    });
    named.collect()
}

fn node_of(permanent: &BTreeMap<String, String>) -> Node {
    Node {
        standby: is_on(permanent, "standby"),
        maintenance: is_on(permanent, "maintenance"),
        ..Node::default()
    }
}

fn add_state(node: &mut Node, state: Element<'_, '_>, resource: &Resource) {
    node.online = is_member(state);
    node.away = away(state).filter(|_| !node.online);
    node.transient = pairs_below(child(state, "transient_attributes"));
    node.standby |= is_on(&node.transient, "standby");
    let operations = Operations::of(state, &resource.id);
    if node.online {
        node.running = operations.running();
    }
    node.pending = operations.pending().filter(|_| node.online);
    node.actions = operations.last_actions();
    node.failed = operations.failed();
}

/// A node that goes by itself, or is fenced, is expected to be down; fencing deletes the results of
/// its actions.
fn away(state: Element<'_, '_>) -> Option<Away> {
    match state.attribute("expected")? {
        "member" => Some(Away::Lost),
        "down" if child(state, "lrm").is_some() => Some(Away::Left),
        "down" => Some(Away::Fenced),
        _ => None,
    }
}

/// Up to 2.1.6 Pacemaker writes words, later the time since which it is so; 0 is never.
fn is_member(state: Element<'_, '_>) -> bool {
    let is_set = |name: &str| match state.attribute(name) {
        Some("true" | "online" | "member") => true,
        Some(text) => text.parse::<u64>().is_ok_and(|since| since > 0),
        None => false,
    };
    let is_remote = is_true(state.attribute("remote_node"));
    is_set("in_ccm") && (is_remote || is_set("crmd"))
}

fn is_on(attributes: &BTreeMap<String, String>, name: &str) -> bool {
    let value = attributes.get(name);
    value.is_some_and(|value| boolean(value) == Some(true))
}
