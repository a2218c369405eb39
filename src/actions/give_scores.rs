//! The primary's monitor: keeps the promotion scores of all members right.
//! A failure here is logged and never fails the monitor: the primary is well.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Call, names};
use crate::election::ranking::{View, rank};
use crate::ocf::Failure;
use crate::pacemaker::{NodeName, attributes, membership, scores};
use crate::postgres::{replication, session};

/// Writes the scores that changed.
pub fn run(call: &Call) {
    if let Err(failure) = update(call) {
        log::warn!("Promotion scores are not updated: {failure}");
    }
}

fn update(call: &Call) -> Result<(), Failure> {
    let view = view(call)?;
    let ranking = rank(&view);
    for (node, score) in &ranking.changes {
        log::info!("Promotion score of {node}: {score}");
        scores::set(&call.tools, &call.request.resource, node, *score)?;
    }
    if ranking.missing != view.missing {
        let name = call.request.attribute(names::MISSING);
        match ranking.missing.is_empty() {
            true => attributes::delete(&call.tools, &name)?,
            false => attributes::set(&call.tools, &name, &encode(&ranking.missing))?,
        }
    }
    Ok(())
}

fn view(call: &Call) -> Result<View, Failure> {
    let primary = call.node()?;
    let deadline = call.request.deadline;
    let standbys = session::ask(&call.parameters, &call.user, deadline, replication::query)
        .map_err(|refusal| Failure::soft(format!("pg_stat_replication: {refusal}")))?;
    let members = membership::partition(&call.tools)?;
    let mut stored = BTreeMap::new();
    for node in &members {
        if let Some(score) = scores::get(&call.tools, &call.request.resource, node)? {
            stored.insert(node.clone(), score);
        }
    }
    let name = call.request.attribute(names::MISSING);
    let missing = attributes::of_all_nodes(&call.tools, &name)?;
    let missing = missing.get(&primary).map(|value| decode(value));
    Ok(View {
        primary,
        standbys,
        members,
        scores: stored,
        missing: missing.unwrap_or_default(),
        now: seconds_since_epoch(),
        maxlag: call.parameters.maxlag,
    })
}

fn seconds_since_epoch() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

fn encode(missing: &BTreeMap<NodeName, u64>) -> String {
    let entries: Vec<_> = missing
        .iter()
        .map(|(node, since)| format!("{node}@{since}"))
        .collect();
    entries.join(" ")
}

/// A broken entry is as if the node were missing only now.
fn decode(value: &str) -> BTreeMap<NodeName, u64> {
    value
        .split_whitespace()
        .filter_map(|entry| {
            let (node, since) = entry.rsplit_once('@')?;
            Some((NodeName::new(node)?, since.parse().ok()?))
        })
        .collect()
}
