//! The state of the instance and the code that follows from it.
//!
//! The rules, in their order:
//! 1. A server that answers is what it says it is.
//! 2. A postmaster that lives but refuses is busy, not dead: its role is the
//!    one of the control file. After a backend crashed it recovers by itself,
//!    for a grace time. Only silence, or not listening once it is up, is
//!    a failure.
//! 3. Without a postmaster nothing runs, unless processes of the instance
//!    are left behind.

use std::time::Duration;

use super::{ClusterState, ControlData, NoAnswer};
use crate::ocf::{Failure, OcfExit};

/// How long a server may recover by itself before that counts as a failure.
const RECOVERY_GRACE: Duration = Duration::from_secs(60);

/// Primary or standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Open for writing.
    Primary,
    /// In recovery.
    Standby,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Role::Primary => "primary",
            Role::Standby => "standby",
        })
    }
}

/// What the process table and `postmaster.pid` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postmaster {
    /// A proved postmaster of this data directory.
    Alive(i32),
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
    /// Is there a `standby.signal`?
    pub standby_signal: bool,
    /// Was the server told to stop, by whomever?
    pub stopping: bool,
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
}

impl State {
    /// What the instance is, from what was seen.
    pub fn of(seen: &Observation) -> Self {
        match seen.postmaster {
            Postmaster::LeftBehind(processes) => State::LeftBehind(processes),
            Postmaster::None => not_running(seen.control.as_ref()),
            Postmaster::Alive(_) => match &seen.answer {
                Some(Ok(role)) => State::Running(*role),
                Some(Err(refusal)) => refusing(refusal, seen),
                None => State::Transient(NoAnswer::Other("not asked".to_owned())),
            },
        }
    }

    /// Is there a postmaster?
    pub fn has_postmaster(&self) -> bool {
        !matches!(
            self,
            State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_)
        )
    }

    /// What monitor answers. A probe asks only what is there: a crashed
    /// instance is simply not running, and startable.
    pub fn monitor(&self, probe: bool) -> Result<OcfExit, Failure> {
        match self {
            State::Running(role) | State::Busy(role, _) => Ok(code_of(*role)),
            State::Stopped(_) => Ok(OcfExit::NotRunning),
            State::Crashed(_) if probe => Ok(OcfExit::NotRunning),
            State::Crashed(Role::Standby) => Err(Failure::new(
                OcfExit::NotRunning,
                "The standby crashed: no postmaster runs",
            )),
            State::Crashed(Role::Primary) => Err(Failure::new(
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
        "The postmaster is gone, {processes} of its processes still run"
    ))
}

fn code_of(role: Role) -> OcfExit {
    match role {
        Role::Primary => OcfExit::Promoted,
        Role::Standby => OcfExit::Success,
    }
}

fn refusing(refusal: &NoAnswer, seen: &Observation) -> State {
    let known = seen.control.as_ref();
    let role = known.and_then(|control| role_of(control.state));
    match (refusal, role) {
        (NoAnswer::Silent | NoAnswer::NotListening | NoAnswer::CutOff, _) => {
            State::Failing(refusal.clone())
        }
        // A smart stop waits for sessions without end, and lets nobody new in.
        (NoAnswer::NotYet(_), _) if seen.stopping => State::Transient(refusal.clone()),
        (_, Some(role)) => State::Busy(role, refusal.clone()),
        (_, None) if is_recovering_lately(seen) => State::Busy(intended(seen), refusal.clone()),
        (_, None) => State::Transient(refusal.clone()),
    }
}

fn is_recovering_lately(seen: &Observation) -> bool {
    let known = seen.control.as_ref();
    let recovers = known.is_some_and(|control| control.state == ClusterState::InCrashRecovery);
    recovers && seen.recovering_for.is_some_and(|age| age < RECOVERY_GRACE)
}

/// What the server will be once it has recovered.
fn intended(seen: &Observation) -> Role {
    if seen.standby_signal {
        Role::Standby
    } else {
        Role::Primary
    }
}

fn not_running(control: Option<&ControlData>) -> State {
    match control.map(|control| control.state) {
        None | Some(ClusterState::ShutDown) => State::Stopped(Role::Primary),
        Some(ClusterState::ShutDownInRecovery) => State::Stopped(Role::Standby),
        Some(ClusterState::InArchiveRecovery) => State::Crashed(Role::Standby),
        Some(_) => State::Crashed(Role::Primary),
    }
}

/// The role of a live server by its control file, where that is settled.
fn role_of(state: ClusterState) -> Option<Role> {
    match state {
        ClusterState::InProduction => Some(Role::Primary),
        ClusterState::InArchiveRecovery => Some(Role::Standby),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `postmaster answer control` → `state | code of monitor | code of probe`
    const TABLE: &str = include_str!("testdata/states.txt");

    fn control(state: &str) -> Option<ControlData> {
        if state == "unread" {
            return None;
        }
        let output = format!(
            "Database system identifier: 7301234567890123456\n\
             Database cluster state: {}\n\
             Latest checkpoint location: 0/3000060\n\
             Latest checkpoint's TimeLineID: 1\n\
             Min recovery ending loc's timeline: 0\n\
             Minimum recovery ending location: 0/0\n\
             wal_level setting: replica\n\
             wal_log_hints setting: on\n\
             Data page checksum version: 0\n\
             Bytes per WAL segment: 16777216\n",
            state.replace('-', " ")
        );
        Some(ControlData::parse(&output).unwrap())
    }

    fn observation(line: &str) -> Observation {
        let words: Vec<_> = line.split_whitespace().collect();
        let [postmaster, answer, state, more @ ..] = &words[..] else {
            panic!("three columns wanted: {line}")
        };
        let seconds = more.iter().find_map(|word| word.strip_suffix('s'));
        let (postmaster, answer) = (*postmaster, *answer);
        Observation {
            postmaster: match postmaster {
                "alive" => Postmaster::Alive(4711),
                "left-behind" => Postmaster::LeftBehind(3),
                "none" => Postmaster::None,
                other => panic!("{other}"),
            },
            answer: match answer {
                "-" => None,
                "primary" => Some(Ok(Role::Primary)),
                "standby" => Some(Ok(Role::Standby)),
                "not-yet" => Some(Err(NoAnswer::NotYet("starting up".into()))),
                "full" => Some(Err(NoAnswer::Full)),
                "login" => Some(Err(NoAnswer::Login("no pg_hba.conf entry".into()))),
                "silent" => Some(Err(NoAnswer::Silent)),
                "not-listening" => Some(Err(NoAnswer::NotListening)),
                "cut-off" => Some(Err(NoAnswer::CutOff)),
                other => panic!("{other}"),
            },
            control: control(state),
            stopping: more.contains(&"stopping"),
            standby_signal: more.contains(&"signal"),
            recovering_for: seconds.map(|text| Duration::from_secs(text.parse().unwrap())),
        }
    }

    fn code(outcome: Result<OcfExit, Failure>) -> u8 {
        outcome.unwrap_or_else(|failure| failure.exit).code()
    }

    #[test]
    fn every_row_of_the_table_holds() {
        let rows = TABLE
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let mut seen = 0;
        for row in rows {
            let (left, right) = row.split_once('|').unwrap();
            let state = State::of(&observation(left));
            let got = format!(
                "{} {}",
                code(state.monitor(false)),
                code(state.monitor(true))
            );
            assert_eq!(got, right.trim(), "{row} ({state:?})");
            seen += 1;
        }
        assert!(seen >= 20, "only {seen} rows");
    }
}
