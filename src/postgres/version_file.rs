//! `PG_VERSION`: which major version made the data directory.
//!
//! The file belongs to the system user, who may put anything in its place: it is
//! read as the other small files are, and nothing of its text is ever printed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::instance::configuration;
use crate::system::plain_file;
use crate::system::user::act_as;

/// The major version of the data; `None` where that cannot be told.
pub fn major(datadir: &Path) -> Option<u32> {
    read(datadir).ok().flatten()
}

/// The major version of the data; `None` if the file does not begin with a number.
pub fn read(datadir: &Path) -> io::Result<Option<u32>> {
    let place = fs::metadata(datadir)?;
    let path = datadir.join("PG_VERSION");
    let text = act_as(place.uid(), place.gid(), || plain_file::read(&path))?;
    Ok(configuration::major(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        let datadir = tempfile::tempdir().unwrap();
        assert!(read(datadir.path()).is_err());
        fs::write(datadir.path().join("PG_VERSION"), "15\n").unwrap();
        assert_eq!(major(datadir.path()), Some(15));
        fs::write(datadir.path().join("PG_VERSION"), "root:x:0\n").unwrap();
        assert_eq!(read(datadir.path()).unwrap(), None);
    }

    #[test]
    fn a_link_in_its_place_is_not_read() {
        let datadir = tempfile::tempdir().unwrap();
        let secret = datadir.path().join("secret");
        fs::write(&secret, "15").unwrap();
        std::os::unix::fs::symlink(&secret, datadir.path().join("PG_VERSION")).unwrap();
        assert!(read(datadir.path()).is_err());
    }
}
