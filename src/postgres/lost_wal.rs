//! Keeps WAL that is about to be thrown away, where root alone comes to it, and shows what was
//! kept.
//!
//! It is copied: pg_rewind writes into the files that are there, so that a second name of one would
//! show the new content. The newest files come first, since time and room are bounded, and what a
//! node wrote last is what nobody else has.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use super::rebuild_copy::free_bytes;
use super::wal_files;
use crate::ocf::Deadline;
use crate::record::lost::{Lost, NAME};
use crate::system::{SystemUser, kept_file, plain_file};
use crate::wal::segments::{Segment, behind};

/// All that is kept of one resource (bytes).
const MOST: u64 = 1024 * 1024 * 1024;
/// Says what it is; written last, so that nothing without it counts.
const ABOUT: &str = "about";
/// The disk of root's is not filled: at most so much of what is free is taken.
const SHARE: u64 = 4;

/// WAL that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptWal {
    /// Where.
    pub folder: PathBuf,
    /// What it is.
    pub lost: Lost,
    /// The files, and the bytes in them.
    pub files: Vec<String>,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Where it is kept.
pub struct LostFolder(PathBuf);

impl LostFolder {
    /// Of this resource.
    pub fn of(resource: &str) -> Self {
        Self(Path::new(kept_file::FOLDER).join(NAME.of(resource)))
    }

    /// Keeps what is behind the fork in `datadir`, as far as time and room allow; `false` if that
    /// is not all of it.
    pub fn keep(
        &self,
        (datadir, user): (&Path, &SystemUser),
        mut lost: Lost,
        deadline: Deadline,
    ) -> io::Result<bool> {
        let names = user.act(|| wal_files::names(datadir))?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)?;
        let room = MOST.min(free_bytes(&self.0)? / SHARE);
        let whose = (lost.timeline, lost.segment_size);
        let chosen = behind(&names, whose, (lost.fork, lost.end), room);
        let needed = lost.segment_size.saturating_mul(chosen.names.len() as u64);
        self.make_room(needed)?;
        self.forget_earlier_copies(&lost)?;
        let folder = self.0.join(format!("{}-{}", lost.at, lost.timeline));
        remove(&folder)?;
        DirBuilder::new().mode(0o750).create(&folder)?;
        chown(&folder, None, Some(user.gid().as_raw()))?;
        lost.is_whole = chosen.is_whole;
        for name in &chosen.names {
            if deadline.passed() {
                lost.is_whole = false;
                break;
            }
            copy(
                (&datadir.join("pg_wal").join(name), user),
                &folder.join(name),
            )?;
        }
        kept_file::write(&folder, ABOUT, &lost.encode())?;
        Ok(lost.is_whole)
    }

    /// The oldest go first, and what was not kept to its end.
    fn make_room(&self, needed: u64) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if !path.join(ABOUT).try_exists()? {
                remove(&path)?;
            }
        }
        let mut kept = self.all()?;
        while kept.iter().map(|one| one.bytes).sum::<u64>() + needed > MOST && !kept.is_empty() {
            remove(&kept.remove(0).folder)?;
        }
        Ok(())
    }

    /// The same may be thrown away more than once: what was to go was interrupted, or failed.
    fn forget_earlier_copies(&self, lost: &Lost) -> io::Result<()> {
        let whence = |of: &Lost| (of.timeline, of.fork);
        let all = self.all()?.into_iter();
        let mut same =
            all.filter(|one| whence(&one.lost) == whence(lost) && one.lost.end <= lost.end);
        same.try_for_each(|one| remove(&one.folder))
    }

    /// All that was kept, the oldest first.
    pub fn all(&self) -> io::Result<Vec<KeptWal>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut all = Vec::new();
        for entry in entries {
            all.extend(one(&entry?.path())?);
        }
        all.sort_by_key(|one| one.lost.at);
        Ok(all)
    }
}

fn one(folder: &Path) -> io::Result<Option<KeptWal>> {
    let Some(text) = kept_file::read(folder, ABOUT)? else {
        return Ok(None);
    };
    let lost = Lost::decode(&text)
        .map_err(|error| io::Error::other(format!("{}: {error}", folder.join(ABOUT).display())))?;
    let (mut files, mut bytes) = (Vec::new(), 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if Segment::parse(&name, lost.segment_size).is_some() {
            bytes += entry.metadata()?.len();
            files.push(name);
        }
    }
    files.sort();
    let folder = folder.to_owned();
    Ok(Some(KeptWal {
        folder,
        lost,
        files,
        bytes,
    }))
}

/// Read as the user to whom it belongs, written for root and that user's group, which does not come
/// that far.
fn copy((from, user): (&Path, &SystemUser), to: &Path) -> io::Result<()> {
    let mut source = user.act(|| plain_file::open(OpenOptions::new().read(true), from))?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o640);
    let mut target = plain_file::open(&options, to)?;
    io::copy(&mut source, &mut target)?;
    chown(to, None, Some(user.gid().as_raw()))?;
    target.sync_all()
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(data) if data.is_dir() => fs::remove_dir_all(folder),
        Ok(_) => fs::remove_file(folder),
        Err(error) => Err(error),
    }
}

impl KeptWal {
    /// Copies it to a directory of an admin's that does not exist yet.
    pub fn save(&self, to: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(to)?;
        for name in self.files.iter().map(String::as_str).chain([ABOUT]) {
            let mut source =
                plain_file::open(OpenOptions::new().read(true), &self.folder.join(name))?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            let mut target = plain_file::open(&options, &to.join(name))?;
            io::copy(&mut source, &mut target)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::lost::By;
    use crate::wal::{Lsn, Timeline};

    const SIZE: u64 = 1024 * 1024;

    struct Scene {
        root: tempfile::TempDir,
        user: SystemUser,
    }

    impl Scene {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let wal = root.path().join("data/pg_wal");
            fs::create_dir_all(&wal).unwrap();
            for name in ["000000010000000000000004", "000000010000000000000005"] {
                fs::write(wal.join(name), vec![7; 1024]).unwrap();
            }
            let user = SystemUser::owner_of(root.path());
            Self { root, user }
        }

        fn folder(&self) -> LostFolder {
            LostFolder(self.root.path().join("lost"))
        }

        fn keep(&self, at: u64, fork: u64, deadline: Deadline) -> bool {
            let lost = Lost {
                by: By::Rewind,
                at,
                timeline: Timeline::FIRST,
                fork: Lsn::from(fork),
                end: Lsn::from(6 * SIZE),
                segment_size: SIZE,
                is_whole: true,
            };
            let datadir = self.root.path().join("data");
            let from = (datadir.as_path(), &self.user);
            self.folder().keep(from, lost, deadline).unwrap()
        }
    }

    #[test]
    fn what_is_behind_the_fork_is_kept_and_shown() {
        let scene = Scene::new();
        assert!(scene.keep(100, 5 * SIZE, Deadline::after(Duration::from_secs(9))));
        assert!(scene.keep(200, 4 * SIZE, Deadline::after(Duration::from_secs(9))));
        let all = scene.folder().all().unwrap();
        let seen: Vec<_> = all
            .iter()
            .map(|one| (one.lost.at, one.files.len(), one.bytes))
            .collect();
        assert_eq!(seen, [(100, 1, 1024), (200, 2, 2048)]);
        let saved = scene.root.path().join("saved");
        all[1].save(&saved).unwrap();
        assert_eq!(
            fs::read(saved.join("000000010000000000000005")).unwrap(),
            vec![7; 1024]
        );
        assert!(all[1].save(&saved).is_err());
    }

    #[test]
    fn what_was_kept_twice_is_shown_once() {
        let scene = Scene::new();
        for at in [100, 200] {
            scene.keep(at, 5 * SIZE, Deadline::after(Duration::from_secs(9)));
        }
        let all = scene.folder().all().unwrap();
        assert_eq!(all.iter().map(|one| one.lost.at).collect::<Vec<_>>(), [200]);
    }

    #[test]
    fn without_time_that_is_said() {
        let scene = Scene::new();
        assert!(!scene.keep(100, 4 * SIZE, Deadline::after(Duration::ZERO)));
        assert!(!scene.folder().all().unwrap()[0].lost.is_whole);
    }

    #[test]
    fn what_was_not_kept_to_its_end_does_not_count_and_goes() {
        let scene = Scene::new();
        let begun = scene.root.path().join("lost/50-1");
        fs::create_dir_all(&begun).unwrap();
        assert!(scene.folder().all().unwrap().is_empty());
        scene.keep(100, 5 * SIZE, Deadline::after(Duration::from_secs(9)));
        assert!(!begun.exists());
    }
}
