//! A lock that is held as long as whoever took it lives, and by which what it started is found
//! again: programs that have the file as their standard input.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::plain_file;
use crate::ocf::Deadline;

/// How long what is killed may take to die.
const DEATH: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// The lock, held.
pub struct LockFile {
    path: PathBuf,
    _held: Flock<File>,
}

impl LockFile {
    /// Takes it; `None` if somebody else has it.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = plain_file::open(&options, path)?;
        let held = lock(file, FlockArg::LockExclusiveNonblock)?;
        let path = path.to_owned();
        Ok(held.map(|_held| Self { path, _held }))
    }

    /// Whether somebody has it.
    pub fn is_held(path: &Path) -> io::Result<bool> {
        match plain_file::open(OpenOptions::new().read(true), path) {
            Ok(file) => Ok(lock(file, FlockArg::LockSharedNonblock)?.is_none()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The standard input by which a program is found again; it does not hold the lock.
    pub fn for_program(&self) -> io::Result<Stdio> {
        let file = plain_file::open(OpenOptions::new().read(true), &self.path)?;
        Ok(Stdio::from(file))
    }

    /// Kills what an earlier holder has started, who was killed himself; `false` if something
    /// lives on.
    pub fn end_what_was_left(&self) -> io::Result<bool> {
        let deadline = Deadline::after(DEATH);
        loop {
            let left = readers(&self.path)?;
            if left.is_empty() {
                return Ok(true);
            }
            for pid in left {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            if !deadline.sleep(POLL) {
                return Ok(false);
            }
        }
    }
}

/// The processes that have the file as their standard input.
fn readers(path: &Path) -> io::Result<Vec<i32>> {
    let of = |path: &Path| fs::metadata(path).map(|data| (data.dev(), data.ino()));
    let file = of(path)?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let pid: Option<i32> = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if pid.is_some() && of(&entry.path().join("fd/0")).is_ok_and(|input| input == file) {
            found.extend(pid);
        }
    }
    Ok(found)
}

fn lock(file: File, how: FlockArg) -> io::Result<Option<Flock<File>>> {
    match Flock::lock(file, how) {
        Ok(held) => Ok(Some(held)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A program that is left behind keeps nothing locked, and is ended by the next holder, with
    /// what it has started itself.
    #[test]
    fn what_was_left_is_found_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!LockFile::is_held(&path).unwrap());
        let held = LockFile::take(&path).unwrap().unwrap();
        assert!(LockFile::take(&path).unwrap().is_none() && LockFile::is_held(&path).unwrap());
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 600; true"])
            .stdin(held.for_program().unwrap());
        let mut child = command.spawn().unwrap();
        drop(held);
        let held = LockFile::take(&path).unwrap().unwrap();
        while readers(&path).unwrap().is_empty() {
            std::thread::sleep(POLL);
        }
        assert!(held.end_what_was_left().unwrap());
        assert!(!child.wait().unwrap().success());
        assert!(readers(&path).unwrap().is_empty());
    }
}
