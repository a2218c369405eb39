//! Asks another server what this standby could get from it, as its walreceiver would: over
//! a connection for replication, with the same words and as the same user.

use std::process::Command;

use thiserror::Error;

use crate::instance::Offered;
use crate::instance::configuration::Conninfo;
use crate::ocf::{Deadline, Parameters};
use crate::system::SystemUser;
use crate::system::program::{self, ProgramError};

const CONNECT_TIMEOUT_S: &str = "3";

/// Why nothing can be got from there.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// psql did not run or end.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// It was not let in, or not answered.
    #[error("{0}")]
    Refused(String),
}

/// What `source` would send to this standby.
pub fn offered_by(
    parameters: &Parameters,
    user: &SystemUser,
    source: &Conninfo,
    deadline: Deadline,
) -> Result<Offered, UpstreamError> {
    let mut command = Command::new(parameters.program("psql"));
    let mut source = source
        .clone()
        .with("replication", "true")
        .with("dbname", "replication")
        .with("connect_timeout", CONNECT_TIMEOUT_S);
    user.dress(&mut command);
    // Arguments are seen by everybody.
    if let Some(password) = source.take("password") {
        command.env("PGPASSWORD", password);
    }
    command.args(["-XAtw", "-c", "IDENTIFY_SYSTEM", "-d"]);
    command.arg(source.render());
    let ended = program::run(&mut command, deadline)?;
    let offered = Offered::parse(&ended.stdout).filter(|_| ended.status.success());
    let words = ended.stderr.lines().next().unwrap_or("no answer");
    offered.ok_or_else(|| UpstreamError::Refused(words.to_owned()))
}
