//! The walsenders of a primary: who they serve, and their end.

use std::path::Path;

use ::postgres::{Client, Error};
use nix::sys::signal::Signal;

use super::{postmaster, process_table};
use crate::instance::Process;
use crate::system::SystemUser;

/// Columns are null where a role lacks the right to see them.
const NAMES: &str = "SELECT pid, application_name FROM pg_catalog.pg_stat_replication";

/// A walsender by its process, and the name that its receiver gave itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedWalsender {
    /// The process.
    pub pid: i32,
    /// `application_name`: the node's name, if it is one of ours.
    pub name: String,
}

/// Asks a primary who receives WAL from it.
pub fn query(client: &mut Client) -> Result<Vec<NamedWalsender>, Error> {
    let rows = client.query(NAMES, &[])?;
    rows.iter()
        .map(|row| {
            let name: Option<String> = row.try_get(1)?;
            Ok(NamedWalsender {
                pid: row.try_get(0)?,
                name: name.unwrap_or_default(),
            })
        })
        .collect()
}

/// Sends SIGTERM to just this process, if it is one of the server's still.
///
/// A walsender that cannot send, because nobody reads, hangs once more while it says good
/// bye: a second SIGTERM ends that (seen with 15: `ProcessClientWriteInterrupt`).
pub fn terminate(user: &SystemUser, datadir: &Path, process: &Process) {
    let stat = process_table::stat(process.pid);
    let is_same = stat.is_some_and(|stat| stat.start_ticks == process.started);
    if is_same && process_table::may_be_server_in(datadir, process.pid) {
        postmaster::signal(user, process.pid, Signal::SIGTERM);
    }
}
