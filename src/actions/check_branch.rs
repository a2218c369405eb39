//! A standby's monitor, when it receives nothing: has it left the branch that
//! the cluster elected? It stays up, since it still serves reads and loses
//! nothing, but it will never follow by itself, and says so once.

use std::fs;
use std::path::PathBuf;

use super::{Call, evidence, position};
use crate::election::{Lineage, Reign, last_reign};
use crate::ocf::Failure;
use crate::pacemaker::Permanent;
use crate::wal::{Lsn, Position};

/// Looks, and logs what is new. A failure here never fails the monitor.
pub fn run(call: &Call) {
    match divergence(call) {
        Ok(Some(text)) => say_once(call, &text),
        Ok(None) => {}
        Err(failure) => log::debug!("Cannot see whether this standby has diverged: {failure}"),
    }
}

/// Forgets what was said: the standby follows.
pub fn follows(call: &Call) {
    let _ = fs::remove_file(said_file(call));
}

fn divergence(call: &Call) -> Result<Option<String>, Failure> {
    let reigns = evidence::reigns(call, &Permanent::read(&call.tools)?);
    let Some(last) = last_reign(&reigns) else {
        return Ok(None);
    };
    if Some(&last.primary) == call.request.node.as_ref() {
        return Ok(None);
    }
    let held = position::of_standby(call)?;
    Ok(match last.lineage_of(&held) {
        Lineage::Left { fork } => Some(left(call, &held, last, fork)),
        Lineage::OtherSystem => Some(format!(
            "This standby holds another database than the primary {}: rebuild it with pg_basebackup",
            last.primary
        )),
        Lineage::Follows | Lineage::Unknown => None,
    })
}

fn left(call: &Call, held: &Position, last: &Reign, fork: Lsn) -> String {
    let resource = &call.request.resource;
    let node = call.request.node.as_ref();
    let node = node.map_or("NODE", |node| node.as_str());
    format!(
        "This standby has diverged: it holds timeline {} up to {}, the branch of the primary {} \
         left at {fork}. It cannot follow and is no candidate. To give up what it holds beyond: \
         pcs resource ban {resource}-clone {node} --wait; as {}: {} --target-pgdata={} \
         --source-server='host={} port={} dbname=postgres'; pcs resource clear {resource}-clone {node}",
        held.timeline,
        held.lsn,
        last.primary,
        call.parameters.system_user,
        call.parameters.program("pg_rewind").display(),
        call.parameters.datadir.display(),
        last.primary,
        call.parameters.pgport,
    )
}

fn say_once(call: &Call, text: &str) {
    let path = said_file(call);
    if fs::read_to_string(&path).is_ok_and(|said| said == text) {
        return;
    }
    log::error!("{text}");
    if let Err(error) = fs::write(&path, text) {
        log::debug!("{}: {error}", path.display());
    }
}

fn said_file(call: &Call) -> PathBuf {
    let name = format!("pgsqlms-{}.diverged", call.request.resource);
    call.scratch.join(name)
}
