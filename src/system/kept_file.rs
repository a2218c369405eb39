//! A small file of root's that must outlive a power cut: it is there whole, as it was or as it
//! was to become.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::plain_file;

/// Where such files are. Nobody but root may enter it.
pub const FOLDER: &str = "/var/lib/pgsqlms";

/// The file with this name. `None`: there is none.
pub fn read(folder: &Path, name: &str) -> io::Result<Option<String>> {
    match plain_file::read(&folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes it; on disk when it returns.
pub fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    if !folder.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        sync(folder.parent().unwrap_or(folder))?;
    }
    let draft = draft_of(folder, name);
    plain_file::replace(&folder.join(name), &draft, text.as_bytes(), 0o600)?;
    sync(folder)
}

/// One draft for each process: two may write at the same time, as a monitor and a notify.
fn draft_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.{}", std::process::id()))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_there_as_it_was_written_last_and_no_draft_is_left() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        assert_eq!(read(&folder, "x").unwrap(), None);
        for text in ["first", "second"] {
            write(&folder, "x", text).unwrap();
            assert_eq!(read(&folder, "x").unwrap().as_deref(), Some(text));
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn what_is_there_and_cannot_be_read_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("x")).unwrap();
        assert!(read(root.path(), "x").is_err());
        assert!(write(Path::new("/proc/nonexistent"), "x", "text").is_err());
    }
}
