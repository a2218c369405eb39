//! `standby.signal`: with it, the server that starts stays in recovery.
//!
//! Power may go a moment after. So the file and its directory reach the disk
//! before the start: a node without it would come back as a second primary.
//!
//! All of it is done as the system user, whose directory it is: root would follow it
//! anywhere.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::system::plain_file;

const NAME: &str = "standby.signal";

/// Makes sure that the file is there. An existing one is kept, a link in its place is an
/// error. One that root made by hand (`touch`) is replaced, so that the server can sync it.
pub fn write(datadir: &Path) -> io::Result<()> {
    let path = datadir.join(NAME);
    let file = match open(&path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::remove_file(&path)?;
            open(&path)?
        }
        opened => opened?,
    };
    file.sync_all()?;
    File::open(datadir)?.sync_all()
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    plain_file::open(&options, path)
}

/// Whether it is there.
pub fn is_there(datadir: &Path) -> io::Result<bool> {
    datadir.join(NAME).try_exists()
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

    #[test]
    fn it_is_written_twice_without_harm() {
        let datadir = tempfile::tempdir().unwrap();
        write(datadir.path()).unwrap();
        write(datadir.path()).unwrap();
        assert!(datadir.path().join(NAME).is_file());
    }

    #[test]
    fn it_is_removed_twice_without_harm() {
        let datadir = tempfile::tempdir().unwrap();
        write(datadir.path()).unwrap();
        remove(datadir.path()).unwrap();
        remove(datadir.path()).unwrap();
        assert!(!datadir.path().join(NAME).exists());
    }

    #[test]
    fn a_link_is_not_followed() {
        let datadir = tempfile::tempdir().unwrap();
        let victim = datadir.path().join("victim");
        std::os::unix::fs::symlink(&victim, datadir.path().join(NAME)).unwrap();
        assert!(write(datadir.path()).is_err());
        assert!(!victim.exists());
    }
}
