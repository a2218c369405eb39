//! Is there a postmaster of this data directory, and what did it leave?
//!
//! A pid proves nothing: it may be reused, or a zombie, which `kill -0` and
//! `pg_ctl status` call alive. So lock file, process table and shared memory are heard
//! (`instance/witnesses.rs`); what one call of a monitor needs is one process looked at.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use thiserror::Error;

use super::process_table::{self, Servers};
use super::{control_file, shared_memory};
use crate::instance::postmaster_pid::{PidFileError, PostmasterPid};
use crate::instance::witnesses::{Doubt, Lock, Memory, Named, Place, Witnesses};
use crate::instance::{ClusterState, Postmaster};
use crate::ocf::Failure;
use crate::system::user::act_as;
use crate::system::{SystemUser, plain_file};

/// Clock ticks a second in `/proc/PID/stat` (`sysconf(_SC_CLK_TCK)`): 100 on every
/// Linux that PostgreSQL is packaged for.
const TICKS_PER_SECOND: u64 = 100;
/// How far the start in `postmaster.pid` may be from the one that the kernel tells
/// (seconds): the postmaster reads its clock a moment after it was started.
const START_TOLERANCE: u64 = 2;

const LOCK_FILE: &str = "postmaster.pid";

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

/// Looks at `postmaster.pid` and, where it leads to no postmaster, at the process table
/// and the shared memory.
pub fn look(datadir: &Path) -> Result<Postmaster, LookError> {
    let place = process_table::existing(datadir)?;
    let file = pid_file(datadir);
    let read = file.as_ref().ok().and_then(Option::as_ref);
    let mut seen = Witnesses {
        lock: lock(&file),
        named: place.as_ref().zip(read).and_then(named),
        here: 0,
        unseen: None,
        memory: Memory::Unknown,
        shut_down: false,
    };
    if !seen.named.is_some_and(|named| named.wrote_the_file()) {
        let Servers { here, unseen } = process_table::servers(datadir)?;
        (seen.here, seen.unseen) = (here.len(), unseen.first().copied());
        let is_blind = seen.unseen.is_some();
        seen.memory = memory(place.as_ref(), read, is_blind);
        seen.shut_down = is_blind && is_shut_down(datadir);
    }
    seen.finding().map_err(|doubt| match doubt {
        Doubt::Unseen(pid) => LookError::Unseen(pid),
        Doubt::Lock(error) => error.into(),
    })
}

fn lock(file: &Result<Option<PostmasterPid>, PidFileError>) -> Lock {
    match file {
        Ok(None) => Lock::Absent,
        Ok(Some(file)) if file.single_user => Lock::SingleUser,
        Ok(Some(_)) => Lock::Server,
        Err(error) => Lock::Broken(error.clone()),
    }
}

/// The process with the number in the file. How long it lives and what it made is looked
/// at only where its place and its name do not say enough.
fn named((place, file): (&Metadata, &PostmasterPid)) -> Option<Named> {
    let (stat, where_it_works) = process_table::process(file.pid, place)?;
    let seen = Named {
        pid: file.pid,
        place: where_it_works,
        has_servers_name: stat.has_servers_name(),
        started_then: false,
        made_memory: false,
    };
    if seen.wrote_the_file() || seen.place == Place::Elsewhere {
        return Some(seen);
    }
    Some(Named {
        started_then: is_start_of(file),
        made_memory: shared_memory::is_made_by_named(file),
        ..seen
    })
}

/// The shared memory. What a directory's keys show is asked where there is no better
/// witness: processes of the owner's that cannot be looked into.
fn memory(place: Option<&Metadata>, file: Option<&PostmasterPid>, is_blind: bool) -> Memory {
    match (place, file) {
        (_, Some(file)) if file.shared_memory.is_some() => shared_memory::of_lock_file(file),
        (Some(place), file) if is_blind => {
            shared_memory::of_directory(place, file.and_then(|file| file.port))
        }
        _ => Memory::Unknown,
    }
}

fn is_shut_down(datadir: &Path) -> bool {
    let read = || {
        let place = fs::metadata(datadir)?;
        let read = || Ok(control_file::state(datadir));
        act_as(place.uid(), place.gid(), read)
    };
    let control = read().ok().flatten();
    matches!(
        control,
        Some(ClusterState::ShutDown | ClusterState::ShutDownInRecovery)
    )
}

/// Whether the process that a lock file names started when the file says: a number
/// that was given to another process did not.
fn is_start_of(file: &PostmasterPid) -> bool {
    let started = || {
        let stat = process_table::stat(file.pid)?;
        Some(process_table::boot()? + stat.start_ticks / TICKS_PER_SECOND)
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
    let path = datadir.join(LOCK_FILE);
    act_as(place.uid(), place.gid(), || plain_file::read(&path))
}

/// The living processes of the instance, as far as they can be known: those seen in the
/// directory, and the postmaster's children where nobody may look into them.
pub fn processes(datadir: &Path) -> Vec<i32> {
    let servers = process_table::servers(datadir).unwrap_or_default();
    let mut found = servers.here;
    if let Ok(Postmaster::Alive(postmaster)) = look(datadir) {
        let is_child =
            |pid: &i32| process_table::stat(*pid).is_some_and(|stat| stat.parent == postmaster);
        found.push(postmaster);
        found.extend(servers.unseen.into_iter().filter(is_child));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Sends a signal, with no more rights than the user has: a data directory may have been made a
/// link to that of another user, whose processes are none of its business. A process that has
/// just ended is no error.
pub fn signal(user: &SystemUser, pid: i32, signal: Signal) {
    let send = || kill(Pid::from_raw(pid), signal).map_err(io::Error::from);
    if let Err(error) = user.act(send) {
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
            datadir: None,
            pid,
            single_user: false,
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
