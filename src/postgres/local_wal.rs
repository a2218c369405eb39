//! The end of the valid records on this node's disk, by the instance's own `pg_waldump`,
//! which knows every version's records, and that each must follow the one before it.

use std::process::Command;

use crate::ocf::{Deadline, Parameters};
use crate::system::SystemUser;
use crate::system::program::{self, ProgramError};
use crate::wal::{Lsn, Place, local_end};

/// Where the records end that follow each other from a place on, on its timeline. `None`
/// if `pg_waldump` did not say. Reads all of them, and prints their number only.
pub fn end(
    (parameters, user): (&Parameters, &SystemUser),
    from: &Place,
    segment_size: u64,
    deadline: Deadline,
) -> Result<Option<Lsn>, ProgramError> {
    let dump = |start: Lsn, options: &[&str]| {
        let mut command = Command::new(parameters.program("pg_waldump"));
        command.arg("--path").arg(parameters.datadir.join("pg_wal"));
        command.args(["--timeline", &from.timeline.to_string()]);
        command.args(["--start", &start.to_string()]).args(options);
        user.dress(&mut command);
        program::run(&mut command, deadline)
    };
    let all = dump(from.lsn, &["--stats"])?;
    let Some(last) = local_end::last_record(&all.stderr) else {
        log::info!("pg_waldump: {}", all.stderr);
        return Ok(None);
    };
    let record = dump(last, &["--limit", "1"])?;
    Ok(local_end::end_of(&record.stdout, segment_size))
}
