//! Running pg_rewind on a stopped instance, against the primary.
//!
//! The connection is the instance's own `primary_conninfo`; a password in it
//! travels in the environment, not in the arguments that everybody sees.

use std::path::Path;
use std::process::Command;

use thiserror::Error;

use super::settings::{self, SettingError};
use super::version_file;
use crate::instance::configuration::Conninfo;
use crate::instance::rejoin::preview::{Preview, error_line};
use crate::ocf::{Deadline, Parameters};
use crate::system::SystemUser;
use crate::system::program::{self, Ended, ProgramError};

/// A primary that does not answer must not take all the time of a start.
const CONNECT_TIMEOUT_S: &str = "5";

/// What it says of an instance that runs.
const RUNS: &str = "target server must be shut down cleanly";

/// Why a step did not succeed.
#[derive(Debug, Error)]
pub enum RewindError {
    /// A program did not run or end.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The configuration cannot be read.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// pg_rewind or the recovery failed, in its words.
    #[error("{0}")]
    Failed(String),
    /// Everybody on the node would see it among the arguments.
    #[error("primary_conninfo has {0}, which pg_rewind would show in the process list")]
    Secret(&'static str),
    /// It sees nothing to do. Up to PostgreSQL 15 also when the primary has not
    /// finished its first checkpoint since it was promoted.
    #[error("pg_rewind sees no newer timeline yet: has the primary written a checkpoint?")]
    NothingToDo,
}

impl RewindError {
    /// May the same succeed a little later?
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NothingToDo => true,
            Self::Failed(text) => text.contains("connect"),
            Self::Program(_) | Self::Setting(_) | Self::Secret(_) => false,
        }
    }
}

/// pg_rewind on this server, from one primary.
pub struct Tool<'a> {
    parameters: &'a Parameters,
    user: &'a SystemUser,
    /// `primary_conninfo`.
    primary: &'a Conninfo,
}

impl<'a> Tool<'a> {
    /// The tool for the server that the parameters describe.
    pub fn new(parameters: &'a Parameters, user: &'a SystemUser, primary: &'a Conninfo) -> Self {
        Self {
            parameters,
            user,
            primary,
        }
    }

    /// What it would do. Changes nothing, and fails where the rewind would.
    pub fn preview(&self, deadline: Deadline) -> Result<Preview, RewindError> {
        let ended = self.run(&["--dry-run"], deadline)?;
        Preview::parse(&ended.stderr).ok_or(RewindError::NothingToDo)
    }

    /// Whether it would work if the server were stopped. pg_rewind looks at the target's
    /// state only after it has reached the source, so its complaint that the target runs
    /// means: yes.
    pub fn would_work(&self, deadline: Deadline) -> Result<(), RewindError> {
        match self.run(&["--dry-run"], deadline) {
            Err(RewindError::Failed(text)) if text == RUNS => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(RewindError::NothingToDo),
        }
    }

    /// Does it. From its begin to its end the data directory is good for nothing.
    pub fn perform(&self, deadline: Deadline) -> Result<(), RewindError> {
        self.run(&[], deadline).map(drop)
    }

    fn run(&self, more: &[&str], deadline: Deadline) -> Result<Ended, RewindError> {
        let mut command = Command::new(self.parameters.program("pg_rewind"));
        command.arg("--target-pgdata").arg(&self.parameters.datadir);
        command.arg("--progress").args(more);
        // It would look for the configuration in the data directory.
        if has_no_ensure_shutdown(&self.parameters.datadir) {
            command.arg("--no-ensure-shutdown");
        }
        if let Some(secret) = self.primary.secret_without_variable() {
            return Err(RewindError::Secret(secret));
        }
        let mut source = self.primary.clone().with("dbname", "postgres");
        if source.get("connect_timeout").is_none() {
            source = source.with("connect_timeout", CONNECT_TIMEOUT_S);
        }
        self.user.dress(&mut command);
        if let Some(password) = source.take("password") {
            command.env("PGPASSWORD", password);
        }
        command.arg("--source-server").arg(source.render());
        succeeded(program::run(&mut command, deadline)?)
    }
}

/// Replays the WAL of a crashed instance without opening it to anybody, so that
/// pg_rewind can read it to its end. There must be no `standby.signal`.
pub fn recover(
    parameters: &Parameters,
    user: &SystemUser,
    deadline: Deadline,
) -> Result<(), RewindError> {
    let mut command = settings::postgres(parameters, &["--single"])?;
    command.arg("template1");
    user.dress_with_groups(&mut command);
    succeeded(program::run(&mut command, deadline)?).map(drop)
}

fn succeeded(ended: Ended) -> Result<Ended, RewindError> {
    if ended.status.success() {
        return Ok(ended);
    }
    Err(RewindError::Failed(error_line(&ended.stderr).to_owned()))
}

/// Whether pg_rewind has the option `--no-ensure-shutdown`: PostgreSQL 12 has not, and does
/// not try to start anything.
fn has_no_ensure_shutdown(datadir: &Path) -> bool {
    version_file::major(datadir) != Some(12)
}
