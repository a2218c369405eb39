//! Since when nodes are missing.

use std::time::Duration;

use proptest::prelude::*;

use crate::record::missing::{MissingSince, decode, encode};
use crate::testing::node;

proptest! {
    #[test]
    fn what_is_remembered_comes_back(
        all in proptest::collection::btree_map("[a-zA-Z0-9.@-]{1,9}", any::<u64>(), 0..6),
        text in ".*",
    ) {
        let named = all.iter().map(|(name, since)| (node(name), Duration::from_secs(*since)));
        let missing: MissingSince = named.collect();
        prop_assert_eq!(decode(&encode(&missing)), missing);
        let _ = decode(&text);
    }
}
