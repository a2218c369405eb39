//! Starts the server and waits until it answers as a standby.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{bring_down, state};
use crate::instance::capacity::{self, Capacity, TooSmall};
use crate::instance::impairment::LONGEST_CLOSED;
use crate::instance::state::single_user;
use crate::instance::{NoAnswer, Postmaster, Role, StartOption, State, start_option};
use crate::ocf::{Deadline, Failure, OcfExit, Outcome, time};
use crate::postgres::Server;

/// `pg_ctl --no-wait` returns before the postmaster has become one: until then the
/// process table shows pg_ctl's shell, and no postmaster.pid. With cold disks after a
/// power cut it takes seconds.
const LONGEST_APPEARANCE: Duration = Duration::from_secs(10);
/// A short-lived process that was given a dead postmaster's pid is gone after this time.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// How long one run of `restore_command` may take at a start, where nobody waits for a
/// primary: an archive may be slow.
const LONGEST_RESTORE: Duration = Duration::from_secs(20);

/// What a start is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// That it answers, or `restore_command` hangs.
    Up,
    /// That it answers: it is not restarted without the archive.
    UpWithoutHaste,
    /// That it says it is on its way up.
    Begun,
}

impl Goal {
    fn longest_restore(self) -> Duration {
        match self {
            Self::Up => LONGEST_RESTORE,
            Self::UpWithoutHaste | Self::Begun => Duration::MAX,
        }
    }
}

/// How a start went that did not simply take too long.
enum Fate {
    Up(OcfExit),
    /// The server ended; `seen`: a postmaster was there before.
    Ended {
        seen: bool,
        why: Failure,
    },
    /// It waits for `restore_command`, which does not end.
    Hangs(Duration),
}

impl Fate {
    fn outcome(self) -> Outcome {
        match self {
            Self::Up(code) => Ok(code),
            Self::Ended { why, .. } => Err(why),
            Self::Hangs(time) => Err(Failure::soft(format!(
                "PostgreSQL did not start in time: {}",
                archive(time)
            ))),
        }
    }
}

/// Starts a server that was stopped cleanly and whose `standby.signal` is there, and does not wait
/// until it lets somebody in: it has nothing to replay, and clients wait for what comes next.
pub fn begin(server: &dyn Server, deadline: Deadline) -> Outcome {
    start_until(server, Goal::Begun, deadline)
}

/// Starts a stopped server whose `standby.signal` is there.
pub fn start(server: &dyn Server, deadline: Deadline) -> Outcome {
    start_until(server, Goal::Up, deadline)
}

/// A setting that is smaller than the primary's ends a start, at once and each time. All
/// standbys may have it so: then nothing but a larger one saves the cluster from standing
/// still until somebody comes. The primary has run with as much on a machine of the kind.
///
/// PostgreSQL takes any process of its user for a postmaster that has the number in an
/// old postmaster.pid, and ends at once. After a power cut numbers are handed out anew,
/// also to short-lived helpers; and a failed start bans the node.
fn start_until(server: &dyn Server, goal: Goal, deadline: Deadline) -> Outcome {
    let (seen, why) = match once(server, &[], goal, deadline)? {
        Fate::Up(code) => return Ok(code),
        Fate::Ended { seen, why } => (seen, why),
        Fate::Hangs(time) => return start_without_archive(server, time, deadline),
    };
    let lacking = lacking(server, deadline);
    if !lacking.is_empty() {
        return start_with(server, &larger(&lacking), deadline);
    }
    if seen {
        return Err(why);
    }
    log::warn!("{why}; starting it again");
    deadline.sleep(SHORT_LIFE);
    once(server, &[], Goal::UpWithoutHaste, deadline)?.outcome()
}

/// An archive that was on the primary's node, or that hangs, may keep each standby from
/// starting, and a failed start bans its node. What the node lacks it streams.
fn start_without_archive(server: &dyn Server, time: Duration, deadline: Deadline) -> Outcome {
    log::warn!("{}: starting PostgreSQL without the archive", archive(time));
    bring_down::standby(server, deadline.within(deadline.left() / 2))?;
    start_with(server, &[StartOption::WithoutArchive], deadline)
}

fn archive(time: Duration) -> String {
    format!("restore_command has been running for {} s", time.as_secs())
}

/// Starts it with these options over its configuration.
pub fn start_with(server: &dyn Server, options: &[StartOption], deadline: Deadline) -> Outcome {
    let line = start_option::line(options);
    log::warn!("Starting PostgreSQL with {line}, until its next start");
    once(server, options, Goal::UpWithoutHaste, deadline)?.outcome()
}

/// Waits for a server that is on its way up.
pub fn wait(server: &dyn Server, deadline: Deadline) -> Outcome {
    let begin = Beginning::now(server);
    until(Goal::UpWithoutHaste, server, &begin, deadline)?.outcome()
}

/// The options that make settings as large as they have to be, which is said.
pub fn larger(lacking: &[TooSmall]) -> Vec<StartOption> {
    log::warn!(
        "{}: PostgreSQL works as a standby only with at least what the primary had; set it \
         in the configuration of this node",
        capacity::list(lacking)
    );
    lacking.iter().copied().map(StartOption::Larger).collect()
}

/// What the configuration has too little of for the next start. Where either cannot be
/// read nothing is known to be too small.
fn lacking(server: &dyn Server, deadline: Deadline) -> Vec<TooSmall> {
    let Ok(control) = server.control_data(deadline) else {
        return Vec::new();
    };
    let read = server.settings(&capacity::SETTINGS, deadline);
    let read = read.into_iter();
    let known = read.filter_map(|(name, text)| Some((name, text.ok()?.parse().ok()?)));
    let known: BTreeMap<_, u32> = known.collect();
    let value = |name| known.get(name).copied().unwrap_or(u32::MAX);
    Capacity(capacity::SETTINGS.map(value)).lacks(&control.needed)
}

fn once(
    server: &dyn Server,
    options: &[StartOption],
    goal: Goal,
    deadline: Deadline,
) -> Result<Fate, Failure> {
    let begin = Beginning::now(server);
    server.start(options, deadline)?;
    until(goal, server, &begin, deadline)
}

fn until(
    goal: Goal,
    server: &dyn Server,
    begin: &Beginning,
    deadline: Deadline,
) -> Result<Fate, Failure> {
    let mut watch = Watch {
        server,
        begin,
        goal,
        appears_by: deadline.within(LONGEST_APPEARANCE),
        seen: false,
        streams_since: None,
    };
    let mut last = None;
    loop {
        let state = match (state::now(server, deadline), &last) {
            (Ok(state), _) => state,
            // The time was over in the middle of a look, which is not why.
            (Err(_), Some(last)) if deadline.passed() => return Err(not_up(server, last)),
            (Err(failure), _) => return Err(failure),
        };
        if let Some(fate) = watch.fate(&state)? {
            return Ok(fate);
        }
        if !state::sleep_until_news(server, deadline) {
            return Err(not_up(server, &state));
        }
        last = Some(state);
    }
}

/// What was seen of a start so far.
struct Watch<'a> {
    server: &'a dyn Server,
    begin: &'a Beginning,
    goal: Goal,
    appears_by: Deadline,
    seen: bool,
    streams_since: Option<Instant>,
}

impl Watch<'_> {
    /// How it went, once that is known.
    fn fate(&mut self, state: &State) -> Result<Option<Fate>, Failure> {
        self.seen |= state.has_postmaster();
        match state {
            State::Running(Role::Standby) => Ok(Some(Fate::Up(OcfExit::Success))),
            State::Running(Role::Primary) => Err(Failure::soft(
                "PostgreSQL came up as a primary: is a recovery_target_* set that ends recovery?",
            )),
            // A postmaster works in the data directory a moment before it has written
            // postmaster.pid, and until then looks like a left-over.
            State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_) if self.may_appear() => {
                Ok(None)
            }
            State::LeftBehind(_) if !self.seen => Err(self.never_appeared()),
            State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_) => {
                let (seen, why) = (self.seen, self.begin.died(self.server));
                Ok(Some(Fate::Ended { seen, why }))
            }
            State::Busy(Role::Standby, NoAnswer::NotYet(_)) if self.goal == Goal::Begun => {
                Ok(Some(Fate::Up(OcfExit::Success)))
            }
            State::Busy(Role::Standby, why) if self.is_closed() => {
                closed_for_now(why);
                Ok(Some(Fate::Up(OcfExit::Success)))
            }
            State::SingleUser(pid) => Err(single_user(*pid)),
            State::Busy(..) | State::Transient(_) | State::Failing(_) => Ok(self.hangs()),
        }
    }

    fn never_appeared(&self) -> Failure {
        if self.begin.has_died(self.server) {
            return self.begin.died(self.server);
        }
        Failure::soft(
            "PostgreSQL was started, but has not even written postmaster.pid: is the storage hung?",
        )
    }

    fn may_appear(&self) -> bool {
        !self.seen && !self.appears_by.passed() && !self.begin.has_died(self.server)
    }

    fn hangs(&self) -> Option<Fate> {
        let time = state::restoring(self.server)?;
        (time >= self.goal.longest_restore()).then_some(Fate::Hangs(time))
    }

    /// Whether it has been streaming for long, though it lets nobody in.
    fn is_closed(&mut self) -> bool {
        let streams = |postmaster| self.server.streams(postmaster);
        if !matches!(self.server.postmaster(), Ok(Postmaster::Alive(it)) if streams(it)) {
            self.streams_since = None;
            return false;
        }
        let since = self.streams_since.get_or_insert_with(time::now);
        time::since(*since) >= LONGEST_CLOSED
    }
}

/// A standby lets nobody in before it knows all transactions of the primary that run. With
/// many subtransactions (more than 64 in one) it learns of them only once that transaction
/// has ended, which may be in hours. It replays and streams meanwhile, and a failed start
/// would ban the node.
fn closed_for_now(why: &NoAnswer) {
    log::warn!(
        "PostgreSQL runs as a standby and streams, but does not let anybody in yet ({why}); a \
         transaction with many subtransactions may be open on the primary"
    );
}

/// Where the server's own output began to be of this start.
struct Beginning {
    output: PathBuf,
    length: u64,
}

impl Beginning {
    fn now(server: &dyn Server) -> Self {
        let output = server.prepare_output();
        let length = server.output_length(&output);
        Self { output, length }
    }

    fn has_died(&self, server: &dyn Server) -> bool {
        server.fatal_line(&self.output, self.length).is_some()
    }

    fn died(&self, server: &dyn Server) -> Failure {
        let path = self.output.display();
        match server.fatal_line(&self.output, self.length) {
            Some(words) => Failure::soft(format!("PostgreSQL exited during startup: {words}")),
            None => Failure::soft(format!(
                "PostgreSQL exited during startup; see {path} and its log"
            )),
        }
    }
}

fn not_up(server: &dyn Server, state: &State) -> Failure {
    let said = match state {
        State::Busy(_, why) | State::Transient(why) | State::Failing(why) => why.clone(),
        _ => NoAnswer::Silent,
    };
    let cause = match state::restoring(server) {
        Some(time) => format!("{said}; {}", archive(time)),
        None => said.to_string(),
    };
    Failure::soft(format!("PostgreSQL did not start in time: {cause}"))
}
