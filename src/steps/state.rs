//! Looks at the server, as little as the state needs.

use std::time::Duration;

use crate::instance::postmaster_pid::PostmasterPid;
use crate::instance::replication::Details;
use crate::instance::{NoAnswer, Observation, Postmaster, Role, State};
use crate::ocf::{Deadline, Failure};
use crate::postgres::{Address, Server};

/// Kept of the time for the control file, should the server be silent.
const CONTROL_FILE: Duration = Duration::from_secs(1);
/// A server that is only busy answers within this time.
const SHORTEST_LOOK: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(50);
/// How often postmaster.pid is looked at meanwhile, which costs no process: it says when the server
/// lets somebody in.
const GLANCE: Duration = Duration::from_millis(5);
/// How long a postmaster is looked at that a signal has stopped, before it counts as frozen.
const FROZEN: Duration = if cfg!(test) {
    Duration::from_millis(15)
} else {
    Duration::from_secs(3)
};
/// How long stop and demote ask a silent server for its role: clients wait for the
/// failover meanwhile.
pub const SILENCE: Duration = Duration::from_secs(10);

/// A question whose answer tells the role, and perhaps more.
type Question<'a> = &'a dyn Fn(&Address, Deadline) -> Answer;
type Answer = Result<(Role, Option<Details>), NoAnswer>;

/// The state of the server now.
pub fn now(server: &dyn Server, deadline: Deadline) -> Result<State, Failure> {
    let role = |at: &Address, deadline| server.role(at, deadline).map(|role| (role, None));
    Ok(look(server, deadline, &role)?.0)
}

/// The state once a standby is no longer busy or on its way, or once `patient` has
/// passed: a silent server is asked no longer than that.
pub fn settled(
    server: &dyn Server,
    patient: Deadline,
    deadline: Deadline,
) -> Result<State, Failure> {
    loop {
        let look = patient.left().max(SHORTEST_LOOK);
        let state = now(server, deadline.within(look))?;
        let passes = matches!(state, State::Busy(Role::Standby, _) | State::Transient(_));
        if !passes || !sleep_until_news(server, patient) {
            return Ok(state);
        }
    }
}

/// Sleeps until the next look, less where postmaster.pid changes; `false` once the time is over.
pub fn sleep_until_news(server: &dyn Server, deadline: Deadline) -> bool {
    let status = || server.lock_file().and_then(|file| file.status);
    let (before, next) = (status(), deadline.within(POLL));
    while next.sleep(GLANCE) && status() == before {}
    !deadline.passed()
}

/// The state of the server, and what it says of its replication, on one connection.
pub fn with_details(
    server: &dyn Server,
    deadline: Deadline,
) -> Result<(State, Option<Details>), Failure> {
    look(server, deadline, &|at, deadline| {
        let details = server.details(at, deadline)?;
        Ok((details.role(), Some(details)))
    })
}

fn look(
    server: &dyn Server,
    deadline: Deadline,
    question: Question<'_>,
) -> Result<(State, Option<Details>), Failure> {
    let postmaster = server.postmaster()?;
    let answer = match postmaster {
        Postmaster::Alive(pid) if stays_frozen(server, pid, deadline) => {
            Some(Err(NoAnswer::Frozen))
        }
        Postmaster::Alive(_) => Some(ask(server, deadline, question)),
        Postmaster::LeftBehind(_) | Postmaster::SingleUser(_) | Postmaster::None => None,
    };
    if let Some(Err(NoAnswer::NotAsked)) = answer {
        return Err(Failure::soft("No time was left to query PostgreSQL"));
    }
    let control = match (postmaster, &answer) {
        (Postmaster::LeftBehind(_) | Postmaster::SingleUser(_), _) | (_, Some(Ok(_))) => None,
        _ => Some(server.control_data(deadline)?),
    };
    let (answer, details) = match answer {
        None => (None, None),
        Some(Err(why)) => (Some(Err(why)), None),
        Some(Ok((role, details))) => (Some(Ok(role)), details),
    };
    let not_yet = matches!(answer, Some(Err(NoAnswer::NotYet(_))));
    let lock_file = not_yet.then(|| server.lock_file()).flatten();
    let lock_file = lock_file.as_ref();
    let seen = Observation {
        postmaster,
        standby_signal: server.has_standby_signal(),
        stopping: lock_file.is_some_and(PostmasterPid::is_stopping),
        starting: lock_file.is_some_and(PostmasterPid::is_starting),
        recovering_for: match postmaster {
            Postmaster::Alive(pid) if not_yet => server.recovering_for(pid),
            _ => None,
        },
        answer,
        control,
    };
    Ok((State::of(&seen), details))
}

/// For how long `restore_command` has been running, if it is.
pub fn restoring(server: &dyn Server) -> Option<Duration> {
    match server.postmaster() {
        Ok(Postmaster::Alive(postmaster)) => server.restoring_for(postmaster),
        _ => None,
    }
}

/// Whether a signal has stopped the postmaster, and nobody lets it go on for some seconds: no answer
/// can come, so none is waited for.
fn stays_frozen(server: &dyn Server, postmaster: i32, deadline: Deadline) -> bool {
    let patient = deadline.less(CONTROL_FILE.min(deadline.left() / 4));
    let patient = patient.within(FROZEN);
    while server.is_frozen(postmaster) {
        if !patient.sleep(POLL) {
            return true;
        }
    }
    false
}

/// A connection that is cut off says nothing yet, and neither does silence while
/// storage stalls: the server is asked once more, with half of what time is left each.
/// So an admin who gives the monitor more time gives the server more.
fn ask(server: &dyn Server, deadline: Deadline, question: Question<'_>) -> Answer {
    let deadline = deadline.less(CONTROL_FILE.min(deadline.left() / 4));
    let usual = Address {
        host: server.parameters().pghost.clone(),
        port: server.parameters().pgport,
    };
    let once = || question(&usual, deadline.within(deadline.left() / 2));
    match once() {
        Err(NoAnswer::CutOff | NoAnswer::Silent) => once(),
        Err(NoAnswer::NotListening) => ask_elsewhere(server, &usual, deadline, question),
        answer => answer,
    }
}

/// Nobody listens where the parameters say. A wrong `pghost` or `pgport` is no fault of
/// the server, which says in `postmaster.pid` where it does.
fn ask_elsewhere(
    server: &dyn Server,
    usual: &Address,
    deadline: Deadline,
    question: Question<'_>,
) -> Answer {
    let Some(other) = server.lock_file().and_then(|file| {
        let (host, port) = (file.socket_directory?, file.port?);
        Some(Address { host, port })
    }) else {
        return Err(NoAnswer::NotListening);
    };
    if other == *usual {
        return Err(NoAnswer::NotListening);
    }
    let answer = question(&other, deadline)?;
    log::warn!(
        "Nothing listens on pghost={} pgport={}; the server listens on pghost={} pgport={}: correct \
         it with pcs resource update {}",
        usual.host,
        usual.port,
        other.host,
        other.port,
        server.resource()
    );
    Ok(answer)
}
