//! Brings the server up as a standby, always. Only a promotion opens a server for
//! writing; a crashed primary replays its WAL in recovery too.

use std::path::PathBuf;
use std::time::Duration;

use super::rejoin::{attempt, diverged, prepare};
use super::{bring_down, claim, state};
use crate::election::Diverged;
use crate::instance::state::single_user;
use crate::instance::{NoAnswer, Postmaster, Role, State};
use crate::ocf::{Deadline, Failure, OcfExit, Outcome};
use crate::pacemaker::Cluster;
use crate::postgres::Server;
use crate::system::Notes;

/// `pg_ctl --no-wait` returns before the postmaster has become one: until then the
/// process table shows pg_ctl's shell, and no postmaster.pid. With cold disks after a
/// power cut it takes seconds.
const LONGEST_APPEARANCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
/// A short-lived process that was given a dead postmaster's pid is gone after this time.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// The start of this server as a standby.
pub struct BringUp<'a> {
    /// The server.
    pub server: &'a dyn Server,
    /// Its cluster.
    pub cluster: &'a dyn Cluster,
    /// What was said or tried before.
    pub notes: &'a Notes,
    /// By when it must be up.
    pub deadline: Deadline,
}

impl BringUp<'_> {
    /// Starts, and looks whether the node is on the branch of the primary. The replay may
    /// show what nobody could see before it: then a rewind, if it is wanted, comes after a
    /// clean stop.
    pub fn with_rejoin(&self) -> Outcome {
        let (server, cluster, deadline) = (self.server, self.cluster, self.deadline);
        let known = prepare::prepare(server, cluster, deadline)?;
        let outcome = self.start(known.as_ref())?;
        if let Some(diverged) = known {
            diverged::say_once(server, cluster, self.notes, &diverged);
            return Ok(outcome);
        }
        let Some(found) = diverged::look(server, cluster, diverged::AFTER_START, deadline) else {
            return Ok(outcome);
        };
        diverged::say_once(server, cluster, self.notes, &found);
        if !attempt::begin(server, self.notes, &found, deadline) {
            return Ok(outcome);
        }
        log::info!(
            "Stopping again to rewind: replaying the local WAL has shown that this node diverged"
        );
        bring_down::standby(server, deadline)?;
        self.without_look()
    }

    /// Starts a stopped server in recovery and waits until it answers. A rewind that was
    /// interrupted is finished first.
    pub fn without_look(&self) -> Outcome {
        let known = prepare::prepare(self.server, self.cluster, self.deadline)?;
        self.start(known.as_ref())
    }

    /// Waits for a server that is on its way up.
    pub fn wait(&self) -> Outcome {
        let begin = Beginning::now(self.server);
        self.until_up(&begin)?
            .ok_or_else(|| begin.died(self.server))
    }

    fn start(&self, known: Option<&Diverged>) -> Outcome {
        claim::end_before_start(self.server, self.cluster, self.deadline);
        self.server
            .write_standby_signal()
            .map_err(|error| Failure::soft(format!("Cannot write standby.signal: {error}")))?;
        if let Err(error) = self.server.release_timelines() {
            log::warn!("Cannot release the timelines that a failed promotion reserved: {error}");
        }
        self.clear_the_lock();
        self.start_server().map_err(|failure| match known {
            Some(diverged) => self.cannot_start(diverged, &failure),
            None => failure,
        })
    }

    /// A number in an old lock file may be another's for weeks, as of a second instance of
    /// the same user, and power loss may leave the file empty: PostgreSQL refuses both.
    fn clear_the_lock(&self) {
        if !matches!(self.server.postmaster(), Ok(Postmaster::None)) {
            return;
        }
        let Some(why) = self.server.lock_in_the_way() else {
            return;
        };
        log::warn!("Removing postmaster.pid, since nothing of the instance runs: {why}");
        if let Err(error) = self.server.remove_lock() {
            log::warn!("Cannot remove postmaster.pid: {error}");
        }
    }

    /// PostgreSQL takes any process of its user for a postmaster that has the number in an
    /// old postmaster.pid, and ends at once. After a power cut numbers are handed out anew,
    /// also to short-lived helpers; and a failed start bans the node.
    fn start_server(&self) -> Outcome {
        match self.start_once()? {
            Err(ended) => log::warn!("{ended}; starting it again"),
            up => return up,
        }
        self.deadline.sleep(SHORT_LIFE);
        self.start_once()?
    }

    /// The inner failure: the server ended before anything was seen of it.
    fn start_once(&self) -> Result<Outcome, Failure> {
        let begin = Beginning::now(self.server);
        self.server.start(self.deadline)?;
        let up = self.until_up(&begin)?;
        Ok(up.ok_or_else(|| begin.died(self.server)))
    }

    /// PostgreSQL does not start twice on data that have diverged, once it has seen the
    /// history of the primary's branch: "requested timeline is not a child".
    fn cannot_start(&self, diverged: &Diverged, failure: &Failure) -> Failure {
        diverged::say_once(self.server, self.cluster, self.notes, diverged);
        log::error!("{failure}");
        Failure::soft(format!(
            "This node has diverged and needs repair (see log): {}",
            diverged.how
        ))
    }

    /// `None` if the server ended before anything was seen of it.
    fn until_up(&self, begin: &Beginning) -> Result<Option<OcfExit>, Failure> {
        let appears_by = self.deadline.within(LONGEST_APPEARANCE);
        let mut seen = false;
        loop {
            let state = state::now(self.server, self.deadline)?;
            seen |= state.has_postmaster();
            match state {
                State::Running(Role::Standby) => return Ok(Some(OcfExit::Success)),
                State::Running(Role::Primary) => {
                    return Err(Failure::soft(
                        "PostgreSQL came up as a primary: is a recovery_target_* set that ends recovery?",
                    ));
                }
                // A postmaster works in the data directory a moment before it has written
                // postmaster.pid, and until then looks like a left-over.
                State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_)
                    if !seen && !appears_by.passed() && !begin.has_died(self.server) => {}
                State::Stopped(_) | State::Crashed(_) if !seen => return Ok(None),
                State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_) => {
                    return Err(begin.died(self.server));
                }
                State::SingleUser(pid) => return Err(single_user(pid)),
                State::Busy(..) | State::Transient(_) | State::Failing(_) => {}
            }
            if !self.deadline.sleep(POLL) {
                return Err(not_up(&state));
            }
        }
    }
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

fn not_up(state: &State) -> Failure {
    let said = match state {
        State::Busy(_, why) | State::Transient(why) | State::Failing(why) => why.clone(),
        _ => NoAnswer::Silent,
    };
    Failure::soft(format!("PostgreSQL did not start in time: {said}"))
}
