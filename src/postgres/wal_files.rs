//! Which timeline does the WAL at a position belong to? Asked of the names of
//! the files in `pg_wal`.
//!
//! A standby that followed a promotion a moment ago knows it nowhere else once
//! its walreceiver has ended: the control file names the old timeline until
//! the next restartpoint. An LSN of the new timeline published under the old
//! one looks like a branch that the cluster left (seen on a real cluster).

use std::fs;
use std::io;
use std::path::Path;

use crate::wal::{Lsn, Timeline};

/// The highest timeline that has a file for the segment which holds the last
/// byte before `lsn`. Files that were recycled for later never hold it.
pub fn timeline_before(
    datadir: &Path,
    lsn: Lsn,
    segment_size: u64,
) -> io::Result<Option<Timeline>> {
    let byte = lsn.as_u64().checked_sub(1);
    let Some(wanted) = byte.and_then(|byte| segment_name(byte, segment_size)) else {
        return Ok(None);
    };
    let mut highest = None;
    for file in fs::read_dir(datadir.join("pg_wal"))? {
        let name = file?.file_name();
        highest = highest.max(name.to_str().and_then(|name| timeline_of(name, &wanted)));
    }
    Ok(highest)
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
    fn the_highest_timeline_of_that_segment_counts() {
        let datadir = tempfile::tempdir().unwrap();
        let wal = datadir.path().join("pg_wal");
        fs::create_dir(&wal).unwrap();
        for name in [
            "000000010000000000000005",
            "000000020000000000000005",
            "000000030000000000000005.partial",
            "000000030000000000000006",
            "00000004.history",
        ] {
            fs::write(wal.join(name), "").unwrap();
        }
        let at = |lsn| timeline_before(datadir.path(), Lsn::from(lsn), SEGMENT).unwrap();
        assert_eq!(at(0x0500_D8B8), Timeline::new(2));
        assert_eq!(at(0x0600_0000), Timeline::new(2));
        assert_eq!(at(0x0900_0000), None);
        assert_eq!(at(0), None);
    }

    proptest! {
        #[test]
        fn no_segment_size_panics(byte: u64, size: u64) {
            let _ = segment_name(byte, size);
        }
    }
}
