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
//! beginning, so that no server ever takes it for its own future. Which ones go before a
//! start is decided in `crate::wal::files`.
//!
//! All of it is done as the system user, whose directory it is.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::system::{SystemUser, plain_file};
use crate::wal::{History, HistoryFile, Timeline};

/// Stands in each file that reserves a timeline, as the reason of the branch.
const RESERVED: &str = "reserved by pgsqlms";
/// Its name while it is written, which no server reads.
const DRAFT: &str = "pgsqlms.history.tmp";

/// The history of `timeline`, by its file; unknown without one.
pub fn known(user: &SystemUser, datadir: &Path, timeline: Timeline) -> History {
    if timeline == Timeline::FIRST {
        return History::root();
    }
    let path = path_of(datadir, timeline);
    let text = user.act(|| read(datadir, timeline));
    let Some(text) = text.unwrap_or_else(|error| {
        log::warn!("Cannot read {}: {error}", path.display());
        None
    }) else {
        return History::unknown();
    };
    History::parse(&text, timeline).unwrap_or_else(|error| {
        log::warn!("{}: {error}", path.display());
        History::unknown()
    })
}

/// The text of the history file of `timeline`; `None` without one.
pub fn read(datadir: &Path, timeline: Timeline) -> io::Result<Option<String>> {
    match plain_file::read(&path_of(datadir, timeline)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The name of that file, for messages.
pub fn path_of(datadir: &Path, timeline: Timeline) -> PathBuf {
    datadir.join("pg_wal").join(timeline.history_file_name())
}

/// Keeps the next promotion of this instance, which is on timeline `own`, from
/// opening `timeline`. An existing file is kept.
pub fn reserve(datadir: &Path, own: Timeline, timeline: Timeline) -> io::Result<()> {
    // It appears whole or not at all: with half a history no server starts.
    let draft = datadir.join("pg_wal").join(DRAFT);
    remove(&draft)?;
    let linked = write(&draft, own)
        .and_then(|()| fs::hard_link(&draft, path_of(datadir, timeline)))
        .or_else(|error| match error.kind() {
            ErrorKind::AlreadyExists => Ok(()),
            _ => Err(error),
        });
    let removed = remove(&draft);
    linked.and(removed)
}

fn write(path: &Path, own: Timeline) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = plain_file::open(&options, path)?;
    let text = format!("{own}\t0/1\t{RESERVED}: another node may have opened it\n");
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

/// Removes the files that reserve these timelines.
pub fn release(datadir: &Path, timelines: &[Timeline]) -> io::Result<()> {
    let mut files = timelines.iter().map(|it| path_of(datadir, *it));
    files.try_for_each(fs::remove_file)
}

/// The timeline in the name of a history file.
pub fn timeline_of(name: &str) -> Option<Timeline> {
    Timeline::from_file_name(name.strip_suffix(".history")?)
}

/// What the file of a timeline is there for. One that a power cut left empty counts as
/// reserved: PostgreSQL puts its own in place whole.
pub fn kind(datadir: &Path, timeline: Timeline) -> HistoryFile {
    let text = plain_file::read(&path_of(datadir, timeline));
    if text.is_ok_and(|text| text.is_empty() || text.contains(RESERVED)) {
        return HistoryFile::Reserved;
    }
    HistoryFile::Opened
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::wal::{History, WalFiles};

    fn timeline(number: u32) -> Timeline {
        Timeline::new(number).unwrap()
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

    fn release_all(datadir: &TempDir) {
        let timelines = names(datadir).into_iter();
        let timelines = timelines.filter_map(|name| timeline_of(&name));
        let files = WalFiles {
            histories: timelines.map(|it| (it, kind(datadir.path(), it))).collect(),
            ..WalFiles::default()
        };
        release(datadir.path(), &files.to_release()).unwrap();
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
        reserve(datadir.path(), timeline(13), timeline(14)).unwrap();
        let history = History::parse(
            &read(datadir.path(), timeline(14)).unwrap().unwrap(),
            timeline(14),
        )
        .unwrap();
        assert_eq!(
            history.switch_point_of(timeline(13)),
            Some(crate::wal::Lsn::from(1))
        );
    }

    #[test]
    fn what_a_killed_promotion_left_is_in_nobodys_way() {
        let datadir = datadir(&[(DRAFT, "12\t0/")]);
        reserve(datadir.path(), timeline(12), timeline(13)).unwrap();
        assert_eq!(names(&datadir), ["0000000D.history"]);
    }

    #[test]
    fn a_history_that_is_there_is_kept() {
        let real = "12\t0/5000000\tno recovery target specified\n";
        let datadir = datadir(&[("0000000D.history", real)]);
        reserve(datadir.path(), timeline(12), timeline(13)).unwrap();
        release_all(&datadir);
        let path = path_of(datadir.path(), timeline(13));
        assert_eq!(fs::read_to_string(path).unwrap(), real);
    }

    #[test]
    fn only_the_newest_are_released() {
        let real = "12\t0/5000000\tno recovery target specified\n";
        let datadir = datadir(&[("0000000F.history", real), ("00000010.history.tmp", "")]);
        for number in [14, 16, 17] {
            reserve(datadir.path(), timeline(12), timeline(number)).unwrap();
        }
        release_all(&datadir);
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
        release_all(&datadir);
        assert_eq!(names(&datadir), ["0000000D.history"]);
    }

    #[test]
    fn a_link_is_neither_read_nor_written() {
        let datadir = datadir(&[]);
        let victim = datadir.path().join("victim");
        fs::write(&victim, RESERVED).unwrap();
        let path = path_of(datadir.path(), timeline(2));
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        reserve(datadir.path(), timeline(1), timeline(2)).unwrap();
        release_all(&datadir);
        assert!(path.is_symlink() && fs::read_to_string(&victim).unwrap() == RESERVED);
    }
}
