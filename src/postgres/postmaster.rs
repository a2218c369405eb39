//! Is there a postmaster of this data directory, and what did it leave?
//!
//! A pid proves nothing: it may be reused, or a zombie, which `kill -0` and
//! `pg_ctl status` call alive (PID 1 of a container reaps late). A process is
//! ours if it lives, is called `postgres` and works in the data directory,
//! where every postmaster and its children stay.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::plain_file;
use crate::instance::Postmaster;
use crate::instance::postmaster_pid::{PidFileError, PostmasterPid, Status};

/// Looks at `postmaster.pid` and, where it leads to no postmaster, at the
/// process table.
pub fn look(datadir: &Path) -> Result<Postmaster, PidFileError> {
    let file = pid_file(datadir);
    if let Ok(Some(file)) = &file {
        if is_of(datadir, file.pid) {
            return Ok(Postmaster::Alive(file.pid));
        }
    }
    match (processes(datadir).len(), file) {
        // Also with a lock file that power loss left in pieces: nothing runs,
        // and a stop need not fail for it.
        (0, _) => Ok(Postmaster::None),
        (_, Err(error)) => Err(error),
        (left, Ok(_)) => Ok(Postmaster::LeftBehind(left)),
    }
}

/// The lock file; `None` if there is none to read.
pub fn pid_file(datadir: &Path) -> Result<Option<PostmasterPid>, PidFileError> {
    match plain_file::read(&datadir.join("postmaster.pid")) {
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

/// Whether the server has noted that it was told to stop.
pub fn is_stopping(datadir: &Path) -> bool {
    let file = pid_file(datadir).ok().flatten();
    file.is_some_and(|file| file.status == Some(Status::Stopping))
}

/// The living processes of the instance.
pub fn processes(datadir: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| is_of(datadir, *pid))
        .collect()
}

/// Sends a signal. A process that has just ended is no error.
pub fn signal(pid: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(pid), signal) {
        log::warn!("Cannot signal process {pid}: {error}");
    }
}

fn is_of(datadir: &Path, pid: i32) -> bool {
    is_living_postgres(pid) && works_in(datadir, pid)
}

/// `/proc/PID/stat`: `pid (comm) state …`; the name may hold blanks and
/// parentheses, so it ends at the last one.
fn is_living_postgres(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let Some((head, tail)) = stat.rsplit_once(')') else {
        return false;
    };
    let name = head.split_once('(').map_or("", |(_, name)| name);
    let dead = tail.trim_start().starts_with(['Z', 'X', 'x']);
    matches!(name, "postgres" | "postmaster") && !dead
}

/// The same directory by device and inode: paths may lead through links.
fn works_in(datadir: &Path, pid: i32) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
    let here = identity(Path::new(&format!("/proc/{pid}/cwd")));
    here.is_some() && here == identity(datadir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_pid_is_nobodys_postmaster() {
        let datadir = tempfile::tempdir().unwrap();
        let ours = std::process::id();
        fs::write(datadir.path().join("postmaster.pid"), format!("{ours}\n")).unwrap();
        assert_eq!(look(datadir.path()), Ok(Postmaster::None));
    }

    #[test]
    fn a_pid_file_in_pieces_names_nobody() {
        let datadir = tempfile::tempdir().unwrap();
        fs::write(datadir.path().join("postmaster.pid"), "\0\0\0\n").unwrap();
        assert_eq!(look(datadir.path()), Ok(Postmaster::None));
    }

    #[test]
    fn a_dead_single_user_server_holds_nothing() {
        let datadir = tempfile::tempdir().unwrap();
        let ours = std::process::id();
        fs::write(datadir.path().join("postmaster.pid"), format!("-{ours}\n")).unwrap();
        assert_eq!(look(datadir.path()), Ok(Postmaster::None));
    }

    #[test]
    fn an_empty_pid_file_is_no_error() {
        let datadir = tempfile::tempdir().unwrap();
        fs::write(datadir.path().join("postmaster.pid"), "").unwrap();
        assert_eq!(look(datadir.path()), Ok(Postmaster::None));
    }
}
