//! `standby.signal`: with it, the server that starts stays in recovery.
//!
//! Power may go a moment after. So the file and its directory reach the disk
//! before the start: a node without it would come back as a second primary.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use nix::fcntl::OFlag;

use crate::system::SystemUser;

const NAME: &str = "standby.signal";

/// Makes sure that the file is there. An existing one is kept; a link in its
/// place is an error, since the directory belongs to the system user and we
/// are root.
pub fn write(datadir: &Path, user: &SystemUser) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits() | OFlag::O_NONBLOCK.bits())
        .open(datadir.join(NAME))?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("{NAME} is not a regular file")));
    }
    fchown(&file, Some(user.uid.as_raw()), Some(user.gid().as_raw()))?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.sync_all()?;
    File::open(datadir)?.sync_all()
}

/// Is it there?
pub fn is_there(datadir: &Path) -> bool {
    datadir.join(NAME).exists()
}

/// Takes it away, for a recovery that opens the instance to nobody.
pub fn remove(datadir: &Path) -> io::Result<()> {
    match fs::remove_file(datadir.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::open(datadir)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ourselves() -> SystemUser {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
        SystemUser::look_up(&user.unwrap().unwrap().name).unwrap()
    }

    #[test]
    fn it_is_written_twice_without_harm() {
        let datadir = tempfile::tempdir().unwrap();
        write(datadir.path(), &ourselves()).unwrap();
        write(datadir.path(), &ourselves()).unwrap();
        assert!(datadir.path().join(NAME).is_file());
    }

    #[test]
    fn it_is_removed_twice_without_harm() {
        let datadir = tempfile::tempdir().unwrap();
        write(datadir.path(), &ourselves()).unwrap();
        remove(datadir.path()).unwrap();
        remove(datadir.path()).unwrap();
        assert!(!datadir.path().join(NAME).exists());
    }

    #[test]
    fn a_link_is_not_followed() {
        let datadir = tempfile::tempdir().unwrap();
        let victim = datadir.path().join("victim");
        std::os::unix::fs::symlink(&victim, datadir.path().join(NAME)).unwrap();
        assert!(write(datadir.path(), &ourselves()).is_err());
        assert!(!victim.exists());
    }
}
