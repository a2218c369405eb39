//! Looks at the instance: as little as the state needs.

use std::time::Duration;

use postgres::{Client, Error};

use super::Call;
use crate::instance::replication::Details;
use crate::instance::{ControlData, NoAnswer, Observation, Postmaster, Role, State};
use crate::ocf::{Deadline, Failure};
use crate::postgres::replication;
use crate::postgres::{control_file, postmaster, session, standby_signal, startup_process};

/// Kept of the time for the control file, should the server be silent.
const CONTROL_FILE: Duration = Duration::from_secs(1);

/// A server that is only busy answers within this time.
const SHORTEST_LOOK: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(50);
/// How long one that is about to be stopped is asked what it is: clients wait for
/// the failover meanwhile.
pub const SILENCE: Duration = Duration::from_secs(10);

/// A question whose answer tells the role, and perhaps more.
type Question = fn(&mut Client) -> Result<(Role, Option<Details>), Error>;

/// The state of the instance now.
pub fn state(call: &Call, deadline: Deadline) -> Result<State, Failure> {
    Ok(look(call, deadline, ask_role)?.0)
}

/// The state once a standby is no longer busy or on its way, or once `patient`
/// has passed: a silent server is asked no longer than that.
pub fn settled_state(call: &Call, patient: Deadline) -> Result<State, Failure> {
    loop {
        let look = patient.left().max(SHORTEST_LOOK);
        let state = state(call, call.request.deadline.within(look))?;
        let passes = matches!(state, State::Busy(Role::Standby, _) | State::Transient(_));
        if !passes || !patient.sleep(POLL) {
            return Ok(state);
        }
    }
}

/// The state of the instance, and what it says of its replication, on one
/// connection.
pub fn state_and_details(
    call: &Call,
    deadline: Deadline,
) -> Result<(State, Option<Details>), Failure> {
    look(call, deadline, ask_role_and_details)
}

fn look(
    call: &Call,
    deadline: Deadline,
    question: Question,
) -> Result<(State, Option<Details>), Failure> {
    let postmaster = postmaster::look(&call.parameters.datadir)
        .map_err(|error| Failure::soft(error.to_string()))?;
    let answer = match postmaster {
        Postmaster::Alive(_) => Some(ask(call, deadline, question)),
        Postmaster::LeftBehind(_) | Postmaster::None => None,
    };
    let control = match (postmaster, &answer) {
        (Postmaster::LeftBehind(_), _) | (_, Some(Ok(_))) => None,
        _ => Some(control(call, deadline)?),
    };
    let (answer, details) = match answer {
        None => (None, None),
        Some(Err(refusal)) => (Some(Err(refusal)), None),
        Some(Ok((role, details))) => (Some(Ok(role)), details),
    };
    let recovering_for = match (postmaster, &answer) {
        (Postmaster::Alive(pid), Some(Err(NoAnswer::NotYet(_)))) => startup_process::age(pid),
        _ => None,
    };
    let seen = Observation {
        postmaster,
        standby_signal: standby_signal::is_there(&call.parameters.datadir),
        stopping: matches!(answer, Some(Err(NoAnswer::NotYet(_))))
            && postmaster::is_stopping(&call.parameters.datadir),
        recovering_for,
        answer,
        control,
    };
    Ok((State::of(&seen), details))
}

/// A connection that is cut off says nothing yet, and neither does silence while
/// storage stalls: asked once more, with half of what time is left each. So an
/// admin who gives the monitor more time gives the server more.
fn ask(
    call: &Call,
    deadline: Deadline,
    question: Question,
) -> Result<(Role, Option<Details>), NoAnswer> {
    let deadline = deadline.less(CONTROL_FILE.min(deadline.left() / 4));
    let once = || {
        let deadline = deadline.within(deadline.left() / 2);
        session::ask(&call.parameters, &call.user, deadline, question)
    };
    match once() {
        Err(NoAnswer::CutOff | NoAnswer::Silent) => once(),
        Err(NoAnswer::NotListening) => ask_elsewhere(call, deadline, question),
        answer => answer,
    }
}

/// Nobody listens where the parameters say. A wrong `pghost` or `pgport` is no
/// fault of the server, which says in `postmaster.pid` where it does.
fn ask_elsewhere(
    call: &Call,
    deadline: Deadline,
    question: Question,
) -> Result<(Role, Option<Details>), NoAnswer> {
    let mut parameters = call.parameters.clone();
    let Ok(Some(file)) = postmaster::pid_file(&parameters.datadir) else {
        return Err(NoAnswer::NotListening);
    };
    let (Some(port), Some(directory)) = (file.port, file.socket_directory) else {
        return Err(NoAnswer::NotListening);
    };
    if (port, &directory) == (parameters.pgport, &parameters.pghost) {
        return Err(NoAnswer::NotListening);
    }
    (parameters.pgport, parameters.pghost) = (port, directory);
    let answer = session::ask(&parameters, &call.user, deadline, question)?;
    log::warn!(
        "Nobody listens on pghost={} pgport={}, but the server does on pghost={} pgport={}: correct \
         it with pcs resource update {}",
        call.parameters.pghost,
        call.parameters.pgport,
        parameters.pghost,
        parameters.pgport,
        call.request.resource
    );
    Ok(answer)
}

fn ask_role(client: &mut Client) -> Result<(Role, Option<Details>), Error> {
    Ok((role(client)?, None))
}

fn ask_role_and_details(client: &mut Client) -> Result<(Role, Option<Details>), Error> {
    let role = role(client)?;
    let details = match role {
        Role::Primary => Details::Primary(replication::primary(client)?),
        Role::Standby => Details::Standby {
            receives: replication::receives(client)?,
        },
    };
    Ok((role, Some(details)))
}

fn role(client: &mut Client) -> Result<Role, Error> {
    let row = client.query_one("SELECT pg_catalog.pg_is_in_recovery()", &[])?;
    Ok(if row.try_get(0)? {
        Role::Standby
    } else {
        Role::Primary
    })
}

/// The control file, read as the system user.
pub fn control(call: &Call, deadline: Deadline) -> Result<ControlData, Failure> {
    control_file::read(&call.parameters, &call.user, deadline)
        .map_err(|error| Failure::soft(error.to_string()))
}
