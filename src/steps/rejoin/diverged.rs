//! Has this node left the branch that the cluster elected? Judged by position and
//! history, whenever a standby is started and when it does not stream.
//!
//! It stays up, since it still serves reads and loses nothing, but it will never follow
//! by itself. A monitor that succeeds has no exit reason, and one that failed would have
//! it restarted for nothing: so it says in its log what it holds and how to repair it,
//! and announces that to the cluster, where `crm_mon -A` shows it and the primary says it
//! in its own log.

use std::time::Duration;

use crate::election::Diverged;
use crate::election::scores::exclusion_of_diverged;
use crate::ocf::{Deadline, Failure, NodeName, Parameters};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::{Divergence, note};
use crate::steps::evidence::Known;
use crate::steps::position;
use crate::system::Notes;
use crate::wal::Position;

/// How long a start waits for the end of the replay.
pub const AFTER_START: Duration = Duration::from_secs(5);
/// A monitor does not: it comes again.
pub const AT_MONITOR: Duration = Duration::ZERO;

/// Looks at this running standby; `patience` is how long it may still replay. That it
/// cannot be seen never fails the action.
pub fn look(
    server: &dyn Server,
    cluster: &dyn Cluster,
    patience: Duration,
    deadline: Deadline,
) -> Option<Diverged> {
    let held = || Ok(position::of_standby(server, patience, deadline)?.position);
    judge(server, cluster, held).unwrap_or_else(|failure| {
        log::debug!("Cannot tell whether this standby has diverged: {failure}");
        None
    })
}

/// Takes back that this standby had diverged, if that was said: it streams. Streaming
/// alone proves nothing, so its position is judged once more before.
pub fn take_back(server: &dyn Server, cluster: &dyn Cluster, notes: &Notes, deadline: Deadline) {
    if notes.read(&note::DIVERGED).is_none() {
        return;
    }
    if let Some(still) = look(server, cluster, AT_MONITOR, deadline) {
        return say_once(server, cluster, notes, &still);
    }
    notes.forget(&note::DIVERGED);
    log::info!("This standby follows the primary again");
    let name = Divergence::NAME.of(cluster.resource());
    if let Err(error) = cluster.delete_transient(&name) {
        log::warn!("Cannot delete the attribute that says that this node has diverged: {error}");
    }
}

/// Whether a position has left the branch of the last elected primary.
pub fn of_position(
    server: &dyn Server,
    cluster: &dyn Cluster,
    held: &Position,
) -> Result<Option<Diverged>, Failure> {
    judge(server, cluster, || Ok(held.clone()))
}

fn judge(
    server: &dyn Server,
    cluster: &dyn Cluster,
    held: impl FnOnce() -> Result<Position, Failure>,
) -> Result<Option<Diverged>, Failure> {
    let known = Known::gather(server, cluster, &cluster.permanent()?)?;
    Diverged::find(&known.all.reigns(), cluster.named_node(), held)
}

/// Says it in the log and announces it, unless that was done already.
pub fn say_once(server: &dyn Server, cluster: &dyn Cluster, notes: &Notes, diverged: &Diverged) {
    let node = cluster.named_node().map_or("NODE", NodeName::as_str);
    let text = format!(
        "This standby has diverged: {}. It does not follow the primary and is not a candidate for \
         promotion. {}",
        diverged.how,
        repair(server.parameters(), cluster.resource(), node, diverged)
    );
    if notes.is(&note::DIVERGED, &text) {
        return;
    }
    log::error!("{text}");
    if let Err(error) = exclude(cluster) {
        log::warn!("Cannot exclude this node from promotion: {error}");
    }
    let name = Divergence::NAME.of(cluster.resource());
    if let Err(error) = cluster.set_transient(&name, &diverged.how.encode()) {
        log::warn!("Cannot set the attribute that says that this node has diverged: {error}");
    }
    notes.write(&note::DIVERGED, &text);
}

/// Pacemaker must not try it first when the primary dies: a promotion that fails has the
/// server stopped, PostgreSQL does not start it again as it is, and its vote is missing
/// in the next election (seen on a real cluster).
fn exclude(cluster: &dyn Cluster) -> Result<(), ToolError> {
    let Some(node) = cluster.named_node() else {
        return Ok(());
    };
    let scores = cluster.permanent()?.scores(cluster.resource());
    match exclusion_of_diverged(scores.get(node).copied()) {
        Some(score) => cluster.set_score(node, score),
        None => Ok(()),
    }
}

/// What an admin can run, on the node that has diverged.
pub fn repair(parameters: &Parameters, resource: &str, node: &str, diverged: &Diverged) -> String {
    if diverged.how == Divergence::OtherSystem {
        return format!(
            "Rebuild {node} with pg_basebackup from {}",
            diverged.primary
        );
    }
    format!(
        "To discard what only {node} holds, run on {node}: \
         pcs resource ban {resource}-clone {node} --wait; as {}: {} --target-pgdata={} \
         --source-server='host={} port={} dbname=postgres'; pcs resource clear {resource}-clone \
         {node}. Or let every start do it: pcs resource update {resource} rejoin=rewind",
        parameters.system_user,
        parameters.program("pg_rewind").display(),
        parameters.datadir.display(),
        diverged.primary,
        parameters.pgport,
    )
}
