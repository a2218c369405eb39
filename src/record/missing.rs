//! Since when members of the cluster do not follow the primary.
//!
//! Kept in a private attribute of the primary's node, for its next monitor.

use std::collections::BTreeMap;

use crate::ocf::NodeName;

/// The name of the attribute.
pub fn attribute(resource: &str) -> String {
    format!("missing-{resource}")
}

/// The line: `node@seconds`, the seconds since the epoch.
pub fn encode(missing: &BTreeMap<NodeName, u64>) -> String {
    let entries: Vec<_> = missing
        .iter()
        .map(|(node, since)| format!("{node}@{since}"))
        .collect();
    entries.join(" ")
}

/// Reads the line. A broken entry is as if the node were missing only now.
pub fn decode(value: &str) -> BTreeMap<NodeName, u64> {
    let entries = value.split_whitespace().filter_map(|entry| {
        let (node, since) = entry.rsplit_once('@')?;
        Some((NodeName::new(node)?, since.parse().ok()?))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_remembered_comes_back(
            all in proptest::collection::btree_map("[a-zA-Z0-9.@-]{1,9}", any::<u64>(), 0..6),
            text in ".*",
        ) {
            let named = all.into_iter().map(|(node, since)| (NodeName::new(&node).unwrap(), since));
            let missing: BTreeMap<_, _> = named.collect();
            prop_assert_eq!(decode(&encode(&missing)), missing);
            let _ = decode(&text);
        }
    }
}
