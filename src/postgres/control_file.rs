//! Reading the control file: with the instance's own `pg_controldata`, which knows
//! every version's layout; or only the state in it, which stands at the same place in
//! every version.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::UNIX_EPOCH;

use thiserror::Error;

use crate::instance::ControlData;
use crate::instance::control_data::{ClusterState, ControlDataError};
use crate::ocf::{Deadline, Failure, Parameters};
use crate::system::program::{self, ProgramError};
use crate::system::{SystemUser, plain_file};

/// The state in the control file, by its first bytes: needs no program. `None` if it cannot be
/// read.
pub fn state(datadir: &Path) -> Option<ClusterState> {
    let begin = plain_file::begin(&datadir.join("global/pg_control")).ok()?;
    ClusterState::of_control_file(&begin)
}

/// What tells it from any other that was ever in its place: inode and birth. Server and
/// pg_rewind write the control file in place; whatever rebuilds a data directory makes a new
/// one. Its birth keeps a reused inode apart.
pub fn identity(datadir: &Path) -> io::Result<String> {
    let data = fs::metadata(datadir.join("global/pg_control"))?;
    let born = data.created().ok();
    let born = born.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let born = born.map_or(0, |since| since.as_nanos());
    Ok(format!("{}.{born}", data.ino()))
}

/// Why there is no control data.
#[derive(Debug, Error)]
pub enum ControlFileError {
    /// pg_controldata did not run or end.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// pg_controldata failed, in its words.
    #[error("pg_controldata failed: {0}")]
    Failed(String),
    /// pg_controldata printed something else.
    #[error(transparent)]
    Output(#[from] ControlDataError),
}

impl From<ControlFileError> for Failure {
    fn from(error: ControlFileError) -> Self {
        Self::soft(error.to_string())
    }
}

/// Reads the control file as the system user.
pub fn read(
    parameters: &Parameters,
    user: &SystemUser,
    deadline: Deadline,
) -> Result<ControlData, ControlFileError> {
    let mut command = Command::new(parameters.program("pg_controldata"));
    command.arg("--pgdata").arg(&parameters.datadir);
    user.dress(&mut command);
    let ended = program::run(&mut command, deadline)?;
    if !ended.status.success() {
        return Err(ControlFileError::Failed(ended.stderr));
    }
    Ok(ControlData::parse(&ended.stdout)?)
}
