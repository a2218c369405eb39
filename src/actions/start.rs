//! start: brings the instance up as a standby, always. Only promote opens an
//! instance for writing; a crashed primary replays its WAL in recovery too.

use std::path::Path;
use std::time::Duration;

use super::{stop, validate_all};
use crate::instance::{NoAnswer, Role, State};
use crate::ocf::{Deadline, Failure, OcfExit, Outcome, clone};
use crate::postgres::{history_file, server, standby_signal};
use crate::steps::rejoin::diverged::{self, Diverged};
use crate::steps::rejoin::rewind;
use crate::steps::{Call, claim, offer, state};

/// `pg_ctl --no-wait` returns before the postmaster has become one: until
/// then the process table shows pg_ctl's shell, and no postmaster.pid. With cold
/// disks after a power cut it takes seconds.
const LONGEST_APPEARANCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
/// How long a process may live that got the number of a dead postmaster.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// Starts the instance.
pub fn run(call: &Call) -> Outcome {
    let deadline = call.request.deadline;
    // Where nothing can be seen, the reason may be a missing mount or program.
    let state = state::state(call, deadline)
        .or_else(|failure| validate_all::judge(call).and(Err(failure)))?;
    match state {
        State::Running(Role::Standby) => {
            log::info!("The instance already runs as a standby");
            Ok(OcfExit::Success)
        }
        state @ (State::Stopped(_) | State::Crashed(_)) => {
            clone::judge(&call.environment)?;
            validate_all::judge(call)?;
            let outcome = rejoin(call, deadline)?;
            if state == State::Stopped(Role::Primary) {
                offer::if_nobody_is_a_candidate(call, "a primary when it was stopped");
            }
            Ok(outcome)
        }
        State::Transient(_) | State::Busy(Role::Standby, _) => {
            let output = server::output_file(&call.request.resource, &call.user);
            let said = server::said(&output);
            until_up(call, &output, said, deadline)?.ok_or_else(|| died(&output, said))
        }
        State::Running(Role::Primary) | State::Busy(Role::Primary, _) => Err(Failure::soft(
            "The instance already runs as a primary, which start never leaves behind",
        )),
        other => other.monitor(false),
    }
}

/// Starts, and looks whether the node is on the branch of the primary. The
/// replay may show what nobody could see before it: then a rewind, if it is
/// wanted, comes after a clean stop.
fn rejoin(call: &Call, deadline: Deadline) -> Outcome {
    let known = rewind::prepare(call, deadline)?;
    let outcome = bring_up(call, deadline, known.as_ref())?;
    if let Some(diverged) = known {
        diverged::say_once(call, &diverged);
        return Ok(outcome);
    }
    match diverged::run(call, diverged::AFTER_START) {
        Some(diverged) if rewind::is_worth_a_start(call, &diverged) => {
            log::info!("Stopping again, to rewind what the replay has shown");
            stop::stop_standby(call, deadline)?;
            let left = rewind::prepare(call, deadline)?;
            bring_up(call, deadline, left.as_ref())
        }
        _ => Ok(outcome),
    }
}

/// Starts a stopped instance in recovery and waits until it answers. What was
/// interrupted in a rewind is finished first.
pub fn start_as_standby(call: &Call, deadline: Deadline) -> Outcome {
    let known = rewind::prepare(call, deadline)?;
    bring_up(call, deadline, known.as_ref())
}

fn bring_up(call: &Call, deadline: Deadline, known: Option<&Diverged>) -> Outcome {
    claim::end_before_start(call);
    standby_signal::write(&call.parameters.datadir, &call.user)
        .map_err(|error| Failure::soft(format!("Cannot write standby.signal: {error}")))?;
    if let Err(error) = history_file::release(&call.parameters.datadir) {
        log::warn!("Cannot release the timelines of a promotion that failed: {error}");
    }
    start_server(call, deadline).map_err(|failure| match known {
        Some(diverged) => cannot_start(call, diverged, &failure),
        None => failure,
    })
}

/// PostgreSQL takes any process of its user for a postmaster that has the number
/// in an old postmaster.pid, and ends at once. After a power cut numbers are handed
/// out anew, also to short-lived helpers; and a failed start bans the node.
fn start_server(call: &Call, deadline: Deadline) -> Outcome {
    let output = server::output_file(&call.request.resource, &call.user);
    match start_once(call, &output, deadline)? {
        Err(ended) => log::warn!("{ended}; starting it once more"),
        up => return up,
    }
    deadline.sleep(SHORT_LIFE);
    start_once(call, &output, deadline)?
}

/// The inner failure: the server ended before anything was seen of it.
fn start_once(call: &Call, output: &Path, deadline: Deadline) -> Result<Outcome, Failure> {
    let said = server::said(output);
    server::start(&call.parameters, &call.user, output, deadline)?;
    let up = until_up(call, output, said, deadline)?;
    Ok(up.ok_or_else(|| died(output, said)))
}

/// PostgreSQL does not start twice on data that have diverged, once it has seen
/// the history of the primary's branch: "requested timeline is not a child".
fn cannot_start(call: &Call, diverged: &Diverged, failure: &Failure) -> Failure {
    diverged::say_once(call, diverged);
    log::error!("{failure}");
    Failure::soft(format!(
        "Diverged, to be repaired (see log): {}",
        diverged.how
    ))
}

/// `None` if the server ended before anything was seen of it.
fn until_up(
    call: &Call,
    output: &Path,
    said: u64,
    deadline: Deadline,
) -> Result<Option<OcfExit>, Failure> {
    let appears_by = deadline.within(LONGEST_APPEARANCE);
    let mut seen = false;
    loop {
        let state = state::state(call, deadline)?;
        seen |= state.has_postmaster();
        match state {
            State::Running(Role::Standby) => return Ok(Some(OcfExit::Success)),
            State::Running(Role::Primary) => {
                return Err(Failure::soft(
                    "The instance came up as a primary: recovery ended (recovery_target_*?)",
                ));
            }
            // A postmaster works in the data directory a moment before it has
            // written postmaster.pid, and until then looks like a left-over.
            State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_)
                if !seen && !appears_by.passed() && server::last_words(output, said).is_none() => {}
            State::Stopped(_) | State::Crashed(_) if !seen => return Ok(None),
            State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_) => {
                return Err(died(output, said));
            }
            State::Busy(..) | State::Transient(_) | State::Failing(_) => {}
        }
        if !deadline.sleep(POLL) {
            return Err(not_up(&state));
        }
    }
}

fn died(output: &Path, said: u64) -> Failure {
    let path = output.display();
    match server::last_words(output, said) {
        Some(words) => Failure::soft(format!("PostgreSQL ended while starting: {words}")),
        None => Failure::soft(format!(
            "PostgreSQL ended while starting; see {path} and its log"
        )),
    }
}

fn not_up(state: &State) -> Failure {
    let said = match state {
        State::Busy(_, refusal) | State::Transient(refusal) | State::Failing(refusal) => {
            refusal.clone()
        }
        _ => NoAnswer::Silent,
    };
    Failure::soft(format!("PostgreSQL is not up in time: {said}"))
}
