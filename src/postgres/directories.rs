//! Whole directories: whether there is something in one, what empties it, what puts one into the
//! place of another.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

/// Whether there is something in a directory.
pub fn is_filled(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        entries => Ok(entries?.next().is_some()),
    }
}

/// Removes all that is in a directory, and follows no link.
pub fn empty(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if fs::symlink_metadata(&path)?.is_dir() {
            fs::remove_dir_all(&path)?;
        } else {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Where a link leads; `None`: there is no link. One that cannot be read is an error: what it leads
/// to may be in use.
pub fn link(path: &Path) -> io::Result<Option<PathBuf>> {
    match fs::read_link(path) {
        Ok(place) => Ok(Some(place)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::EINVAL as i32) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One has the place of the other at any time, where the file system can do that; else nobody has
/// for a moment, and the mark says how it goes on. An empty directory gives way.
pub fn exchange(fresh: &Path, datadir: &Path, old: &Path) -> io::Result<()> {
    if !is_filled(datadir)? {
        return fs::rename(fresh, datadir);
    }
    let how = RenameFlags::RENAME_EXCHANGE;
    match renameat2(AT_FDCWD, fresh, AT_FDCWD, datadir, how) {
        Ok(()) => Ok(()),
        Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => {
            fs::rename(datadir, old)?;
            fs::rename(fresh, datadir)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(root: &Path, name: &str, text: Option<&str>) -> PathBuf {
        let path = root.join(name);
        fs::create_dir(&path).unwrap();
        if let Some(text) = text {
            fs::write(path.join("f"), text).unwrap();
        }
        path
    }

    #[test]
    fn new_data_take_the_place_of_old_ones_of_none_and_of_an_empty_directory() {
        for old in [Some("old"), None] {
            let root = tempfile::tempdir().unwrap();
            let data = folder(root.path(), "data", old);
            let fresh = folder(root.path(), "fresh", Some("new"));
            exchange(&fresh, &data, &root.path().join("aside")).unwrap();
            assert_eq!(fs::read_to_string(data.join("f")).unwrap(), "new");
            assert_eq!(fresh.exists(), old.is_some());
        }
        let root = tempfile::tempdir().unwrap();
        let fresh = folder(root.path(), "fresh", Some("new"));
        let data = root.path().join("data");
        exchange(&fresh, &data, &root.path().join("aside")).unwrap();
        assert!(data.join("f").exists());
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_no_link() {
        let root = tempfile::tempdir().unwrap();
        let (file, to) = (root.path().join("file"), root.path().join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink("/elsewhere", &to).unwrap();
        assert_eq!(link(&to).unwrap(), Some(PathBuf::from("/elsewhere")));
        assert_eq!(link(&file).unwrap(), None);
        assert_eq!(link(&root.path().join("nowhere")).unwrap(), None);
        // A file in the place of a directory stands for any other error.
        assert!(link(&file.join("pg_wal")).is_err());
    }

    #[test]
    fn what_is_emptied_is_followed_nowhere() {
        let root = tempfile::tempdir().unwrap();
        let (victim, data) = (
            folder(root.path(), "victim", Some("x")),
            folder(root.path(), "data", Some("y")),
        );
        std::os::unix::fs::symlink(&victim, data.join("link")).unwrap();
        fs::create_dir_all(data.join("a/b")).unwrap();
        empty(&data).unwrap();
        assert!(!is_filled(&data).unwrap() && victim.join("f").exists());
        empty(&root.path().join("nowhere")).unwrap();
    }
}
