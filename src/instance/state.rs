//! The state of the instance and the code that follows from it.
//!
//! The rules, in their order:
//! 1. A server that answers is what it says it is.
//! 2. A postmaster that lives but refuses is busy, not dead: its role is the one
//!    that its files show (`role`). After a backend crashed it recovers by itself,
//!    for a grace time. Silence, not listening once it is up, and a server that calls
//!    its own storage broken are failures. What nobody knows how to read is neither:
//!    `unknown_error` bounds it.
//! 3. Without a postmaster nothing runs, unless processes of the instance
//!    are left behind.

use std::time::Duration;

use super::answer::NoAnswer;
use super::control_data::{ClusterState, ControlData};
use super::role::{Files, Role, role_when_stopped};
use crate::ocf::{Failure, OcfExit};

/// How long a server may recover by itself before that counts as a failure.
const RECOVERY_GRACE: Duration = Duration::from_secs(60);

/// What the process table and `postmaster.pid` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postmaster {
    /// A proved postmaster of this data directory.
    Alive(i32),
    /// `postgres --single`: somebody repairs the database.
    SingleUser(i32),
    /// No postmaster, but this many other processes of the instance.
    LeftBehind(usize),
    /// Nothing.
    None,
}

/// All that was seen of the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Processes.
    pub postmaster: Postmaster,
    /// What the server said; `None` if there was nobody to ask.
    pub answer: Option<Result<Role, NoAnswer>>,
    /// Whether there is a `standby.signal`.
    pub standby_signal: bool,
    /// Whether somebody told the server to stop.
    pub stopping: bool,
    /// Whether it has let nobody in since it was started.
    pub starting: bool,
    /// For how long the startup process has been running, if there is one.
    pub recovering_for: Option<Duration>,
    /// The control file; `None` where the answer made it needless.
    pub control: Option<ControlData>,
}

/// What the instance is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Answers, in this role.
    Running(Role),
    /// Alive in this role, but not to be asked now; with what it said.
    Busy(Role, NoAnswer),
    /// Alive and on its way up or down; with what it said.
    Transient(NoAnswer),
    /// Alive and failing; with what it said.
    Failing(NoAnswer),
    /// Stopped, cleanly, in this role.
    Stopped(Role),
    /// Gone without a clean stop, in this role.
    Crashed(Role),
    /// No postmaster, but this many processes that still hold shared memory.
    LeftBehind(usize),
    /// No postmaster; this process, `postgres --single`, has the data directory.
    SingleUser(i32),
}

impl State {
    /// What the instance is, from what was seen.
    pub fn of(seen: &Observation) -> Self {
        match seen.postmaster {
            Postmaster::LeftBehind(processes) => Self::LeftBehind(processes),
            Postmaster::SingleUser(pid) => Self::SingleUser(pid),
            Postmaster::None => not_running(seen.control.as_ref().map(|control| control.state)),
            Postmaster::Alive(_) => match &seen.answer {
                Some(Ok(role)) => Self::Running(*role),
                Some(Err(refusal)) => refusing(refusal, seen),
                None => Self::Transient(NoAnswer::NotAsked),
            },
        }
    }

    /// Whether there is a postmaster.
    pub fn has_postmaster(&self) -> bool {
        !matches!(
            self,
            Self::Stopped(_) | Self::Crashed(_) | Self::LeftBehind(_) | Self::SingleUser(_)
        )
    }

    /// What monitor answers. A probe asks only what is there: a crashed
    /// instance is simply not running, and startable.
    pub fn monitor(&self, probe: bool) -> Result<OcfExit, Failure> {
        match self {
            Self::Running(role) | Self::Busy(role, _) => Ok(code_of(*role)),
            Self::Stopped(_) => Ok(OcfExit::NotRunning),
            // A repair is not what Pacemaker runs. Any other answer to a probe has it
            // stopped, and the node fenced if that fails.
            Self::SingleUser(_) if probe => Ok(OcfExit::NotRunning),
            Self::SingleUser(pid) => {
                Err(Failure::new(OcfExit::NotRunning, single_user(*pid).reason))
            }
            Self::Crashed(_) if probe => Ok(OcfExit::NotRunning),
            Self::Crashed(Role::Standby) => Err(Failure::new(
                OcfExit::NotRunning,
                "The standby crashed: no postmaster runs",
            )),
            Self::Crashed(Role::Primary) => Err(Failure::new(
                OcfExit::PromotedFailed,
                "The primary crashed: no postmaster runs",
            )),
            State::Transient(why) | State::Failing(why) => Err(unwell(why)),
            State::LeftBehind(processes) => Err(left_behind(*processes)),
        }
    }
}

/// Why nothing is done with a server that runs and is not well.
pub fn unwell(why: &NoAnswer) -> Failure {
    Failure::soft(format!("PostgreSQL runs, but: {why}"))
}

/// Why nothing is done where only processes without their postmaster are left.
pub fn left_behind(processes: usize) -> Failure {
    Failure::soft(format!(
        "The postmaster is gone, but {processes} of its processes still run"
    ))
}

/// Why nothing is started beside a repair.
pub fn single_user(pid: i32) -> Failure {
    Failure::soft(format!(
        "The data directory is in use by postgres in single-user mode (pid {pid})"
    ))
}

fn code_of(role: Role) -> OcfExit {
    match role {
        Role::Primary => OcfExit::Promoted,
        Role::Standby => OcfExit::Success,
    }
}

fn refusing(refusal: &NoAnswer, seen: &Observation) -> State {
    let files = Files {
        starting: seen.starting,
        standby_signal: seen.standby_signal,
        control: seen.control.as_ref().map(|control| control.state),
    };
    match refusal {
        NoAnswer::Silent
        | NoAnswer::Frozen
        | NoAnswer::NotListening
        | NoAnswer::CutOff
        | NoAnswer::Broken(_) => State::Failing(refusal.clone()),
        // A smart stop waits for sessions without end, and lets nobody new in.
        NoAnswer::NotYet(_) if seen.stopping => State::Transient(refusal.clone()),
        _ if files.role_on_record().is_some() || is_recovering_lately(seen) => {
            State::Busy(files.role(), refusal.clone())
        }
        _ => State::Transient(refusal.clone()),
    }
}

fn is_recovering_lately(seen: &Observation) -> bool {
    let known = seen.control.as_ref();
    let recovers = known.is_some_and(|control| control.state == ClusterState::InCrashRecovery);
    recovers && seen.recovering_for.is_some_and(|age| age < RECOVERY_GRACE)
}

/// Gone without a clean stop, unless the control file says how it was stopped.
fn not_running(control: Option<ClusterState>) -> State {
    let role = role_when_stopped(control);
    match control {
        None | Some(ClusterState::ShutDown | ClusterState::ShutDownInRecovery) => {
            State::Stopped(role)
        }
        Some(_) => State::Crashed(role),
    }
}
