//! What a rebuild does on the disk: new data are made beside the old ones, take their place by one
//! rename, and the old ones go.
//!
//! In a directory of the system user's all is done as that user, and what is done beside the data
//! directory as the owner of the folder: root would follow a link anywhere.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::control_file::identity;
use super::real_server::RealServer;
use super::rebuild_mark::{Mark, RebuildFolder};
use super::rewinder::sync_file_systems;
use super::server::Server;
use super::standby_signal;
use crate::instance::rebuild::Place;
use crate::system::user::act_as;

/// Behind the name of the data directory, while the new data are made.
const FRESH: &str = ".pgsqlms-rebuild";
/// The same of the old data, until they are removed.
const OLD: &str = ".pgsqlms-old";

/// The rebuild of one server.
pub struct Site<'a> {
    server: &'a RealServer,
    /// Its mark.
    pub folder: RebuildFolder,
}

impl<'a> Site<'a> {
    /// Of this server.
    pub fn of(server: &'a RealServer) -> Self {
        Self {
            folder: RebuildFolder::of(server.resource()),
            server,
        }
    }

    fn datadir(&self) -> &Path {
        &self.server.parameters().datadir
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = OsString::from(self.datadir().file_name().unwrap_or_default());
        name.push(end);
        self.datadir().with_file_name(name)
    }

    /// Where the new data are made.
    pub fn fresh(&self) -> PathBuf {
        self.beside(FRESH)
    }

    /// Where the old data are once the new ones are in place.
    pub fn old(&self) -> PathBuf {
        self.beside(OLD)
    }

    /// What the data directory is on the disk. One that is not there is nothing special.
    pub fn place(&self) -> io::Result<Place> {
        let datadir = self.datadir();
        let data = match fs::symlink_metadata(datadir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::default()),
            data => data?,
        };
        let parent = fs::metadata(parent_of(datadir))?;
        let user = self.server.user();
        let wal = user.act(|| Ok(fs::read_link(datadir.join("pg_wal")).ok()))?;
        Ok(Place {
            is_link: data.is_symlink(),
            is_mount: !data.is_symlink() && data.dev() != parent.dev(),
            wal,
            spaces: user.act(|| spaces(datadir))?,
        })
    }

    /// Removes what an earlier attempt left, keeps the node's own files, sets the mark, and makes
    /// an empty directory.
    pub fn begin(&self, mark: &Mark) -> io::Result<()> {
        let (fresh, old) = (self.fresh(), self.old());
        let earlier = self.folder.read(self.datadir())?;
        if earlier.is_none() && is_filled(&fresh)? {
            return Err(in_the_way(&fresh));
        }
        if is_filled(&old)? {
            return Err(in_the_way(&old));
        }
        let made = earlier.map(|mark| mark.elsewhere).unwrap_or_default();
        for place in &mark.elsewhere {
            if !made.contains(place) && is_filled(place)? {
                return Err(in_the_way(place));
            }
        }
        for place in &made {
            self.server.user().act(|| empty(place))?;
        }
        self.folder.begin(mark, self.server.user())?;
        self.remove(&fresh)?;
        self.make(&fresh)
    }

    fn make(&self, fresh: &Path) -> io::Result<()> {
        let user = self.server.user();
        // Some let a group read.
        let mode = fs::metadata(self.datadir()).map_or(0o700, |data| data.mode() & 0o750 | 0o700);
        let owner = fs::metadata(parent_of(fresh))?.uid();
        self.beside_data(|| fs::DirBuilder::new().mode(mode).create(fresh))?;
        if owner == user.uid.as_raw() {
            return Ok(());
        }
        // In a folder of another's nobody can have put a link there meanwhile, but its owner.
        lchown(fresh, Some(user.uid.as_raw()), Some(user.gid().as_raw()))
    }

    /// Makes new data that are whole this node's own, and says so in the mark; all on disk when it
    /// returns.
    pub fn seal(&self, mark: &mut Mark) -> io::Result<()> {
        let (fresh, user) = (self.fresh(), self.server.user());
        self.folder.restore(&fresh, user)?;
        user.act(|| {
            standby_signal::write(&fresh)?;
            sync_file_systems(&fresh)?;
            File::open(&fresh)?.sync_all()
        })?;
        mark.copied = Some(user.act(|| identity(&fresh))?);
        self.folder.write(mark)
    }

    /// Whether the new data are whole, and not in place yet.
    pub fn is_copied(&self, mark: &Mark) -> bool {
        let control = self.server.user().act(|| identity(&self.fresh()));
        mark.copied.is_some() && control.ok() == mark.copied
    }

    /// Puts the new data into the place of the old ones; on disk when it returns.
    pub fn switch(&self, mark: &Mark) -> io::Result<()> {
        if !self.is_copied(mark) {
            return Err(io::Error::other("the new data are gone"));
        }
        let (fresh, datadir, old) = (self.fresh(), self.datadir(), self.old());
        self.beside_data(|| {
            exchange(&fresh, datadir, &old)?;
            File::open(parent_of(datadir))?.sync_all()
        })
    }

    /// Removes the old data, or puts them aside, and then the mark.
    pub fn finish(&self, keep_old: bool) -> io::Result<()> {
        let (fresh, old) = (self.fresh(), self.old());
        if fresh.symlink_metadata().is_ok() && !is_filled(&old)? {
            self.beside_data(|| fs::rename(&fresh, &old))?;
        }
        if !keep_old {
            self.remove_elsewhere(&old)?;
            self.remove(&old)?;
        }
        self.folder.remove()
    }

    /// Takes back a rebuild whose new data are not in place.
    pub fn give_up(&self, mark: &Mark) -> io::Result<()> {
        for place in &mark.elsewhere {
            self.server.user().act(|| empty(place))?;
        }
        self.remove(&self.fresh())?;
        self.folder.remove()
    }

    /// Of old data what was outside: their WAL and table spaces, where the new ones have others.
    fn remove_elsewhere(&self, old: &Path) -> io::Result<()> {
        let datadir = self.datadir();
        self.server.user().act(|| {
            let wal = |of: &Path| fs::read_link(of.join("pg_wal")).ok();
            if let Some(place) = wal(old).filter(|_| wal(old) != wal(datadir)) {
                empty(&place)?;
            }
            let used = spaces(datadir)?;
            let unused = spaces(old)?.into_iter().filter(|one| !used.contains(one));
            unused.into_iter().try_for_each(|place| empty(&place))
        })
    }

    fn remove(&self, folder: &Path) -> io::Result<()> {
        if folder.symlink_metadata().is_err() {
            return Ok(());
        }
        self.server.user().act(|| empty(folder))?;
        self.beside_data(|| fs::remove_dir(folder))
    }

    /// Does something as the owner of the folder in which the data directory is.
    fn beside_data<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let owner = fs::metadata(parent_of(self.datadir()))?;
        act_as(owner.uid(), owner.gid(), act)
    }
}

fn parent_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// The places to which the links of table spaces lead.
fn spaces(datadir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut places = Vec::new();
    let entries = match fs::read_dir(datadir.join("pg_tblspc")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(places),
        entries => entries?,
    };
    for entry in entries {
        places.extend(fs::read_link(entry?.path()));
    }
    places.sort();
    Ok(places)
}

/// Whether there is something in a directory.
fn is_filled(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        entries => Ok(entries?.next().is_some()),
    }
}

fn in_the_way(folder: &Path) -> io::Error {
    io::Error::other(format!(
        "{} is in the way: it is not empty, and of no rebuild that was begun here",
        folder.display()
    ))
}

/// Removes all that is in a directory, and follows no link.
fn empty(folder: &Path) -> io::Result<()> {
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

/// One has the place of the other at any time, where the file system can do that; else nobody has
/// for a moment, and the mark says how it goes on. An empty directory gives way.
fn exchange(fresh: &Path, datadir: &Path, old: &Path) -> io::Result<()> {
    if !is_filled(datadir)? {
        return fs::rename(fresh, datadir);
    }
    match renameat2(
        AT_FDCWD,
        fresh,
        AT_FDCWD,
        datadir,
        RenameFlags::RENAME_EXCHANGE,
    ) {
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
