//! A server that refuses questions in a way that nobody knows: counted from monitor to
//! monitor, and said. `crate::instance::unknown_error` has the bounds.

use crate::election::scores::score_of_last_choice;
use crate::instance::unknown_error::{Verdict, verdict};
use crate::instance::{NoAnswer, Role, State};
use crate::ocf::Failure;
use crate::pacemaker::{Cluster, ToolError};
use crate::record::{note, unknown_error};
use crate::system::Notes;

/// Notes how this monitor was answered. Fails only a primary that was refused in this way
/// for too long.
pub fn count_and_report(
    state: &State,
    cluster: &dyn Cluster,
    notes: &Notes,
) -> Result<(), Failure> {
    let State::Busy(role, NoAnswer::Unknown(said)) = state else {
        warn(forget(cluster, notes));
        return Ok(());
    };
    let in_a_row = notes.count(&note::UNKNOWN_ERROR);
    match verdict(*role, in_a_row) {
        Verdict::Wait => Ok(()),
        // Once; also where a monitor was missed.
        Verdict::Say => {
            if in_a_row <= 2 {
                warn(say(*role, cluster, said));
            }
            Ok(())
        }
        Verdict::Fail => Err(Failure::soft(format!(
            "The primary answered {in_a_row} monitors in a row with an error that the agent does not know: {said}"
        ))),
    }
}

/// The standby itself writes its score: that is what the primary's monitor notices, and
/// then it reads the attribute.
fn say(role: Role, cluster: &dyn Cluster, said: &str) -> Result<(), ToolError> {
    let name = unknown_error::NAME.of(cluster.resource());
    cluster.set_transient(&name, &unknown_error::encode(said))?;
    if role == Role::Primary {
        return Ok(());
    }
    let node = cluster.node()?;
    let scores = cluster.permanent()?.scores(cluster.resource());
    match score_of_last_choice(scores.get(&node).copied()) {
        Some(score) => cluster.set_score(&node, score),
        None => Ok(()),
    }
}

fn forget(cluster: &dyn Cluster, notes: &Notes) -> Result<(), ToolError> {
    if notes.read(&note::UNKNOWN_ERROR).is_none() {
        return Ok(());
    }
    notes.forget(&note::UNKNOWN_ERROR);
    cluster.delete_transient(&unknown_error::NAME.of(cluster.resource()))
}

fn warn(done: Result<(), ToolError>) {
    if let Err(error) = done {
        log::warn!("Cannot announce the error that PostgreSQL answers with: {error}");
    }
}
