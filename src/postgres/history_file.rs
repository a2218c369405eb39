//! The history files of timelines in `pg_wal`: reading one, and reserving a
//! timeline by one.
//!
//! A promotion opens the first timeline above its own that has no history file
//! (`findNewestTimeLine`, `src/backend/access/transam/timeline.c`). A standby gets
//! the history of its primary's timeline when it connects, up to 5 s after a
//! promotion. Whoever is promoted before opens a second timeline of that number:
//! from then on neither PostgreSQL nor pg_rewind can tell the two branches apart,
//! and a standby on the one streams from the other (seen on a real cluster).
//!
//! The file that reserves a number says that it branched off at the very
//! beginning, so that no server ever takes it for its own future. Those above the
//! instance's own timeline go before it is started: there PostgreSQL would look
//! for that future.

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::SystemUser;
use crate::wal::{History, Timeline};

/// Stands in each file that reserves a timeline, as the reason of the branch.
const RESERVED: &str = "reserved by pgsqlms";
/// More than the longest such file, in bytes.
const LONGEST: u64 = 200;

/// The history of `timeline`. Without a readable file it is unknown, which
/// never makes a node better than another one.
pub fn read(datadir: &Path, timeline: Timeline) -> History {
    if timeline == Timeline::FIRST {
        return History::root();
    }
    let path = path_of(datadir, timeline);
    match fs::read_to_string(&path) {
        Ok(text) => History::parse(&text, timeline).unwrap_or_else(|error| {
            log::warn!("{}: {error}", path.display());
            History::unknown()
        }),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                log::warn!("Cannot read {}: {error}", path.display());
            }
            History::unknown()
        }
    }
}

/// Keeps the next promotion of this instance, which is on timeline `own`, from
/// opening `timeline`. An existing file is kept.
pub fn reserve(
    datadir: &Path,
    user: &SystemUser,
    own: Timeline,
    timeline: Timeline,
) -> io::Result<()> {
    let path = path_of(datadir, timeline);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path);
    let file = match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        other => other?,
    };
    // On a full disk an empty file would be left, with which no server starts.
    fill(file, user, own).or_else(|error| fs::remove_file(&path).and(Err(error)))
}

fn fill(mut file: File, user: &SystemUser, own: Timeline) -> io::Result<()> {
    fchown(&file, Some(user.uid.as_raw()), Some(user.gid().as_raw()))?;
    writeln!(
        file,
        "{own}\t0/1\t{RESERVED}: another node may have opened it"
    )?;
    file.sync_all()
}

/// Removes the files that reserve the newest timelines of a stopped instance;
/// those below a timeline that was opened stay, for standbys ask for them all.
pub fn release(datadir: &Path) -> io::Result<()> {
    let mut files: Vec<(Timeline, PathBuf)> = fs::read_dir(datadir.join("pg_wal"))?
        .flatten()
        .filter_map(|entry| Some((timeline_of(&entry)?, entry.path())))
        .collect();
    files.sort_by_key(|(timeline, _)| std::cmp::Reverse(*timeline));
    let newest = files.into_iter().map(|(_, path)| path);
    newest
        .take_while(|path| is_reserved(path))
        .try_for_each(fs::remove_file)
}

fn path_of(datadir: &Path, timeline: Timeline) -> PathBuf {
    datadir.join("pg_wal").join(timeline.history_file_name())
}

fn timeline_of(entry: &DirEntry) -> Option<Timeline> {
    let name = entry.file_name();
    let digits = name.to_str()?.strip_suffix(".history")?;
    let timeline = Timeline::new(u32::from_str_radix(digits, 16).ok()?)?;
    (timeline.history_file_name() == name.to_str()?).then_some(timeline)
}

/// Also one that a power cut left empty: PostgreSQL puts its own in place whole.
/// The directory belongs to the system user, and we are root: no link is followed,
/// and nothing is read that is not a file.
fn is_reserved(path: &Path) -> bool {
    let flags = OFlag::O_NOFOLLOW.bits() | OFlag::O_NONBLOCK.bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    file.and_then(beginning)
        .is_ok_and(|text| text.is_empty() || text.contains(RESERVED))
}

fn beginning(file: File) -> io::Result<String> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn timeline(number: u32) -> Timeline {
        Timeline::new(number).unwrap()
    }

    fn ourselves() -> SystemUser {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
        SystemUser::look_up(&user.unwrap().unwrap().name).unwrap()
    }

    fn datadir(files: &[(&str, &str)]) -> TempDir {
        let datadir = tempfile::tempdir().unwrap();
        let pg_wal = datadir.path().join("pg_wal");
        fs::create_dir(&pg_wal).unwrap();
        for (name, text) in files {
            fs::write(pg_wal.join(name), text).unwrap();
        }
        datadir
    }

    fn names(datadir: &TempDir) -> Vec<String> {
        let files = fs::read_dir(datadir.path().join("pg_wal")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_reserved_timeline_branched_off_before_anything() {
        let datadir = datadir(&[]);
        reserve(datadir.path(), &ourselves(), timeline(13), timeline(14)).unwrap();
        let history = read(datadir.path(), timeline(14));
        assert_eq!(
            history.switch_point_of(timeline(13)),
            Some(crate::wal::Lsn::from(1))
        );
    }

    #[test]
    fn a_history_that_is_there_is_kept() {
        let real = "12\t0/5000000\tno recovery target specified\n";
        let datadir = datadir(&[("0000000D.history", real)]);
        reserve(datadir.path(), &ourselves(), timeline(12), timeline(13)).unwrap();
        release(datadir.path()).unwrap();
        let path = path_of(datadir.path(), timeline(13));
        assert_eq!(fs::read_to_string(path).unwrap(), real);
    }

    #[test]
    fn only_the_newest_are_released() {
        let real = "12\t0/5000000\tno recovery target specified\n";
        let datadir = datadir(&[("0000000F.history", real), ("00000010.history.tmp", "")]);
        for number in [14, 16, 17] {
            reserve(datadir.path(), &ourselves(), timeline(12), timeline(number)).unwrap();
        }
        release(datadir.path()).unwrap();
        assert_eq!(
            names(&datadir),
            [
                "0000000E.history",
                "0000000F.history",
                "00000010.history.tmp"
            ]
        );
    }

    #[test]
    fn one_that_a_power_cut_left_empty_is_released() {
        let datadir = datadir(&[("0000000E.history", "")]);
        fs::create_dir(path_of(datadir.path(), timeline(13))).unwrap();
        release(datadir.path()).unwrap();
        assert_eq!(names(&datadir), ["0000000D.history"]);
    }

    #[test]
    fn a_link_is_neither_read_nor_written() {
        let datadir = datadir(&[]);
        let victim = datadir.path().join("victim");
        fs::write(&victim, RESERVED).unwrap();
        let path = path_of(datadir.path(), timeline(2));
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        reserve(datadir.path(), &ourselves(), timeline(1), timeline(2)).unwrap();
        release(datadir.path()).unwrap();
        assert!(path.is_symlink() && fs::read_to_string(&victim).unwrap() == RESERVED);
    }
}
