//! The view for programs. A name in it stays what it is within a number of the schema.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::candidacy::Candidacy;
use super::cib::{Device, Failed, Running};
use super::problem::Problem;
use super::prospect::{Fate, Prospect};
use super::report::{Cluster, NodeView, Primary, View};
use super::synchronous::Synchronous;
use super::time::rfc3339;
use crate::ocf::NodeName;
use crate::record::Divergence;
use crate::wal::Lsn;

/// The view as one document.
pub fn document(view: &View) -> Value {
    json!({
        "schema": "pgsqlms.status/1",
        "resource": view.resource,
        "clone": view.clone,
        "health": view.health.word(),
        "checked_at": rfc3339(view.checked_at),
        "seen": if view.is_partial() { "part" } else { "all" },
        "seen_from": view.seen_from.as_ref().map(ToString::to_string),
        "agent": env!("CARGO_PKG_VERSION"),
        "postgresql": view.postgresql,
        "system": view.system.map(|system| system.to_string()),
        "primary": view.primary.as_ref().map(primary),
        "sync": synchronous(&view.synchronous),
        "nodes": view.nodes.iter().map(node).collect::<Vec<_>>(),
        "if_primary_lost": view.if_primary_lost.as_ref().map(prospect),
        "cluster": cluster(&view.cluster),
        "problems": view.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn primary(primary: &Primary) -> Value {
    json!({
        "node": primary.node.as_str(),
        "election": primary.election,
        "timeline": primary.timeline.map(number),
        "since": primary.since.map(rfc3339),
        "how": primary.how,
    })
}

fn synchronous(sync: &Synchronous) -> Value {
    json!({
        "rule": sync.rule.as_ref().map(ToString::to_string),
        "guard": sync.guard,
        "needed": sync.needed(),
        "confirming": sync.confirming,
        "stalls_after_losing": sync.stalls_after_losing(),
    })
}

fn node(node: &NodeView) -> Value {
    json!({
        "node": node.node.as_str(),
        "online": node.online,
        "role": role(node.running),
        "timeline": node.wal.timeline.map(number),
        "received": node.wal.received.map(lsn),
        "replayed": node.wal.replayed.map(lsn),
        "lag_bytes": node.wal.behind,
        "replay_lag_bytes": node.wal.replay_behind,
        "seen": !node.is_unseen,
        "replay_stands_still": node.late.map(|late| late.is_still),
        "sync_state": node.sync,
        "score": node.score,
        "candidate": node.candidacy.is_candidate(),
        "why_not": why_not(&node.candidacy),
        "diverged": node.diverged.as_ref().map(diverged),
        "slot": node.slot.as_ref().map(|slot| json!({"kept_bytes": slot.bytes, "lost": slot.is_lost})),
        "failed_actions": node.failed.iter().map(failed).collect::<Vec<_>>(),
    })
}

fn role(running: Running) -> Option<&'static str> {
    match running {
        Running::Primary => Some("primary"),
        Running::Standby => Some("standby"),
        Running::Stopped => Some("stopped"),
        Running::Unknown => None,
    }
}

fn why_not(candidacy: &Candidacy) -> Option<&str> {
    match candidacy {
        Candidacy::No(why) | Candidacy::LastChoice(why) | Candidacy::Late(why) => Some(why),
        Candidacy::Primary | Candidacy::Yes | Candidacy::ByScore | Candidacy::Unknown => None,
    }
}

fn diverged(what: &Divergence) -> Value {
    match what {
        Divergence::Left {
            timeline,
            lsn: end,
            fork,
        } => json!({
            "timeline": number(*timeline),
            "at": lsn(*fork),
            "up_to": lsn(*end),
            "bytes": end.bytes_since(*fork),
        }),
        Divergence::OtherSystem => json!({"other_system": true}),
    }
}

fn failed(failed: &Failed) -> Value {
    json!({
        "action": failed.action,
        "code": failed.code,
        "reason": failed.reason,
        "at": failed.when.map(rfc3339),
    })
}

fn names(nodes: &BTreeSet<NodeName>) -> Vec<&str> {
    nodes.iter().map(NodeName::as_str).collect()
}

/// A prospect alone.
pub fn prospect(prospect: &Prospect) -> Value {
    let lost: Vec<_> = prospect.lost.iter().map(|node| node.as_str()).collect();
    let (verdict, node) = match &prospect.fate {
        Fate::Stays(node) => ("stays", Some(node)),
        Fate::Promotes { node, .. } => ("promote", Some(node)),
        Fate::Nobody { .. } => ("nobody", None),
        Fate::Unknown(_) => ("unknown", None),
    };
    let (loss, late) = match &prospect.fate {
        Fate::Promotes { loss, late, .. } => (Some(*loss), *late),
        _ => (None, None),
    };
    let (or, fetch) = match &prospect.fate {
        Fate::Promotes { instead, fetch, .. } => (names(instead), fetch.as_ref()),
        _ => (Vec::new(), None),
    };
    json!({
        "lost": lost,
        "verdict": verdict,
        "node": node.map(ToString::to_string),
        "or": or,
        "guaranteed": loss.map(|loss| loss.is_guarded),
        "loss_bytes_max": loss.and_then(|loss| loss.bytes_max()),
        "behind_bytes": loss.and_then(|loss| loss.behind),
        "to_replay_bytes": late.map(|late| late.left),
        "if_not_fetched": fetch.map(|fetch| &fetch.otherwise),
        "text": prospect.sentence(),
    })
}

fn cluster(cluster: &Cluster) -> Value {
    let known = |fact: bool| cluster.is_known.then_some(fact);
    json!({
        "quorate": known(cluster.quorate),
        "online": cluster.is_known.then_some(cluster.online),
        "fencing": cluster.fencing,
        "fence_devices": cluster.devices.iter().map(device).collect::<Vec<_>>(),
        "maintenance": cluster.maintenance,
        "constraints_left": cluster.left_constraints,
    })
}

fn device(device: &Device) -> Value {
    json!({
        "id": device.id,
        "for": device.targets,
        "runs_on": device.runs_on.as_ref().map(ToString::to_string),
        "disabled": device.is_disabled,
    })
}

fn problem(problem: &Problem) -> Value {
    json!({
        "id": problem.id,
        "severity": problem.severity.word(),
        "node": problem.node.as_ref().map(ToString::to_string),
        "text": problem.text,
        "cures": problem.cures,
    })
}

/// As PostgreSQL writes it, and as a number to reckon with.
fn lsn(lsn: Lsn) -> Value {
    json!({"lsn": lsn.to_string(), "bytes": lsn.as_u64()})
}

fn number(timeline: crate::wal::Timeline) -> Value {
    json!(timeline.as_u32())
}
