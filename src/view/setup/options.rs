//! What the cluster's configuration says of the resource and of what stands around it.

use std::collections::BTreeMap;
use std::time::Duration;

use roxmltree::{Document, Node as Element};

use crate::ocf::ClusterRole;
use crate::ocf::values::{boolean, time};
use crate::view::cib::resource::{clone_around, meta_of};
use crate::view::cib::xml::{children, configuration, own_pairs, pairs_below};
use crate::view::cib::{has_fencing, has_watchdog};

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The options of the whole cluster.
    pub properties: BTreeMap<String, String>,
    /// The fence devices, by their agents.
    pub fence_agents: Vec<String>,
    /// The id of the clone; `None`: the resource is in none.
    pub clone: Option<String>,
    /// The meta attributes that count for the clone, defaults among them.
    pub meta: BTreeMap<String, String>,
    /// The operations of the resource.
    pub operations: Vec<Operation>,
    /// The time-out of those that have none of their own.
    pub default_timeout: Option<Duration>,
    /// The addresses that follow the primary: id, and its meta attributes.
    pub addresses: Vec<(String, BTreeMap<String, String>)>,
    /// The ids of those that a mandatory order has stopped only after a demotion.
    pub stopped_in_order: Vec<String>,
}

/// One operation of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What is done.
    pub name: String,
    /// Of a recurring one.
    pub interval: Duration,
    /// Of its own.
    pub timeout: Option<Duration>,
    /// `promoted`, `unpromoted` or nothing, by whatever word.
    pub role: Option<&'static str>,
}

impl Options {
    /// Reads the text of the configuration; `id` is that of the primitive.
    pub fn parse(text: &str, id: &str) -> Option<Self> {
        let document = Document::parse(text).ok()?;
        let root = document.root_element();
        let mut all = document.descendants();
        let primitive =
            all.find(|one| one.has_tag_name("primitive") && one.attribute("id") == Some(id))?;
        let clone = clone_around(primitive);
        let mut meta = pairs_below(configuration(root, "rsc_defaults"));
        meta.extend(meta_of(clone, primitive));
        // A clone of before Pacemaker 2.0 is promotable by its name.
        if clone.is_some_and(|one| one.has_tag_name("master")) {
            meta.insert("promotable".to_owned(), "true".to_owned());
        }
        let clone = clone.and_then(|one| one.attribute("id"));
        let defaults = pairs_below(configuration(root, "op_defaults"));
        let addresses = addresses(root, clone.unwrap_or(id));
        Some(Self {
            properties: pairs_below(configuration(root, "crm_config")),
            fence_agents: fence_agents(root),
            clone: clone.map(str::to_owned),
            meta,
            operations: operations(primitive),
            default_timeout: defaults.get("timeout").and_then(|text| time(text)),
            stopped_in_order: stopped_in_order(root, clone.unwrap_or(id)),
            addresses,
        })
    }

    /// Whether a lost node is made sure to be off.
    pub fn has_fencing(&self) -> bool {
        has_fencing(&self.properties)
    }

    /// Whether a watchdog does it.
    pub fn has_watchdog(&self) -> bool {
        has_watchdog(&self.properties)
    }
}

fn fence_agents(root: Element<'_, '_>) -> Vec<String> {
    let all = configuration(root, "resources");
    let all = all.into_iter().flat_map(|one| one.descendants());
    let devices = all.filter(|one| one.attribute("class") == Some("stonith"));
    let agents = devices.filter_map(|one| one.attribute("type"));
    agents.map(str::to_owned).collect()
}

fn operations(primitive: Element<'_, '_>) -> Vec<Operation> {
    let all = primitive.descendants();
    let all = all.filter(|one| {
        let is_off = one.attribute("enabled").and_then(boolean) == Some(false);
        one.has_tag_name("op") && !is_off
    });
    let one = |one: Element<'_, '_>| {
        let interval = one.attribute("interval").and_then(time);
        let timeout = one.attribute("timeout").and_then(time);
        // pcs writes meta attributes of an operation so, and crmsh too.
        let below = pairs_below(Some(one));
        let timeout = timeout.or_else(|| below.get("timeout").and_then(|text| time(text)));
        Some(Operation {
            name: one.attribute("name")?.to_owned(),
            interval: interval.unwrap_or_default(),
            timeout,
            role: one.attribute("role").and_then(role),
        })
    };
    all.filter_map(one).collect()
}

fn role(text: &str) -> Option<&'static str> {
    Some(match ClusterRole::named(text)? {
        ClusterRole::Promoted => "promoted",
        ClusterRole::Unpromoted => "unpromoted",
    })
}

/// What is colocated with the primary.
fn addresses(root: Element<'_, '_>, clone: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let all = children(configuration(root, "constraints"), "rsc_colocation");
    let with = all.filter(|one| {
        let is_promoted = one.attribute("with-rsc-role").and_then(role) == Some("promoted");
        one.attribute("with-rsc") == Some(clone) && is_promoted
    });
    let found = with.filter_map(|one| {
        let id = one.attribute("rsc")?;
        let resources = configuration(root, "resources")?;
        let mut all = resources.descendants();
        let element = all.find(|other| other.attribute("id") == Some(id))?;
        Some((id.to_owned(), own_pairs(element, "meta_attributes")))
    });
    found.collect()
}

fn stopped_in_order(root: Element<'_, '_>, clone: &str) -> Vec<String> {
    let all = children(configuration(root, "constraints"), "rsc_order");
    let strict = all.filter(|one| {
        let kind = one.attribute("kind").unwrap_or("Mandatory");
        let is_demote = one.attribute("first-action") == Some("demote");
        let is_stop = one.attribute("then-action") == Some("stop");
        kind == "Mandatory" && is_demote && is_stop && one.attribute("first") == Some(clone)
    });
    let ids = strict.filter_map(|one| one.attribute("then"));
    ids.map(str::to_owned).collect()
}
