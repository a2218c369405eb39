//! The primary's monitor: keeps the promotion scores of all members and the
//! record of this reign right. A failure here is logged and never fails the
//! monitor: the primary is well.
//!
//! While nothing changes it costs no process: what was seen is kept beside
//! the version of the CIB it was settled with, in a file in memory.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::rejoin::report;
use super::{Call, ballot, position};
use crate::election::scores::{DEFAULT_GRACE_S, Ranking, Roster, is_beyond, rank};
use crate::instance::replication::Primary;
use crate::ocf::{Failure, NodeName};
use crate::pacemaker::tool::ToolError;
use crate::pacemaker::{Permanent, attributes, cib_file, membership, permanent};
use crate::record::{Force, Reign, missing};

/// Lags closer than this (bytes) look the same to the file.
const LAG_STEP: u64 = 16 * 1024 * 1024;

/// Writes the scores that changed.
pub fn run(call: &Call, primary: &Primary) {
    let seen = seen(call, primary);
    if seen.is_some() && seen == fs::read_to_string(settled_file(call)).ok() {
        return;
    }
    match update(call, primary) {
        Ok(true) => settle(call, seen),
        Ok(false) => {}
        Err(failure) => log::warn!("Promotion scores are not updated: {failure}"),
    }
}

/// Makes the next monitor look at everything: a node came or went.
pub fn look_again(call: &Call) {
    let _ = fs::remove_file(settled_file(call));
}

/// All that scores depend on, in one line; `None` if the CIB cannot be watched.
fn seen(call: &Call, primary: &Primary) -> Option<String> {
    let lags = primary.senders.iter().map(|sender| {
        let beyond = is_beyond(call.parameters.maxlag, sender.lag);
        let step = sender.lag.map(|lag| lag / LAG_STEP);
        format!("{:?} {:?} {step:?} {beyond:?}", sender.name, sender.state)
    });
    Some(format!(
        "{} {} {:?} {} {:?}",
        cib_file::version()?,
        call.parameters.maxlag,
        primary.timeline,
        primary.synchronous_standby_names,
        lags.collect::<Vec<_>>()
    ))
}

/// In a directory of root's own, and gone after a reboot.
fn settled_file(call: &Call) -> PathBuf {
    let name = format!("pgsqlms-{}.settled", call.request.resource);
    call.scratch.join(name)
}

fn settle(call: &Call, seen: Option<String>) {
    let Some(seen) = seen else { return };
    let path = settled_file(call);
    if let Err(error) = fs::write(&path, seen) {
        log::debug!("{}: {error}", path.display());
    }
}

/// `true` if nothing was to be done, and nothing is pending.
fn update(call: &Call, primary: &Primary) -> Result<bool, Failure> {
    let node = call.node()?;
    let stored = Permanent::read(&call.tools)?;
    let reigned = refresh_reign(call, &node, primary, &stored)?;
    if reigned {
        forget_forces(call, &stored);
    }
    let roster = roster(call, node, primary, &stored)?;
    let ranking = rank(&roster);
    write(call, &roster, &ranking)?;
    if !ranking.missing_since.is_empty() {
        report::run(call, &roster.primary, ranking.missing_since.keys());
    }
    let pending = |since: &u64| roster.now.saturating_sub(*since) < roster.grace_s;
    let waiting = ranking.missing_since.values().any(pending);
    Ok(!reigned && ranking.changes.is_empty() && !waiting)
}

/// Writes down that this node reigns, and on which branch; `true` if that was
/// news. The claim of the promotion has then come true and goes.
fn refresh_reign(
    call: &Call,
    node: &NodeName,
    primary: &Primary,
    stored: &Permanent,
) -> Result<bool, Failure> {
    let resource = &call.request.resource;
    let branch = position::of_primary(call, primary)?;
    let sync = ballot::sync_rule(&primary.synchronous_standby_names);
    let known = ballot::reigns(call, stored);
    let news = Reign::refresh(node, &branch, sync, &known);
    if let Some(reign) = &news {
        permanent::set(
            &call.tools,
            node,
            &Reign::attribute(resource),
            &reign.encode(),
        )?;
    }
    let claim = Reign::claim_attribute(resource);
    if stored.values(&claim).contains_key(node) {
        permanent::delete(&call.tools, node, &claim)?;
    }
    Ok(news.is_some())
}

/// Somebody was promoted: what an admin forced before is spent, or was not needed.
fn forget_forces(call: &Call, stored: &Permanent) {
    let name = Force::attribute(&call.request.resource);
    for node in stored.values(&name).keys() {
        if let Err(error) = permanent::delete(&call.tools, node, &name) {
            log::warn!("Cannot delete the attribute {name}: {error}");
        }
    }
}

fn roster(
    call: &Call,
    primary_node: NodeName,
    primary: &Primary,
    stored: &Permanent,
) -> Result<Roster, ToolError> {
    let members = membership::partition(&call.tools)?;
    let scores = stored.scores(&call.request.resource);
    let offline = scores.keys().filter(|node| !members.contains(*node));
    let remembered =
        attributes::of_all_nodes(&call.tools, &missing::attribute(&call.request.resource))?;
    let missing_since = remembered
        .get(&primary_node)
        .map(|value| missing::decode(value));
    Ok(Roster {
        offline: offline.cloned().collect(),
        primary: primary_node,
        senders: primary.senders.clone(),
        members,
        scores,
        missing_since: missing_since.unwrap_or_default(),
        now: seconds_since_epoch(),
        maxlag: call.parameters.maxlag,
        grace_s: DEFAULT_GRACE_S,
    })
}

fn write(call: &Call, roster: &Roster, ranking: &Ranking) -> Result<(), ToolError> {
    for notice in &ranking.notices {
        log::info!("{notice}");
    }
    for change in &ranking.changes {
        log::info!(
            "Promotion score of {}: {}, {}",
            change.node,
            change.score,
            change.reason
        );
        permanent::set_score(
            &call.tools,
            &call.request.resource,
            &change.node,
            change.score,
        )?;
    }
    if ranking.missing_since == roster.missing_since {
        return Ok(());
    }
    let name = missing::attribute(&call.request.resource);
    if ranking.missing_since.is_empty() {
        return attributes::delete(&call.tools, &name);
    }
    attributes::set(&call.tools, &name, &missing::encode(&ranking.missing_since))
}

fn seconds_since_epoch() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}
