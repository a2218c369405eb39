//! Is there a postmaster of this data directory, and what did it leave?
//!
//! A pid proves nothing: it may be reused, or a zombie, which `kill -0` and
//! `pg_ctl status` call alive. A process is ours if it lives, has the name of a
//! server and works in the data directory, where every postmaster and its
//! children stay. Where it cannot be seen where it works, it is the postmaster if
//! the lock file names it and it started when the file says.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use thiserror::Error;

use super::process_table::{self, Servers};
use crate::instance::Postmaster;
use crate::instance::postmaster_pid::{PidFileError, PostmasterPid};
use crate::ocf::Failure;
use crate::system::plain_file;
use crate::system::user::act_as;

/// Clock ticks a second in `/proc/PID/stat` (`sysconf(_SC_CLK_TCK)`): 100 on every
/// Linux that PostgreSQL is packaged for.
const TICKS_PER_SECOND: u64 = 100;
/// How far the start in `postmaster.pid` may be from the one that the kernel tells
/// (seconds): the postmaster reads its clock a moment after it was started.
const START_TOLERANCE: u64 = 2;

/// Why it cannot be said what runs.
#[derive(Debug, Error)]
pub enum LookError {
    /// The lock file belongs to nobody's postmaster, and processes run.
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    /// The process table cannot be read.
    #[error("Cannot list the processes on this node: {0}")]
    ProcessTable(#[from] io::Error),
    /// A server of the same user may be of this instance.
    #[error(
        "Cannot tell whether process {0} belongs to this instance: is CAP_SYS_PTRACE denied to \
         Pacemaker (unit, container, security module)?"
    )]
    Unseen(i32),
}

impl LookError {
    /// Whether it could not be seen what runs.
    pub fn is_blind(&self) -> bool {
        matches!(self, Self::ProcessTable(_) | Self::Unseen(_))
    }
}

impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        Self::soft(error.to_string())
    }
}

/// Looks at `postmaster.pid` and, where it leads to no postmaster, at the process
/// table. "Nothing runs" is said only where everything could be seen.
pub fn look(datadir: &Path) -> Result<Postmaster, LookError> {
    let file = pid_file(datadir);
    if let Ok(Some(file)) = &file {
        if process_table::is_server_in(datadir, file.pid) {
            return Ok(Postmaster::Alive(file.pid));
        }
    }
    let Servers { here, unseen } = process_table::servers(datadir)?;
    let owner = file.as_ref().ok().and_then(Option::as_ref);
    match (here.len(), unseen.first(), owner) {
        (_, Some(_), Some(file)) if unseen.contains(&file.pid) && is_start_of(file) => {
            Ok(Postmaster::Alive(file.pid))
        }
        // Also with a lock file that power loss left in pieces: nothing runs,
        // and a stop need not fail for it.
        (0, None, _) => Ok(Postmaster::None),
        (0, Some(pid), _) => Err(LookError::Unseen(*pid)),
        (left, _, _) => file
            .map(|_| Postmaster::LeftBehind(left))
            .map_err(LookError::from),
    }
}

/// Whether the process that a lock file names started when the file says: a number
/// that was given to another process did not.
fn is_start_of(file: &PostmasterPid) -> bool {
    let started = || {
        let stat = process_table::stat(file.pid)?;
        let boot = fs::read_to_string("/proc/stat").ok()?;
        let boot = boot.lines().find_map(|line| line.strip_prefix("btime "))?;
        Some(boot.parse::<u64>().ok()? + stat.start_ticks / TICKS_PER_SECOND)
    };
    match (
        started(),
        file.started.and_then(|time| u64::try_from(time).ok()),
    ) {
        (Some(seen), Some(said)) => seen.abs_diff(said) <= START_TOLERANCE,
        _ => false,
    }
}

/// The lock file; `None` if there is none to read.
pub fn pid_file(datadir: &Path) -> Result<Option<PostmasterPid>, PidFileError> {
    match read_as_owner(datadir) {
        // The server creates the file first and fills it a moment later.
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => PostmasterPid::parse(&text).map(Some),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                log::warn!(
                    "cannot read postmaster.pid in {}: {error}",
                    datadir.display()
                );
            }
            Ok(None)
        }
    }
}

fn read_as_owner(datadir: &Path) -> io::Result<String> {
    let place = fs::metadata(datadir)?;
    let path = datadir.join("postmaster.pid");
    act_as(place.uid(), place.gid(), || plain_file::read(&path))
}

/// The living processes of the instance, as far as they can be seen.
pub fn processes(datadir: &Path) -> Vec<i32> {
    process_table::servers(datadir).map_or_else(|_| Vec::new(), |servers| servers.here)
}

/// Sends a signal. A process that has just ended is no error.
pub fn signal(pid: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(pid), signal) {
        log::warn!("Cannot signal process {pid}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_pid_is_nobodys_postmaster() {
        let datadir = tempfile::tempdir().unwrap();
        let ours = std::process::id();
        fs::write(datadir.path().join("postmaster.pid"), format!("{ours}\n")).unwrap();
        assert_eq!(look(datadir.path()).unwrap(), Postmaster::None);
    }

    #[test]
    fn a_pid_file_in_pieces_names_nobody() {
        let datadir = tempfile::tempdir().unwrap();
        fs::write(datadir.path().join("postmaster.pid"), "\0\0\0\n").unwrap();
        assert_eq!(look(datadir.path()).unwrap(), Postmaster::None);
    }

    #[test]
    fn a_dead_single_user_server_holds_nothing() {
        let datadir = tempfile::tempdir().unwrap();
        let ours = std::process::id();
        fs::write(datadir.path().join("postmaster.pid"), format!("-{ours}\n")).unwrap();
        assert_eq!(look(datadir.path()).unwrap(), Postmaster::None);
    }

    #[test]
    fn an_empty_pid_file_is_no_error() {
        let datadir = tempfile::tempdir().unwrap();
        fs::write(datadir.path().join("postmaster.pid"), "").unwrap();
        assert_eq!(look(datadir.path()).unwrap(), Postmaster::None);
    }

    #[test]
    fn a_process_is_known_by_its_start() {
        let file = |pid: i32, started: Option<i64>| PostmasterPid {
            pid,
            started,
            port: None,
            socket_directory: None,
            shared_memory: None,
            status: None,
        };
        let ours = i32::try_from(std::process::id()).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = i64::try_from(now.unwrap().as_secs()).unwrap();
        assert!((0..86_400).any(|age| is_start_of(&file(ours, Some(now - age)))));
        assert!(!is_start_of(&file(ours, Some(now - 1_000_000))));
        assert!(!is_start_of(&file(ours, None)) && !is_start_of(&file(i32::MAX, Some(now))));
    }
}
