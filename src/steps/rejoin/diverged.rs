//! Has this node left the branch that the cluster elected? Judged by position
//! and history, whenever a standby is started and when it does not stream.
//!
//! It stays up, since it still serves reads and loses nothing, but it will
//! never follow by itself. A monitor that succeeds has no exit reason, and one
//! that failed would have it restarted for nothing: so it says in its log what
//! it holds and how to repair it, and announces that to the cluster, where
//! `crm_mon -A` shows it and the primary says it in its own log.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::election::Lineage;
use crate::election::scores::{NOT_CONNECTED, is_excluded};
use crate::ocf::{Failure, NodeName};
use crate::pacemaker::{Permanent, attributes, permanent};
use crate::record::{Divergence, last_reign};
use crate::steps::{Call, ballot, position};
use crate::wal::Position;

/// How long a start waits for the end of the replay.
pub const AFTER_START: Duration = Duration::from_secs(5);
/// A monitor does not: it comes again.
pub const AT_MONITOR: Duration = Duration::ZERO;

/// Data that do not fit the primary's, and who that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diverged {
    /// The primary that was elected last.
    pub primary: NodeName,
    /// How they differ.
    pub how: Divergence,
}

/// Looks at this running standby, and says what is new. A failure here never
/// fails the action.
pub fn run(call: &Call, patience: Duration) -> Option<Diverged> {
    match judge(call, || position::of_patient_standby(call, patience)) {
        Ok(Some(diverged)) => {
            say_once(call, &diverged);
            Some(diverged)
        }
        Ok(None) => None,
        Err(failure) => {
            log::debug!("Cannot see whether this standby has diverged: {failure}");
            None
        }
    }
}

/// Forgets what was said, if anything: the standby receives. It may do so, and
/// still have replayed what the branch does not have.
pub fn follows(call: &Call) {
    if !said_file(call).exists() || run(call, AT_MONITOR).is_some() {
        return;
    }
    let _ = fs::remove_file(said_file(call));
    log::info!("This standby follows again");
    let name = Divergence::attribute(&call.request.resource);
    if let Err(error) = attributes::retract(&call.tools, &name) {
        log::warn!("Cannot take back that this node has diverged: {error}");
    }
}

/// Whether a position has left the branch of the last elected primary.
pub fn of_position(call: &Call, held: &Position) -> Result<Option<Diverged>, Failure> {
    judge(call, || Ok(held.clone()))
}

fn judge(
    call: &Call,
    held: impl FnOnce() -> Result<Position, Failure>,
) -> Result<Option<Diverged>, Failure> {
    let reigns = ballot::reigns(call, &Permanent::read(&call.tools)?);
    // A claim may never come true: it says nothing of anybody's data yet.
    let Some(last) = last_reign(&reigns).filter(|last| last.is_opened()) else {
        return Ok(None);
    };
    if Some(&last.primary) == call.request.node.as_ref() {
        return Ok(None);
    }
    let held = held()?;
    let how = match last.lineage_of(&held) {
        Lineage::Follows | Lineage::Unknown => return Ok(None),
        Lineage::OtherSystem => Divergence::OtherSystem,
        Lineage::Left { fork } => Divergence::Left {
            timeline: held.timeline,
            lsn: held.lsn,
            fork,
        },
    };
    let primary = last.primary.clone();
    Ok(Some(Diverged { primary, how }))
}

/// Says it in the log and announces it, unless that was done already.
pub fn say_once(call: &Call, diverged: &Diverged) {
    let text = format!(
        "This standby has diverged: {}. It follows nobody and is no candidate. {}",
        diverged.how,
        repair(call, call.request.node.as_ref(), diverged)
    );
    let path = said_file(call);
    if fs::read_to_string(&path).is_ok_and(|said| said == text) {
        return;
    }
    log::error!("{text}");
    exclude(call);
    let name = Divergence::attribute(&call.request.resource);
    if let Err(error) = attributes::announce(&call.tools, &name, &diverged.how.encode()) {
        log::warn!("Cannot announce that this node has diverged: {error}");
    }
    if let Err(error) = fs::write(&path, text) {
        log::debug!("{}: {error}", path.display());
    }
}

/// Pacemaker must not try it first when the primary dies: a promotion that fails
/// has the instance stopped, PostgreSQL does not start it again as it is, and its
/// vote is missing in the next election (seen on a real cluster).
fn exclude(call: &Call) {
    let Some(node) = &call.request.node else {
        return;
    };
    let resource = &call.request.resource;
    let excluded =
        Permanent::read(&call.tools).and_then(|stored| match stored.scores(resource).get(node) {
            Some(score) if !is_excluded(*score) => {
                permanent::set_score(&call.tools, resource, node, NOT_CONNECTED)
            }
            _ => Ok(()),
        });
    if let Err(error) = excluded {
        log::warn!("Cannot take this node from the candidates: {error}");
    }
}

/// What an admin can run, on the node that has diverged.
pub fn repair(call: &Call, node: Option<&NodeName>, diverged: &Diverged) -> String {
    let resource = &call.request.resource;
    let node = node.map_or("NODE", |node| node.as_str());
    let parameters = &call.parameters;
    if diverged.how == Divergence::OtherSystem {
        return format!(
            "Rebuild {node} with pg_basebackup from {}",
            diverged.primary
        );
    }
    format!(
        "To give up what only {node} holds, on {node}: \
         pcs resource ban {resource}-clone {node} --wait; as {}: {} --target-pgdata={} \
         --source-server='host={} port={} dbname=postgres'; pcs resource clear {resource}-clone \
         {node}. Or have it done at every start: pcs resource update {resource} rejoin=rewind",
        parameters.system_user,
        parameters.program("pg_rewind").display(),
        parameters.datadir.display(),
        diverged.primary,
        parameters.pgport,
    )
}

fn said_file(call: &Call) -> PathBuf {
    let name = format!("pgsqlms-{}.diverged", call.request.resource);
    call.scratch.join(name)
}
