//! The mark of a rebuild that has begun: on disk before anything is made, gone when the new data
//! are in place and the old ones gone. Power may go at any moment between.
//!
//! It lies in a directory of root's own, with copies of the instance's own files. The new data are
//! made beside the data directory, and take its place whole: what is in the data directory is
//! the old data or the new ones at any time, never half of them.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::control_file::identity;
use super::own_files;
use crate::record::note::{REBUILD_LOCK, REBUILD_MARK};
use crate::system::lock_file::LockFile;
use crate::system::{SystemUser, kept_file, plain_file};

/// What is remembered of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Which data directory.
    pub datadir: PathBuf,
    /// The last election that was known when it began.
    pub term: u64,
    /// The control file of the new data, once they are whole.
    pub copied: Option<String>,
    /// What is made elsewhere: the WAL, table spaces.
    pub elsewhere: Vec<PathBuf>,
}

impl Mark {
    /// The mark's text.
    pub fn encode(&self) -> String {
        let Self { term, copied, .. } = self;
        let copied = copied.as_deref().unwrap_or("-");
        let mut text = format!("1\n{term}\n{copied}\n{}\n", self.datadir.display());
        for place in &self.elsewhere {
            text.push_str(&format!("{}\n", place.display()));
        }
        text
    }

    /// Reads the mark's text; `None` if it is damaged.
    pub fn decode(text: &str) -> Option<Self> {
        // Not `lines`: a path may end with a carriage return.
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != "1" {
            return None;
        }
        Some(Self {
            term: lines.next()?.parse().ok()?,
            copied: Some(lines.next()?.to_owned()).filter(|text| text != "-"),
            datadir: PathBuf::from(lines.next()?),
            elsewhere: lines.map(PathBuf::from).collect(),
        })
    }
}

/// What was found of a rebuild of this data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuild {
    /// None has begun.
    Nothing,
    /// One goes on at this moment.
    GoesOn,
    /// One was interrupted, and the data directory is as it was before.
    Before,
    /// One was interrupted, and there are no data in the data directory.
    Without,
    /// The new data are in place; what is left is to clear up.
    After,
}

/// The place of the mark of one resource.
pub struct RebuildFolder {
    folder: PathBuf,
    lock: PathBuf,
}

impl RebuildFolder {
    /// The place for `resource`.
    pub fn of(resource: &str) -> Self {
        let root = Path::new(kept_file::FOLDER);
        Self {
            folder: root.join(REBUILD_MARK.of(resource)),
            lock: root.join(REBUILD_LOCK.of(resource)),
        }
    }

    /// Takes the lock of who rebuilds; `None` if somebody else has it.
    pub fn lock(&self) -> io::Result<Option<LockFile>> {
        if let Some(root) = self.lock.parent().filter(|root| !root.exists()) {
            fs::create_dir_all(root)?;
            fs::set_permissions(root, PermissionsExt::from_mode(0o700))?;
        }
        LockFile::take(&self.lock)
    }

    /// The mark, if there is one on this data directory. One that cannot be read is an error.
    pub fn read(&self, datadir: &Path) -> io::Result<Option<Mark>> {
        let text = match plain_file::read(&self.folder.join("marker")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mark = Mark::decode(&text).ok_or_else(|| io::Error::other("it is damaged"))?;
        Ok(Some(mark).filter(|mark| mark.datadir == datadir))
    }

    /// What there is of a rebuild of `datadir`.
    pub fn look(&self, datadir: &Path, user: &SystemUser) -> io::Result<Rebuild> {
        match self.left(datadir, user)? {
            Rebuild::Nothing => Ok(Rebuild::Nothing),
            _ if LockFile::is_held(&self.lock)? => Ok(Rebuild::GoesOn),
            left => Ok(left),
        }
    }

    /// The same for who has the lock: what an earlier one left.
    pub fn left(&self, datadir: &Path, user: &SystemUser) -> io::Result<Rebuild> {
        let Some(mark) = self.read(datadir)? else {
            return Ok(Rebuild::Nothing);
        };
        match user.act(|| identity(datadir)) {
            Ok(control) if Some(&control) == mark.copied.as_ref() => Ok(Rebuild::After),
            Ok(_) => Ok(Rebuild::Before),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Rebuild::Without),
            Err(error) => Err(error),
        }
    }

    /// Copies the instance's own files, if there are data, and sets the mark; on disk when it
    /// returns. Without data the copies of before stay: an earlier attempt has made them. `rewound`:
    /// where they are if the data are half rewound, and so have the primary's.
    pub fn begin(&self, mark: &Mark, user: &SystemUser, rewound: Option<&Path>) -> io::Result<()> {
        let files = self.folder.join("files");
        let has_data = user.act(|| mark.datadir.join("global/pg_control").try_exists());
        if matches!(has_data, Ok(true)) && files.exists() {
            fs::remove_dir_all(&files)?;
        }
        if !files.exists() {
            fs::create_dir_all(&files)?;
            fs::set_permissions(&self.folder, PermissionsExt::from_mode(0o700))?;
            match rewound {
                Some(kept) => own_files::copy(kept, &files)?,
                None if has_data? => own_files::keep(&mark.datadir, &files, user)?,
                None => {}
            }
        }
        self.write(mark)
    }

    /// Changes the mark; on disk when it returns.
    pub fn write(&self, mark: &Mark) -> io::Result<()> {
        kept_file::write(&self.folder, "marker", &mark.encode())?;
        let mut above = self.folder.ancestors().take(3);
        above.try_for_each(|folder| File::open(folder)?.sync_all())
    }

    /// Puts the instance's own files into new data.
    pub fn restore(&self, fresh: &Path, user: &SystemUser) -> io::Result<()> {
        own_files::put_back(&self.folder.join("files"), fresh, user)
    }

    /// Whether the instance had files of its own.
    pub fn has_own_files(&self) -> bool {
        let files = fs::read_dir(self.folder.join("files"));
        files.is_ok_and(|mut files| files.next().is_some())
    }

    /// Removes the mark.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_file(self.folder.join("marker"))?;
        File::open(&self.folder)?.sync_all()?;
        fs::remove_dir_all(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Scene {
        root: tempfile::TempDir,
        folder: RebuildFolder,
        user: SystemUser,
    }

    fn scene() -> Scene {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("data/global")).unwrap();
        fs::write(root.path().join("data/global/pg_control"), "old").unwrap();
        Scene {
            folder: RebuildFolder {
                folder: root.path().join("pgsqld.rebuild"),
                lock: root.path().join("pgsqld.lock"),
            },
            user: SystemUser::owner_of(root.path()),
            root,
        }
    }

    impl Scene {
        fn datadir(&self) -> PathBuf {
            self.root.path().join("data")
        }

        fn mark(&self) -> Mark {
            Mark {
                datadir: self.datadir(),
                term: 3,
                copied: None,
                elsewhere: vec![PathBuf::from("/wal")],
            }
        }

        fn look(&self) -> Rebuild {
            self.folder.look(&self.datadir(), &self.user).unwrap()
        }
    }

    #[test]
    fn what_there_is_of_a_rebuild_is_told_at_each_moment() {
        let scene = scene();
        assert_eq!(scene.look(), Rebuild::Nothing);
        scene
            .folder
            .begin(&scene.mark(), &scene.user, None)
            .unwrap();
        assert_eq!(scene.look(), Rebuild::Before);
        let held = scene.folder.lock().unwrap();
        assert!(held.is_some() && scene.folder.lock().unwrap().is_none());
        assert_eq!(scene.look(), Rebuild::GoesOn);
        drop(held);
        fs::remove_dir_all(scene.datadir()).unwrap();
        assert_eq!(scene.look(), Rebuild::Without);
        fs::create_dir_all(scene.datadir().join("global")).unwrap();
        fs::write(scene.datadir().join("global/pg_control"), "new").unwrap();
        let copied = Some(identity(&scene.datadir()).unwrap());
        let mark = Mark {
            copied,
            ..scene.mark()
        };
        scene.folder.write(&mark).unwrap();
        assert_eq!(scene.look(), Rebuild::After);
        scene.folder.remove().unwrap();
        assert_eq!(scene.look(), Rebuild::Nothing);
    }

    #[test]
    fn own_files_outlive_the_data_that_they_were_in() {
        let scene = scene();
        fs::write(scene.datadir().join("postgresql.auto.conf"), "ours").unwrap();
        scene
            .folder
            .begin(&scene.mark(), &scene.user, None)
            .unwrap();
        fs::remove_dir_all(scene.datadir()).unwrap();
        scene
            .folder
            .begin(&scene.mark(), &scene.user, None)
            .unwrap();
        let fresh = scene.root.path().join("fresh");
        fs::create_dir(&fresh).unwrap();
        scene.folder.restore(&fresh, &scene.user).unwrap();
        let text = fs::read_to_string(fresh.join("postgresql.auto.conf")).unwrap();
        assert_eq!(text, "ours");
    }

    #[test]
    fn of_half_rewound_data_the_files_that_the_rewind_kept_are_the_own() {
        let scene = scene();
        fs::write(
            scene.datadir().join("postgresql.auto.conf"),
            "the primary's",
        )
        .unwrap();
        let kept = scene.root.path().join("kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("postgresql.auto.conf"), "ours").unwrap();
        let begun = scene.folder.begin(&scene.mark(), &scene.user, Some(&kept));
        begun.unwrap();
        let copy = scene.folder.folder.join("files/postgresql.auto.conf");
        assert_eq!(fs::read_to_string(copy).unwrap(), "ours");
    }

    #[test]
    fn a_damaged_mark_is_an_error_and_one_of_other_data_is_none() {
        let scene = scene();
        scene
            .folder
            .begin(&scene.mark(), &scene.user, None)
            .unwrap();
        let other = scene.root.path().join("other");
        let seen = scene.folder.look(&other, &scene.user).unwrap();
        assert_eq!(seen, Rebuild::Nothing);
        fs::write(scene.folder.folder.join("marker"), "2\n").unwrap();
        assert!(scene.folder.look(&scene.datadir(), &scene.user).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).*") {
            let _ = Mark::decode(&text);
        }

        #[test]
        fn it_reads_what_it_writes(
            term: u64,
            copied in proptest::option::of("[0-9]{1,9}\\.[0-9]{1,9}"),
            elsewhere in proptest::collection::vec("/[a-z ]{1,9}", 0..3),
        ) {
            let mark = Mark {
                datadir: PathBuf::from("/data"),
                term,
                copied,
                elsewhere: elsewhere.into_iter().map(PathBuf::from).collect(),
            };
            prop_assert_eq!(Mark::decode(&mark.encode()), Some(mark));
        }
    }
}
