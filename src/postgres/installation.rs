//! What of a PostgreSQL is on this node: programs, directories, versions.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use super::version_file;
use crate::instance::configuration::major;
use crate::ocf::{Deadline, Parameters};
use crate::system::{SystemUser, program};

/// Owner and mode of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The owner's uid.
    pub uid: u32,
    /// The nine bits of the mode.
    pub mode: u32,
}

/// Whether a program can be run.
pub fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Whether a path leads to a directory.
pub fn is_directory(path: &Path) -> bool {
    path.is_dir()
}

/// Whether anything is at a path.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Whether two paths lead to the same thing, by device and inode.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
    identity(one).is_some() && identity(one) == identity(other)
}

/// Who may use a directory.
pub fn access(path: &Path) -> io::Result<Access> {
    let data = fs::metadata(path)?;
    Ok(Access {
        uid: data.uid(),
        mode: data.mode() & 0o777,
    })
}

/// The major version of the data; `None` if `PG_VERSION` does not begin with a number.
pub fn data_version(datadir: &Path) -> io::Result<Option<u32>> {
    version_file::read(datadir)
}

/// The major version of the programs, by `postgres --version`.
pub fn program_version(
    parameters: &Parameters,
    user: &SystemUser,
    deadline: Deadline,
) -> Option<u32> {
    let mut command = Command::new(parameters.program("postgres"));
    command.arg("--version");
    user.dress(&mut command);
    let ended = program::run(&mut command, deadline).ok()?;
    major(&ended.stdout)
}

/// The text of a file that may be a secret of the system user's, read as that user.
pub fn text_of(path: &str, user: &SystemUser) -> Option<String> {
    user.act(|| fs::read_to_string(path)).ok()
}
