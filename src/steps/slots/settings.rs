//! Whether the configuration of a server fits parameter `slots`. validate-all demands it; a start
//! only says what is missing: without a slot a standby streams as ever, and no failover should end
//! with nodes that refuse to start.

use std::collections::BTreeMap;

use crate::instance::configuration::slots::{Facts, IDLE_TIMEOUT, SETTINGS, judge};
use crate::instance::slots::name;
use crate::ocf::{Deadline, Failure, NodeName, OcfExit, Slots};
use crate::pacemaker::Cluster;
use crate::postgres::Server;

/// The first version with `idle_replication_slot_timeout`.
const WITH_IDLE_TIMEOUT: u32 = 18;

/// Fails where something is missing.
pub fn demand(
    server: &dyn Server,
    cluster: &dyn Cluster,
    node: Option<&NodeName>,
    deadline: Deadline,
) -> Result<(), Failure> {
    let first = findings(server, cluster, node, deadline).into_iter().next();
    first.map_or(Ok(()), |text| Err(Failure::new(OcfExit::Arguments, text)))
}

/// Says what is missing.
pub fn warn(
    server: &dyn Server,
    cluster: &dyn Cluster,
    node: Option<&NodeName>,
    deadline: Deadline,
) {
    for text in findings(server, cluster, node, deadline) {
        log::warn!("{text}");
    }
}

fn findings(
    server: &dyn Server,
    cluster: &dyn Cluster,
    node: Option<&NodeName>,
    deadline: Deadline,
) -> Vec<String> {
    if server.parameters().slots == Slots::None {
        return Vec::new();
    }
    let version = server.data_version().ok().flatten();
    judge(&Facts {
        version,
        settings: &settings(server, version, deadline),
        own_slot: node.map(name::of),
        needed: needed(server, cluster, node),
    })
}

/// What cannot be read is not judged: that is said where all settings are.
fn settings(
    server: &dyn Server,
    version: Option<u32>,
    deadline: Deadline,
) -> BTreeMap<&'static str, String> {
    let mut names = SETTINGS.to_vec();
    if version.is_some_and(|version| version >= WITH_IDLE_TIMEOUT) {
        names.push(IDLE_TIMEOUT);
    }
    let read = server.settings(&names, deadline).into_iter();
    read.filter_map(|(name, value)| Some((name, value.ok()?)))
        .collect()
}

/// How many slots there will be: one for each other node, and those of others. `None`: either
/// cannot be seen.
fn needed(server: &dyn Server, cluster: &dyn Cluster, node: Option<&NodeName>) -> Option<usize> {
    let hosts = cluster.hosts().ok()?;
    let others = hosts.iter().filter(|host| Some(*host) != node).count();
    let slots = server.slots_on_disk().ok()?;
    let foreign = slots.iter().filter(|slot| !name::is_ours(slot)).count();
    Some(others + foreign)
}
