//! The instance's own files in its data directory (configuration, certificates): what a rewind
//! or a rebuild would replace by the primary's.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::system::{SystemUser, plain_file};

/// Larger files are not configuration.
const LARGEST_COPY: u64 = 1024 * 1024;
/// More files are no configuration either: they would fill a disk of root's.
const MOST_COPIES: usize = 200;
/// What PostgreSQL or its programs write themselves.
const NOT_OURS: [&str; 10] = [
    "PG_VERSION",
    "backup_label",
    "backup_label.old",
    "backup_manifest",
    "current_logfiles",
    "postmaster.opts",
    "postmaster.pid",
    "recovery.signal",
    "standby.signal",
    "tablespace_map",
];

/// Copies them to a folder of root's; on disk when it returns.
pub fn keep(datadir: &Path, folder: &Path, user: &SystemUser) -> io::Result<()> {
    for path in user.act(|| all(datadir))? {
        let (bytes, mode) = user.act(|| plain_file::read_with_mode(&path, LARGEST_COPY))?;
        let name = path.file_name().unwrap_or_default();
        plain_file::write(&folder.join(name), &bytes, mode)?;
    }
    sync(folder)
}

/// Copies those that are in one folder of root's to another one.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (bytes, mode) = plain_file::read_with_mode(&entry.path(), LARGEST_COPY)?;
        plain_file::write(&to.join(entry.file_name()), &bytes, mode)?;
    }
    sync(to)
}

/// Puts them into a data directory; on disk when it returns.
pub fn put_back(folder: &Path, datadir: &Path, user: &SystemUser) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (bytes, mode) = plain_file::read_with_mode(&entry.path(), LARGEST_COPY)?;
        let target = datadir.join(entry.file_name());
        user.act(|| plain_file::write(&target, &bytes, mode))?;
    }
    user.act(|| sync(datadir))
}

/// A file in the way that pg_rewind could not overwrite would stop it half way.
pub fn foreign(datadir: &Path, user: &SystemUser) -> io::Result<Option<PathBuf>> {
    user.act(|| {
        for path in all(datadir)? {
            if fs::symlink_metadata(&path)?.uid() != user.uid.as_raw() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    })
}

/// Regular files in the data directory itself that an admin may have put there.
fn all(datadir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(datadir)? {
        let entry = entry?;
        let data = fs::symlink_metadata(entry.path())?;
        let name = entry.file_name();
        let is_known = NOT_OURS.iter().any(|known| name == *known);
        if data.is_file() && data.len() <= LARGEST_COPY && !is_known {
            files.push(entry.path());
        }
        if files.len() > MOST_COPIES {
            let text = format!("more than {MOST_COPIES} files in {}", datadir.display());
            return Err(io::Error::other(text));
        }
    }
    Ok(files)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
