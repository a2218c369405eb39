//! Which timeline does the WAL at a position belong to? Asked of the names of
//! the files in `pg_wal`.
//!
//! A standby that followed a promotion a moment ago knows it nowhere else once
//! its walreceiver has ended: the control file names the old timeline until
//! the next restartpoint. An LSN of the new timeline published under the old
//! one looks like a branch that the cluster left (seen on a real cluster).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::history_file;
use crate::wal::{Lsn, Timeline, WalFiles};

/// The timelines that have a file for the segment which holds the last byte before `lsn`.
/// Files that were recycled for later never hold it.
pub fn timelines_before(
    datadir: &Path,
    lsn: Lsn,
    segment_size: u64,
) -> io::Result<BTreeSet<Timeline>> {
    let byte = lsn.as_u64().checked_sub(1);
    let Some(wanted) = byte.and_then(|byte| segment_name(byte, segment_size)) else {
        return Ok(BTreeSet::new());
    };
    let names = names(datadir)?.into_iter();
    Ok(names
        .filter_map(|name| timeline_of(&name, &wanted))
        .collect())
}

/// What the names in `pg_wal` tell of timelines.
pub fn look(datadir: &Path) -> io::Result<WalFiles> {
    let mut files = WalFiles::default();
    for name in names(datadir)? {
        if let Some(timeline) = history_file::timeline_of(&name) {
            let file = history_file::kind(datadir, timeline);
            files.histories.insert(timeline, file);
        } else if let Some(timeline) = segment_of(&name) {
            files.segments.insert(timeline);
        }
    }
    Ok(files)
}

/// Removes the WAL files of a timeline.
pub fn remove(datadir: &Path, timeline: Timeline) -> io::Result<()> {
    let of_it = |name: &String| segment_of(name) == Some(timeline);
    let mut names = names(datadir)?.into_iter().filter(of_it);
    names.try_for_each(|name| fs::remove_file(datadir.join("pg_wal").join(name)))
}

/// The names of all files there.
pub fn names(datadir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(datadir.join("pg_wal"))? {
        names.extend(file?.file_name().into_string());
    }
    Ok(names)
}

/// The timeline in the name of a WAL file.
fn segment_of(name: &str) -> Option<Timeline> {
    let (timeline, number) = name.split_at_checked(8)?;
    let digits = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    let is_segment = number.len() == 16 && number.bytes().all(digits);
    Timeline::from_file_name(timeline).filter(|_| is_segment)
}

/// How many files wait for the archiver.
pub fn not_archived(datadir: &Path) -> io::Result<usize> {
    let files = fs::read_dir(datadir.join("pg_wal/archive_status"))?.flatten();
    let ready = files.filter(|file| file.path().extension().is_some_and(|end| end == "ready"));
    Ok(ready.count())
}

/// The last 16 digits of a WAL file's name (`XLogFileName`,
/// `src/include/access/xlog_internal.h`).
pub fn segment_name(byte: u64, segment_size: u64) -> Option<String> {
    let number = byte.checked_div(segment_size)?;
    let per_id = 0x1_0000_0000_u64.checked_div(segment_size)?;
    let (high, low) = (number.checked_div(per_id)?, number.checked_rem(per_id)?);
    Some(format!("{high:08X}{low:08X}"))
}

/// The timeline in the name of a file, if it is one of that segment.
pub fn timeline_of(file: &str, segment: &str) -> Option<Timeline> {
    Timeline::from_file_name(file.strip_suffix(segment)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wal::HistoryFile;

    const SEGMENT: u64 = 16 * 1024 * 1024;

    #[test]
    fn names_are_those_of_postgresql() {
        assert_eq!(
            segment_name(0x0500_0000, SEGMENT).unwrap(),
            "0000000000000005"
        );
        assert_eq!(
            segment_name(0x1_FF00_0000, SEGMENT).unwrap(),
            "00000001000000FF"
        );
        assert_eq!(segment_name(0, 0), None);
    }

    #[test]
    fn the_timelines_of_that_segment_count() {
        let datadir = datadir();
        let at = |lsn| {
            let found = timelines_before(datadir.path(), Lsn::from(lsn), SEGMENT).unwrap();
            found.into_iter().map(Timeline::as_u32).collect::<Vec<_>>()
        };
        assert_eq!(at(0x0500_D8B8), [1, 2]);
        assert_eq!(at(0x0600_0000), [1, 2]);
        assert_eq!(at(0x0700_0000), [3]);
        assert!(at(0x0900_0000).is_empty() && at(0).is_empty());
    }

    #[test]
    fn wal_of_one_timeline_is_removed_and_no_other_file() {
        let datadir = datadir();
        let two = Timeline::new(2).unwrap();
        let mut wanted = look(datadir.path()).unwrap();
        let numbers: Vec<_> = wanted.segments.iter().map(|it| it.as_u32()).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let four = wanted.histories.get(&Timeline::new(4).unwrap());
        assert_eq!(four, Some(&HistoryFile::Opened));
        let count = names(datadir.path()).unwrap().len();
        remove(datadir.path(), two).unwrap();
        wanted.segments.remove(&two);
        assert_eq!(look(datadir.path()).unwrap(), wanted);
        assert_eq!(names(datadir.path()).unwrap().len(), count - 1);
    }

    fn datadir() -> tempfile::TempDir {
        let datadir = tempfile::tempdir().unwrap();
        let wal = datadir.path().join("pg_wal");
        fs::create_dir(&wal).unwrap();
        for name in [
            "000000010000000000000005",
            "000000020000000000000005",
            "000000020000000000000005.00000028.backup",
            "000000030000000000000005.partial",
            "000000030000000000000006",
            "00000004.history",
        ] {
            fs::write(wal.join(name), "1\t0/2000000\tpromoted\n").unwrap();
        }
        datadir
    }

    proptest! {
        #[test]
        fn no_segment_size_panics(byte: u64, size: u64) {
            let _ = segment_name(byte, size);
        }
    }
}
