//! What programs read, parsed back.

use serde_json::Value;

use super::world::world;
use crate::view::{View, document};

const WORLD: [&str; 8] = [
    "here srv1",
    "sync ANY 1 (srv2, srv3)",
    "node srv1 primary 1001",
    "node srv2 standby 1000",
    "node srv3 standby -1000",
    "writes 2@0/5000000<1@0/4000000",
    "receiver srv2 0/5000000 0/4FFFF00 quorum",
    "reign srv1 7 2@0/4000000<1@0/4000000",
];

fn parsed(facts: &[&str]) -> Value {
    let text = document(&View::of(&world(facts))).to_string();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn what_was_written_is_what_is_read() {
    let read = parsed(&WORLD);
    for (pointer, wanted) in [
        ("/schema", "\"pgsqlms.status/1\""),
        ("/health", "\"attention\""),
        ("/checked_at", "\"2026-11-27T03:12:44Z\""),
        ("/primary/node", "\"srv1\""),
        ("/primary/election", "7"),
        ("/primary/since", "\"2026-11-27T02:12:44Z\""),
        ("/sync/rule", "\"ANY 1 (srv2, srv3)\""),
        ("/sync/confirming", "1"),
        ("/sync/stalls_after_losing", "1"),
        ("/nodes/1/received/lsn", "\"0/5000000\""),
        ("/nodes/1/received/bytes", "83886080"),
        ("/nodes/1/replay_lag_bytes", "256"),
        ("/nodes/1/candidate", "true"),
        ("/nodes/2/why_not", "\"not connected\""),
        ("/nodes/2/lag_bytes", "null"),
        ("/if_primary_lost/verdict", "\"promote\""),
        ("/if_primary_lost/node", "\"srv2\""),
        ("/if_primary_lost/guaranteed", "true"),
        ("/cluster/quorate", "true"),
        ("/problems/0/id", "\"not-connected\""),
        ("/problems/0/node", "\"srv3\""),
    ] {
        let found = read.pointer(pointer).map(Value::to_string);
        assert_eq!(found.as_deref(), Some(wanted), "{pointer}");
    }
}

/// Programs hang on the names: none goes within a number of the schema.
#[test]
fn the_names_of_schema_1_are_all_there() {
    let read = parsed(&WORLD);
    for pointer in [
        "/resource",
        "/clone",
        "/seen_from",
        "/agent",
        "/postgresql",
        "/system",
        "/primary/timeline",
        "/sync/guard",
        "/sync/needed",
        "/nodes/0/node",
        "/nodes/0/online",
        "/nodes/0/role",
        "/nodes/0/timeline",
        "/nodes/0/replayed",
        "/nodes/0/sync_state",
        "/nodes/0/score",
        "/nodes/0/diverged",
        "/nodes/0/failed_actions",
        "/if_primary_lost/lost",
        "/if_primary_lost/loss_bytes_max",
        "/if_primary_lost/behind_bytes",
        "/if_primary_lost/text",
        "/cluster/online",
        "/cluster/fencing",
        "/cluster/fence_devices/0/runs_on",
        "/cluster/maintenance",
        "/cluster/constraints_left",
        "/problems/0/severity",
        "/problems/0/text",
        "/problems/0/cures",
    ] {
        assert!(read.pointer(pointer).is_some(), "{pointer}");
    }
}
