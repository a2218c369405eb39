//! The fence devices: for which nodes they are, and whether they run, by the results of actions.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Node as Element;

use super::operations::{Failed, Operations, Running};
use super::resource::{is_stopped, parameters_of};
use super::xml::{configuration, own_pairs};
use crate::ocf::NodeName;
use crate::ocf::values::{boolean, time};

/// One fence device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// The nodes that it is for, in small letters; `None`: it is asked for that.
    pub targets: Option<BTreeSet<String>>,
    /// Whether an admin has disabled it: then Pacemaker does not use it.
    pub is_disabled: bool,
    /// The member of the cluster that runs it, which is to watch it.
    pub runs_on: Option<NodeName>,
    /// Whether it is being started or stopped somewhere.
    pub is_moving: bool,
    /// The actions that failed and were not cleaned up, on members.
    pub failed: Vec<(NodeName, Failed)>,
}

impl Device {
    /// All that are configured; `members` with their states.
    pub(super) fn all(root: Element<'_, '_>, members: &[(NodeName, Element<'_, '_>)]) -> Vec<Self> {
        let all = configuration(root, "resources");
        let all = all.into_iter().flat_map(|one| one.descendants());
        let devices = all.filter(|one| {
            one.has_tag_name("primitive") && one.attribute("class") == Some("stonith")
        });
        devices
            .filter_map(|one| Self::of(root, one, members))
            .collect()
    }

    fn of(
        root: Element<'_, '_>,
        primitive: Element<'_, '_>,
        members: &[(NodeName, Element<'_, '_>)],
    ) -> Option<Self> {
        let id = primitive.attribute("id")?;
        let mut device = Self {
            id: id.to_owned(),
            targets: targets(root, primitive),
            is_disabled: is_disabled(primitive),
            runs_on: None,
            is_moving: false,
            failed: Vec::new(),
        };
        for (node, state) in members {
            let operations = Operations::of(*state, id);
            if operations.running() == Running::Standby {
                device.runs_on = Some(node.clone());
            }
            device.is_moving |= operations.pending().is_some();
            let failed = operations.failed().into_iter();
            device
                .failed
                .extend(failed.map(|failed| (node.clone(), failed)));
        }
        Some(device)
    }

    /// Whether it is for this node; `None`: that is not written.
    pub fn is_for(&self, node: &NodeName) -> Option<bool> {
        let targets = self.targets.as_ref()?;
        Some(targets.contains(&node.as_str().to_ascii_lowercase()))
    }
}

/// `pcmk_host_list` and the names of `pcmk_host_map`, as Pacemaker parts them.
fn targets(root: Element<'_, '_>, primitive: Element<'_, '_>) -> Option<BTreeSet<String>> {
    let pairs = parameters_of(root, primitive);
    let check = pairs.get("pcmk_host_check").map(String::as_str);
    if check.is_some_and(|check| check != "static-list") {
        return None;
    }
    let list = pairs.get("pcmk_host_list").into_iter();
    let list = list.flat_map(|list| list.split([' ', ',', ';', '\t', '\n']));
    let map = pairs.get("pcmk_host_map").into_iter();
    let map = map.flat_map(|map| map.split([' ', ';', '\t', '\n']));
    let mapped = map.filter_map(|one| Some(one.split_once([':', '='])?.0));
    let names: BTreeSet<_> = list
        .chain(mapped)
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    (!names.is_empty()).then_some(names)
}

/// By itself, or with what is around it.
fn is_disabled(primitive: Element<'_, '_>) -> bool {
    let stopped = |one: Element<'_, '_>| {
        let meta = own_pairs(one, "meta_attributes");
        meta.get("target-role").is_some_and(|role| is_stopped(role))
    };
    primitive.ancestors().any(stopped)
}

/// Whether nodes are fenced by their own watchdogs; by one of two names. A negative time is twice
/// that of the watchdog.
pub(in crate::view) fn has_watchdog(options: &BTreeMap<String, String>) -> bool {
    let mut names = ["stonith-watchdog-timeout", "fencing-watchdog-timeout"].iter();
    let value = names.find_map(|name| options.get(*name));
    value.is_some_and(|value| {
        let is_off = boolean(value) == Some(false);
        let is_none = time(value).is_some_and(|time| time.is_zero());
        !is_off && !is_none && !value.trim().is_empty()
    })
}
