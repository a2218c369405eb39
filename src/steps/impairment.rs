//! A standby that runs and is not sound: PostgreSQL has paused its replay, because its
//! settings are smaller than the primary's, or it lets nobody in. It is said once in the
//! log, and for all to see in the cluster; and another standby is tried before it.

use crate::election::scores::score_of_last_choice;
use crate::instance::capacity::Capacity;
use crate::instance::impairment::{Impairment, is_closed};
use crate::instance::{Postmaster, Role, State};
use crate::ocf::Deadline;
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::{impairment, note};
use crate::system::Notes;

/// Says what begins or ends. `paused` are the settings of a standby whose replay is
/// paused. Never fails a monitor: the standby runs.
pub fn report(
    server: &dyn Server,
    (cluster, notes): (&dyn Cluster, &Notes),
    (state, paused): (&State, Option<&Capacity>),
    deadline: Deadline,
) {
    let before = notes.read(&note::IMPAIRED);
    let now = match state {
        State::Running(Role::Standby) => paused.and_then(|own| lacking(server, own, deadline)),
        State::Busy(Role::Standby, _) if is_shut(server, state) => Some(Impairment::Closed),
        State::Running(Role::Primary) => None,
        // Nothing could be seen.
        _ => return,
    };
    let text = now.as_ref().map(ToString::to_string);
    if text == before {
        return;
    }
    let announced = match &now {
        Some(what) => say(cluster, what),
        None => forget(cluster),
    };
    match (announced, text) {
        (Err(error), _) => log::warn!("Cannot announce what this standby lacks: {error}"),
        (Ok(()), Some(text)) => drop(notes.write(&note::IMPAIRED, &text)),
        (Ok(()), None) => notes.forget(&note::IMPAIRED),
    }
}

fn is_shut(server: &dyn Server, state: &State) -> bool {
    let Ok(Postmaster::Alive(postmaster)) = server.postmaster() else {
        return false;
    };
    is_closed(state, server.recovering_for(postmaster))
}

/// What the settings have too little of.
fn lacking(server: &dyn Server, own: &Capacity, deadline: Deadline) -> Option<Impairment> {
    let control = server.control_data(deadline);
    let control = control.map_err(|error| log::warn!("{error}")).ok()?;
    let lacking = own.lacks(&control.needed);
    (!lacking.is_empty()).then_some(Impairment::TooSmall(lacking))
}

/// The standby itself writes its score: that is what the primary's monitor notices, and
/// then it reads the attribute.
fn say(cluster: &dyn Cluster, what: &Impairment) -> Result<(), ToolError> {
    match what {
        Impairment::TooSmall(_) => log::warn!(
            "PostgreSQL has paused the replay of this standby, because settings are smaller than \
             the primary's ({what}): set them, and restart it. Do not resume the replay: that \
             ends the server"
        ),
        Impairment::Closed => log::warn!(
            "This standby replays, but lets nobody in: a transaction with many subtransactions \
             may be open on the primary. Until it ends this node cannot vote"
        ),
    }
    let name = impairment::NAME.of(cluster.resource());
    cluster.set_transient(&name, &what.to_string())?;
    let node = cluster.node()?;
    let scores = cluster.permanent()?.scores(cluster.resource());
    match score_of_last_choice(scores.get(&node).copied()) {
        Some(score) => cluster.set_score(&node, score),
        None => Ok(()),
    }
}

fn forget(cluster: &dyn Cluster) -> Result<(), ToolError> {
    log::info!("This standby is sound again");
    cluster.delete_transient(&impairment::NAME.of(cluster.resource()))
}
