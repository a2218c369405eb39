//! What a rebuild does on the disk: new data are made beside the old ones, take their place by one
//! rename, and the old ones go.
//!
//! In a directory of the system user's all is done as that user, and what is done beside the data
//! directory as the owner of the folder: root would follow a link anywhere.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, lchown};
use std::path::{Path, PathBuf};

use super::control_file::identity;
use super::directories::{empty, exchange, is_filled, link};
use super::real_server::RealServer;
use super::rebuild_mark::{Mark, RebuildFolder};
use super::rewind_mark::Found;
use super::rewinder::sync_file_systems;
use super::server::{Rewinder, Server};
use super::standby_signal;
use crate::instance::rebuild::Place;
use crate::system::plain_file;
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
        let wal = user.act(|| link(&datadir.join("pg_wal")))?;
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
        if earlier.is_some() {
            self.take_back_old()?;
        }
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
        let rewound = match self.server.mark()? {
            Found::Here { .. } => Some(self.server.mark_folder().join("files")),
            Found::Nothing | Found::OfOtherData => None,
        };
        let user = self.server.user();
        self.folder.begin(mark, user, rewound.as_deref())?;
        self.remove(&fresh)?;
        self.make(&fresh)
    }

    /// Where a switch of two renames was interrupted between them, there are no data.
    fn take_back_old(&self) -> io::Result<()> {
        let (datadir, old) = (self.datadir(), self.old());
        if is_filled(datadir)? || !is_filled(&old)? {
            return Ok(());
        }
        self.beside_data(|| {
            fs::rename(&old, datadir)?;
            File::open(parent_of(datadir))?.sync_all()
        })
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
    /// returns. `settings` are those that count where the node has no files of its own.
    pub fn seal(&self, mark: &mut Mark, settings: Option<&str>) -> io::Result<()> {
        let (fresh, user) = (self.fresh(), self.server.user());
        self.folder.restore(&fresh, user)?;
        if let Some(settings) = settings.filter(|_| !self.folder.has_own_files()) {
            user.act(|| append(&fresh.join("postgresql.auto.conf"), settings))?;
        }
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
        self.take_back_old()?;
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
            let wal = link(&old.join("pg_wal"))?;
            let used = link(&datadir.join("pg_wal"))?;
            if let Some(place) = wal.filter(|place| used.as_ref() != Some(place)) {
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
        places.extend(link(&entry?.path())?);
    }
    places.sort();
    Ok(places)
}

fn in_the_way(folder: &Path) -> io::Error {
    io::Error::other(format!(
        "{} is in the way: it is not empty, and of no rebuild that was begun here",
        folder.display()
    ))
}

/// What comes last counts.
fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    plain_file::open(&options, path)?.write_all(text.as_bytes())
}
