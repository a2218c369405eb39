//! A lock that is held as long as whoever took it lives, and whatever it started.
//!
//! It is on an open file: a program that has that file as its standard input holds it too. So
//! what a command that was killed left running is seen.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::Stdio;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::plain_file;

/// The lock, held.
pub struct LockFile(Flock<File>);

impl LockFile {
    /// Takes it; `None` if somebody else has it.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = plain_file::open(&options, path)?;
        Ok(lock(file, FlockArg::LockExclusiveNonblock)?.map(Self))
    }

    /// Whether somebody has it.
    pub fn is_held(path: &Path) -> io::Result<bool> {
        match plain_file::open(OpenOptions::new().read(true), path) {
            Ok(file) => Ok(lock(file, FlockArg::LockSharedNonblock)?.is_none()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Has a program hold it too: it reads nothing from it.
    pub fn shared(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.0.try_clone()?))
    }
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

    #[test]
    fn a_program_holds_it_beyond_the_end_of_who_took_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!LockFile::is_held(&path).unwrap());
        let held = LockFile::take(&path).unwrap().unwrap();
        assert!(LockFile::take(&path).unwrap().is_none());
        let mut command = Command::new("sleep");
        let mut child = command
            .arg("60")
            .stdin(held.shared().unwrap())
            .spawn()
            .unwrap();
        // As if this process had been killed: nothing is unlocked by a call.
        std::mem::forget(held);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(LockFile::is_held(&path).unwrap());
    }

    #[test]
    fn it_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        drop(LockFile::take(&path).unwrap());
        assert!(!LockFile::is_held(&path).unwrap());
        assert!(LockFile::take(&path).unwrap().is_some());
    }
}
