//! Reading the last WAL record of this node with the instance's own
//! `pg_waldump`, which knows every version's records.

use std::process::Command;

use crate::ocf::{Deadline, Parameters};
use crate::system::SystemUser;
use crate::system::program::{self, ProgramError};
use crate::wal::{Lsn, Position, last_record};

/// Whether the WAL of a position ends with a shutdown checkpoint. Reads the last
/// page or two, whatever the size of the database.
pub fn is_shutdown_checkpoint(
    parameters: &Parameters,
    user: &SystemUser,
    held: &Position,
    deadline: Deadline,
) -> Result<bool, ProgramError> {
    let start = Lsn::from(held.lsn.as_u64().saturating_sub(last_record::REACH));
    let mut command = Command::new(parameters.program("pg_waldump"));
    command.arg("--path").arg(parameters.datadir.join("pg_wal"));
    command.args(["--timeline", &held.timeline.to_string()]);
    command.args(["--start", &start.to_string()]);
    command.args(["--end", &held.lsn.to_string()]);
    user.dress(&mut command);
    let ended = program::run(&mut command, deadline)?;
    let is = last_record::is_shutdown_checkpoint(&ended.stdout, held.lsn);
    if !is && !ended.status.success() {
        log::warn!("pg_waldump: {}", ended.stderr);
    }
    Ok(is)
}
