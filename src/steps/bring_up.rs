//! Brings the server up as a standby, always. Only a promotion opens a server for
//! writing; a crashed primary replays its WAL in recovery too.

use super::rejoin::{attempt, diverged, prepare};
use super::{bring_down, claim, startup};
use crate::election::Diverged;
use crate::instance::Postmaster;
use crate::ocf::{Deadline, Failure, Outcome};
use crate::pacemaker::Cluster;
use crate::postgres::Server;
use crate::system::Notes;

/// In the data directory, and beside the socket.
const LOCK_FILES: usize = 2;

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
        let outcome = self.start(known.as_ref(), startup::start)?;
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
        self.start(known.as_ref(), startup::start)
    }

    /// The same of a server that was stopped cleanly, until it is on its way up.
    pub fn without_waiting(&self) -> Outcome {
        let known = prepare::prepare(self.server, self.cluster, self.deadline)?;
        self.start(known.as_ref(), startup::begin)
    }

    /// Waits for a server that is on its way up.
    pub fn wait(&self) -> Outcome {
        startup::wait(self.server, self.deadline)
    }

    fn start(
        &self,
        known: Option<&Diverged>,
        start: fn(&dyn Server, Deadline) -> Outcome,
    ) -> Outcome {
        claim::end_before_start(self.server, self.cluster, self.deadline);
        self.server
            .write_standby_signal()
            .map_err(|error| Failure::soft(format!("Cannot write standby.signal: {error}")))?;
        self.release_timelines();
        self.clear_the_locks();
        let up = start(self.server, self.deadline);
        up.map_err(|failure| match known {
            Some(diverged) => self.cannot_start(diverged, &failure),
            None => failure,
        })
    }

    fn release_timelines(&self) {
        let files = self.server.wal_files();
        let released = files.and_then(|files| match files.to_release().as_slice() {
            [] => Ok(()),
            timelines => self.server.release_timelines(timelines),
        });
        if let Err(error) = released {
            log::warn!("Cannot release the timelines that a failed promotion reserved: {error}");
        }
    }

    /// A number in an old lock file may be another's for weeks, as of a second instance of
    /// the same user, and power loss may leave the file empty: PostgreSQL refuses both.
    fn clear_the_locks(&self) {
        if !matches!(self.server.postmaster(), Ok(Postmaster::None)) {
            return;
        }
        for _ in 0..LOCK_FILES {
            let Some((file, why)) = self.server.lock_in_the_way() else {
                return;
            };
            let path = file.display();
            log::warn!("Removing {path}, since nothing of the instance runs: {why}");
            if let Err(error) = self.server.remove_lock(&file) {
                log::warn!("Cannot remove {path}: {error}");
                return;
            }
        }
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
}
