//! Looks at the instance: as little as the state needs.

use std::time::Duration;

use super::Call;
use crate::instance::{ControlData, Observation, Postmaster, Refusal, Role, State};
use crate::ocf::{Deadline, Failure};
use crate::postgres::{control_file, postmaster, session};

/// Longest wait for one answer: a server that is well takes milliseconds.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);

/// The state of the instance now.
pub fn state(call: &Call, deadline: Deadline) -> Result<State, Failure> {
    Ok(State::of(&look(call, deadline)?))
}

fn look(call: &Call, deadline: Deadline) -> Result<Observation, Failure> {
    let postmaster = postmaster::look(&call.parameters.datadir)
        .map_err(|error| Failure::soft(error.to_string()))?;
    let answer = match postmaster {
        Postmaster::Alive(_) => Some(role(call, deadline)),
        Postmaster::LeftBehind(_) | Postmaster::None => None,
    };
    let control = match answer {
        Some(Ok(_)) => None,
        _ => Some(control(call, deadline)?),
    };
    Ok(Observation {
        postmaster,
        answer,
        control,
    })
}

/// A connection that is cut off says nothing yet: asked once more.
fn role(call: &Call, deadline: Deadline) -> Result<Role, Refusal> {
    match ask_role(call, deadline) {
        Err(Refusal::CutOff) => ask_role(call, deadline),
        answer => answer,
    }
}

fn ask_role(call: &Call, deadline: Deadline) -> Result<Role, Refusal> {
    let deadline = deadline.within(LONGEST_ANSWER);
    let in_recovery = session::ask(&call.parameters, &call.user, deadline, |client| {
        client
            .query_one("SELECT pg_is_in_recovery()", &[])?
            .try_get::<_, bool>(0)
    })?;
    Ok(if in_recovery {
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
