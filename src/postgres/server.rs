//! Hands on the server: start, stop and promote by `pg_ctl`, never waiting
//! there. Waiting is the caller's, with its own deadline.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::OFlag;
use thiserror::Error;

use crate::ocf::{Deadline, Parameters};
use crate::system::SystemUser;
use crate::system::program::{self, ProgramError};
use crate::system::user::IdentityError;

/// Far more than a server says before it ends at its start.
const LONGEST_LOOK: u64 = 64 * 1024;
const DEBIAN_LOGS: &str = "/var/log/postgresql";

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

/// Starts the server and returns at once.
pub fn start(
    parameters: &Parameters,
    user: &SystemUser,
    output: &Path,
    deadline: Deadline,
) -> Result<(), ServerError> {
    let mut command = pg_ctl(parameters, "start", &parameters.pgdata);
    command.arg("--log").arg(output);
    if let Some(options) = &parameters.start_opts {
        command.arg("--options").arg(options);
    }
    user.dress_with_groups(&mut command)?;
    finish("start", command, deadline)
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

/// Where the server's own output goes: early messages, and all of its log
/// without a logging collector. Where Debian's logrotate finds it, if it can.
pub fn output_file(resource: &str, user: &SystemUser) -> PathBuf {
    let name = format!("pgsqlms-{resource}.log");
    let folder = [DEBIAN_LOGS, "/var/log"].map(Path::new);
    let folder = folder.into_iter().find(|folder| folder.is_dir());
    let path = folder.unwrap_or(Path::new("/var/log")).join(name);
    match give_to(&path, user) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            log::warn!("cannot prepare {}: {error}", path.display());
        }
        _ => {}
    }
    path
}

/// How much the server has said so far, to know what is new.
pub fn said(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |data| data.len())
}

/// Why the server ended, in its own words: the first fatal line since `said`.
pub fn last_words(path: &Path, said: u64) -> Option<String> {
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(said)).ok()?;
    let mut bytes = Vec::new();
    file.take(LONGEST_LOOK).read_to_end(&mut bytes).ok()?;
    fatal(&String::from_utf8_lossy(&bytes)).map(str::to_owned)
}

fn fatal(text: &str) -> Option<&str> {
    let levels = ["FATAL:  ", "PANIC:  "];
    text.lines()
        .find_map(|line| levels.iter().find_map(|level| line.split_once(*level)))
        .map(|(_, text)| text.trim())
}

/// The system user cannot create files in /var/log itself, nor in Debian's
/// directory if it is another one than postgres.
fn give_to(path: &Path, user: &SystemUser) -> std::io::Result<()> {
    let file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o640)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    fchown(&file, Some(user.uid.as_raw()), Some(user.gid().as_raw()))
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
    let ended = program::run(&mut command, deadline)?;
    if ended.status.success() {
        return Ok(());
    }
    Err(ServerError::Refused {
        action,
        text: ended.stderr,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_words_are_those_of_this_start() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let old = "1 [7] FATAL:  an old one\n";
        fs::write(file.path(), old).unwrap();
        let before = said(file.path());
        assert_eq!(last_words(file.path(), before), None);
        let new = "2 [8] LOG:  bind: in use\n2 [8] FATAL:  could not create any TCP/IP sockets\n";
        fs::write(file.path(), format!("{old}{new}")).unwrap();
        let words = last_words(file.path(), before);
        assert_eq!(
            words.as_deref(),
            Some("could not create any TCP/IP sockets")
        );
    }

    proptest! {
        #[test]
        fn no_output_panics(text in "(?s).*") {
            let _ = fatal(&text);
        }
    }
}
