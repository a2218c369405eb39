//! A standby that runs and is not sound: PostgreSQL has paused its replay, because its
//! settings are smaller than the primary's, or it lets nobody in. It is said once in the
//! log, and for all to see in the cluster; and another standby is tried before it.

use crate::election::scores::score_of_last_choice;
use crate::instance::capacity::Capacity;
use crate::instance::impairment::{Impairment, is_closed};
use crate::instance::replication::Details;
use crate::instance::{Postmaster, Role, State};
use crate::ocf::{Deadline, Failure};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::{impairment, note};
use crate::system::Notes;

/// How many monitors in a row a standby may be paused by PostgreSQL and without a
/// connection. When the primary dies another one is elected sooner.
const LONGEST_STRANDED: u32 = 3;

/// Says what begins or ends. Fails only a standby that is lost without a restart.
pub fn report(
    server: &dyn Server,
    (cluster, notes): (&dyn Cluster, &Notes),
    (state, details): (&State, Option<&Details>),
    deadline: Deadline,
) -> Result<(), Failure> {
    let (paused, receives) = match details {
        Some(Details::Standby {
            paused, receives, ..
        }) => (paused.as_ref(), *receives),
        _ => (None, false),
    };
    let now = match state {
        State::Running(Role::Standby) => paused
            .and_then(|own| lacking(server, own, deadline))
            .or_else(|| no_table_space(server)),
        State::Busy(Role::Standby, _) if is_shut(server, state) => Some(Impairment::Closed),
        State::Running(Role::Primary) => None,
        // Nothing could be seen.
        _ => return Ok(()),
    };
    announce(cluster, notes, now.as_ref());
    match now {
        Some(Impairment::TooSmall(_)) if !receives => fail_if_stranded(notes),
        _ => {
            notes.forget(&note::STRANDED);
            Ok(())
        }
    }
}

/// While it is paused so, the startup process looks at nothing else: once the connection
/// is gone the standby never asks for another one (seen with PostgreSQL 15).
fn fail_if_stranded(notes: &Notes) -> Result<(), Failure> {
    if notes.count(&note::STRANDED) < LONGEST_STRANDED {
        return Ok(());
    }
    notes.forget(&note::STRANDED);
    let what = notes.read(&note::IMPAIRED).unwrap_or_default();
    Err(Failure::soft(format!(
        "PostgreSQL has paused the replay of this standby ({what}), and it streams no more: \
         restarting it with larger settings"
    )))
}

fn announce(cluster: &dyn Cluster, notes: &Notes, now: Option<&Impairment>) {
    let text = now.map(ToString::to_string);
    if text == notes.read(&note::IMPAIRED) {
        return;
    }
    let announced = match now {
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

/// What cannot be looked at is not missing.
fn no_table_space(server: &dyn Server) -> Option<Impairment> {
    let missing = server.missing_table_space();
    let missing = missing.map_err(|error| log::debug!("pg_tblspc: {error}"));
    missing.ok().flatten().map(Impairment::NoTableSpace)
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
        Impairment::NoTableSpace(place) => log::error!(
            "No table space at {}: mount its file system, or make this standby anew. Promoted, \
             this node would lack the tables in it",
            place.display()
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
