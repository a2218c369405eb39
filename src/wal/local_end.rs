//! Where the valid records end that a node has on its disk, from what `pg_waldump`
//! printed: a standby that has not replayed them says nothing about it.

use super::Lsn;
use super::last_record::Record;

/// `XLOG_BLCKSZ`, as all packages are built.
const PAGE: u64 = 8192;
/// The header of a page, and of the first one of a segment (`xlog_internal.h`).
const SHORT_HEADER: u64 = 24;
const LONG_HEADER: u64 = 40;
/// What `pg_waldump` says of the first place that holds no valid record; the location is
/// that of the last valid one before it (`ReadRecPtr`, versions 12 to 18).
const STOPPED_AT: &str = "error in WAL record at ";

/// Where the last valid record begins, by what `pg_waldump` complained about.
pub fn last_record(complaint: &str) -> Option<Lsn> {
    let (_, rest) = complaint.split_once(STOPPED_AT)?;
    super::last_record::padded_lsn(rest.split(':').next()?)
}

/// Where the record ends that `pg_waldump` printed.
pub fn end_of(output: &str, segment_size: u64) -> Option<Lsn> {
    let mut lines = output.lines().filter(|line| line.starts_with("rmgr:"));
    let record = Record::parse(lines.next()?)?;
    let aligned = record.length.checked_next_multiple_of(8)?;
    let (mut at, mut left) = (record.start.as_u64(), aligned);
    loop {
        let page_end = at.checked_add(1)?.checked_next_multiple_of(PAGE)?;
        let room = page_end - at;
        if left <= room {
            return Some(Lsn::from(at + left));
        }
        left -= room;
        let is_first = page_end.checked_rem(segment_size)? == 0;
        at = page_end + if is_first { LONG_HEADER } else { SHORT_HEADER };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEGMENT: u64 = 16 * 1024 * 1024;
    /// As `pg_waldump` 15 prints it.
    const COMPLAINT: &str = "pg_waldump: error: error in WAL record at 0/40000D8: invalid record \
                             length at 0/4000110: wanted 24, got 0";

    fn line(length: u64, lsn: &str) -> String {
        format!(
            "rmgr: Heap        len (rec/tot):     59/ {length}, tx: 726, lsn: {lsn}, prev \
             0/01526200, desc: INSERT off 3\n"
        )
    }

    fn end(length: u64, lsn: &str) -> u64 {
        end_of(&line(length, lsn), SEGMENT).unwrap().as_u64()
    }

    #[test]
    fn the_last_record_is_the_one_before_the_complaint() {
        assert_eq!(last_record(COMPLAINT), Some(Lsn::from(0x400_00D8)));
        assert_eq!(
            last_record("pg_waldump: error: could not find file \"x\""),
            None
        );
    }

    #[test]
    fn a_record_ends_aligned_and_behind_the_headers_of_its_pages() {
        assert_eq!(end(50, "0/040000D8"), 0x400_0110);
        assert_eq!(end(59, "0/01526278"), 0x152_62B8);
        // Up to the end of its page, and a byte beyond.
        assert_eq!(end(64, "0/01527FC0"), 0x152_8000);
        assert_eq!(end(65, "0/01527FC0"), 0x152_8000 + 24 + 8);
        assert_eq!(end(72, "0/01FFFFC0"), 0x200_0000 + 40 + 8);
    }

    proptest! {
        #[test]
        fn no_output_panics(output in "(?s).*", length in 0..1_u64 << 31, lsn in "[0-9A-F/]{0,20}") {
            let _ = last_record(&output);
            let _ = end_of(&output, SEGMENT);
            let _ = end_of(&line(length, &lsn), SEGMENT);
            let _ = end_of(&line(length, &lsn), 0);
        }
    }
}
