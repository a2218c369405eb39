//! Fetches what only a node holds that Pacemaker may not promote, before this one is
//! promoted in its place: as any cascading standby does, by streaming from it.
//!
//! How: PostgreSQL is restarted once with another `primary_conninfo` among its options. The
//! other ways were weighed. A reload (13 and later) needs a line in a file that an admin
//! owns, and one that is left there when the agent is killed; WAL that the agent itself
//! wrote into `pg_wal` would come under the feet of a startup process that reads there. An
//! option lasts until the next start: a primary does not use it, and where the promotion
//! fails, or the agent is killed, Pacemaker stops and starts this standby. So all is put back
//! in every case, and no file was changed.
//!
//! The restart is paid only once the other node has let this one in as a standby, has said
//! that it is the same database and timeline, and that it sends what is missing: else the
//! election is decided as if there were nothing to fetch. Once in a term at most.

use std::time::Duration;

use super::rejoin::primary::conninfo;
use super::{bring_down, position, startup};
use crate::instance::StartOption;
use crate::instance::configuration::Conninfo;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::postgres::Server;
use crate::record::note;
use crate::system::Notes;
use crate::wal::Position;

/// How long the missing WAL is waited for.
const LONGEST_FETCH: Duration = Duration::from_secs(10);
/// How long the other node may take to say what it has.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// Less time than this is kept for a restart and the promotion.
const SHORTEST: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

/// What is to be fetched.
pub struct Fetch<'a> {
    /// This standby.
    pub server: &'a dyn Server,
    /// What it did in this term before.
    pub notes: &'a Notes,
    /// By when the promotion must have come true.
    pub deadline: Deadline,
    /// The last term that is known.
    pub term: u64,
}

impl Fetch<'_> {
    /// Returns whether this standby may hold more now. It is a failure only if it was
    /// stopped for this and does not come up again.
    pub fn from(&self, node: &NodeName, theirs: &Position) -> Result<bool, Failure> {
        let tried = format!("{} {node}", self.term);
        if self.notes.is(&note::FETCHED, &tried) {
            return Ok(false);
        }
        let source = match self.source(node, theirs) {
            Ok(source) => source,
            Err(why) => {
                log::warn!("Cannot fetch from {node} what only it holds: {why}");
                return Ok(false);
            }
        };
        self.notes.write(&note::FETCHED, &tried);
        log::warn!(
            "Restarting to fetch from {node} what only it holds, since it may not be promoted"
        );
        let (server, deadline) = (self.server, self.deadline);
        bring_down::standby(server, deadline.within(deadline.left() / 2))?;
        startup::start_with(server, &[StartOption::Upstream(source.render())], deadline)?;
        self.wait(node, theirs)?;
        Ok(true)
    }

    /// By what the node is reached, once it has said that it has what is missing.
    fn source(&self, node: &NodeName, theirs: &Position) -> Result<Conninfo, String> {
        if self.deadline.left() < SHORTEST {
            return Err("too little time is left".to_owned());
        }
        let look = self.deadline.within(LONGEST_LOOK);
        let own = conninfo(self.server, look).ok_or("primary_conninfo names no host")?;
        if own.get("password").is_some() || own.secret_without_variable().is_some() {
            return Err("a secret in primary_conninfo would be seen among the options".to_owned());
        }
        let source = own.at(node.as_str());
        let offered = self.server.offered_by(&source, look);
        let offered = offered.map_err(|error| error.to_string())?;
        if theirs.system.is_some_and(|system| system != offered.system) {
            return Err("it is another database".to_owned());
        }
        let place = offered.place;
        if place.timeline != theirs.timeline || place.lsn < theirs.lsn {
            return Err(format!("it sends only {place}"));
        }
        Ok(source)
    }

    /// What did not come in time is decided about as before.
    fn wait(&self, node: &NodeName, theirs: &Position) -> Result<(), Failure> {
        let patience = self.deadline.within(LONGEST_FETCH);
        loop {
            let held = position::of_standby(self.server, patience.left(), self.deadline)?;
            if held.position.lsn >= theirs.lsn {
                log::info!("Fetched from {node} up to {}", held.position.lsn);
                return Ok(());
            }
            if !patience.sleep(POLL) {
                let lsn = held.position.lsn;
                log::warn!(
                    "Fetched from {node} only up to {lsn}: it has {}",
                    theirs.lsn
                );
                return Ok(());
            }
        }
    }
}
