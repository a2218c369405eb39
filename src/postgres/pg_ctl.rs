//! Start, stop and promote by `pg_ctl`, never waiting there. Waiting is the
//! caller's, with its own deadline.

use std::path::Path;
use std::process::Command;

use thiserror::Error;

use crate::instance::StartOption;
use crate::instance::start_option;
use crate::ocf::{Deadline, Failure, Parameters};
use crate::system::program::{self, Ended, ProgramError};
use crate::system::user::IdentityError;
use crate::system::{SystemUser, surroundings};

/// How to stop: `Smart` is missing on purpose, clients could block it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Cut the sessions, write the shutdown checkpoint.
    Fast,
    /// Quit at once; recovery follows. Never for a primary.
    Immediate,
}

/// Why pg_ctl did not do it.
#[derive(Debug, Error)]
pub enum ServerError {
    /// pg_ctl did not run or end.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// It cannot run as the system user.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// pg_ctl refused, in its words.
    #[error("pg_ctl {action} failed: {text}")]
    Refused {
        /// What was asked of it.
        action: &'static str,
        /// What it said.
        text: String,
    },
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::soft(error.to_string())
    }
}

/// Starts the server, with these variables in its environment, and returns at once. The options
/// that come with it go before those of its configuration and of `start_opts`.
pub fn start(
    ((parameters, user), variables): ((&Parameters, &SystemUser), &[(String, String)]),
    output: &Path,
    options: &[StartOption],
    deadline: Deadline,
) -> Result<(), ServerError> {
    let mut command = pg_ctl(parameters, "start", &parameters.pgdata);
    command.arg("--log").arg(output);
    let usual = parameters.start_opts.as_deref().unwrap_or_default();
    // PostgreSQL takes the last one of two.
    let all = format!("{usual} {}", start_option::line(options));
    if !all.trim().is_empty() {
        command.arg("--options").arg(all.trim());
    }
    surroundings::protect_from_oom_killer(&mut command);
    user.dress_with_groups(&mut command);
    command.envs(variables.iter().cloned());
    judge("start", program::run_in_its_locale(&mut command, deadline)?)
}

/// Asks the server to stop and returns at once.
pub fn stop(
    parameters: &Parameters,
    user: &SystemUser,
    mode: StopMode,
    deadline: Deadline,
) -> Result<(), ServerError> {
    let mut command = pg_ctl(parameters, "stop", &parameters.datadir);
    command.arg("--mode").arg(match mode {
        StopMode::Fast => "fast",
        StopMode::Immediate => "immediate",
    });
    user.dress(&mut command);
    finish("stop", command, deadline)
}

/// Asks a standby to become primary and returns at once. Works with every
/// connection taken, which `pg_promote()` would not.
pub fn promote(
    parameters: &Parameters,
    user: &SystemUser,
    deadline: Deadline,
) -> Result<(), ServerError> {
    let mut command = pg_ctl(parameters, "promote", &parameters.datadir);
    user.dress(&mut command);
    finish("promote", command, deadline)
}

/// Only a start needs the configuration. Given a directory that holds nothing
/// else, as Debian's, pg_ctl asks `postgres -C` for the data directory first
/// (`adjust_data_dir`), which fails on any bad line: a typo would keep a primary
/// from being stopped, and its node would be fenced.
fn pg_ctl(parameters: &Parameters, action: &str, directory: &Path) -> Command {
    let mut command = Command::new(parameters.program("pg_ctl"));
    command.arg(action).arg("--no-wait");
    command.arg("--pgdata").arg(directory);
    command
}

fn finish(
    action: &'static str,
    mut command: Command,
    deadline: Deadline,
) -> Result<(), ServerError> {
    judge(action, program::run(&mut command, deadline)?)
}

fn judge(action: &'static str, ended: Ended) -> Result<(), ServerError> {
    if ended.status.success() {
        return Ok(());
    }
    Err(ServerError::Refused {
        action,
        text: ended.stderr,
    })
}
