//! Since when members of the cluster do not follow the primary.
//!
//! The primary's monitor leaves it for the next one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::name::{Life, Name};
use crate::ocf::NodeName;

/// On the node of the primary.
pub const NAME: Name = Name::new(
    Life::Private,
    "missing-RESOURCE",
    "since when standbys are not connected",
);

/// For each node the moment, as the time since the epoch.
pub type MissingSince = BTreeMap<NodeName, Duration>;

/// The line: `node@seconds`.
pub fn encode(missing: &MissingSince) -> String {
    let entries: Vec<_> = missing
        .iter()
        .map(|(node, since)| format!("{node}@{}", since.as_secs()))
        .collect();
    entries.join(" ")
}

/// Reads the line. A broken entry is as if the node were missing only now.
pub fn decode(value: &str) -> MissingSince {
    let entries = value.split_whitespace().filter_map(|entry| {
        let (node, since) = entry.rsplit_once('@')?;
        let since = since.parse().ok()?;
        Some((NodeName::new(node)?, Duration::from_secs(since)))
    });
    entries.collect()
}
