//! What the last WAL record of a node is, from what `pg_waldump` printed.
//!
//! Only asked when a node on PAF was demoted, since PAF does not publish where its
//! shutdown checkpoint is.

use super::Lsn;

/// Bytes before the end of the WAL that hold the last record, if it is a
/// shutdown checkpoint: the record (114 bytes in PostgreSQL 12 to 18) and a page
/// header, with room to spare.
pub const REACH: u64 = 512;

/// `XLOG_BLCKSZ`, as all packages are built.
const PAGE: u64 = 8192;
/// A record that crosses a page has a header inside: short, or long at the start
/// of a segment (`src/include/access/xlog_internal.h`).
const PAGE_HEADERS: [u64; 2] = [24, 40];

/// Whether the WAL that ends at `end` ends with a shutdown checkpoint.
///
/// `output` is a line a record, the last one last. A record that was received in
/// part is not printed: so the last one printed must reach to the end.
pub fn is_shutdown_checkpoint(output: &str, end: Lsn) -> bool {
    let mut records = output.lines().filter(|line| line.starts_with("rmgr:"));
    let Some(record) = records.next_back().and_then(Record::parse) else {
        return false;
    };
    record.is_shutdown && record.reaches(end)
}

pub(super) struct Record {
    pub(super) start: Lsn,
    pub(super) length: u64,
    is_shutdown: bool,
}

impl Record {
    /// `rmgr: XLOG len (rec/tot): 114/ 114, tx: 0, lsn: 0/01526200, prev …, desc: …`
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (head, description) = line.split_once(" desc: ")?;
        let (_, rest) = head.split_once("len (rec/tot):")?;
        let (lengths, _) = rest.split_once(',')?;
        let (_, total) = lengths.split_once('/')?;
        let (_, rest) = head.split_once(" lsn: ")?;
        let (start, _) = rest.split_once(',')?;
        let rmgr = head.strip_prefix("rmgr:")?.split_whitespace().next()?;
        Some(Self {
            start: padded_lsn(start.trim())?,
            length: total.trim().parse().ok()?,
            is_shutdown: rmgr == "XLOG" && description.starts_with("CHECKPOINT_SHUTDOWN "),
        })
    }

    /// Records are aligned to 8 bytes.
    fn reaches(&self, end: Lsn) -> bool {
        let Some(taken) = end.bytes_since(self.start) else {
            return false;
        };
        let aligned = self.length.checked_next_multiple_of(8);
        let Some(headers) = aligned.and_then(|length| taken.checked_sub(length)) else {
            return false;
        };
        let last = end.as_u64().saturating_sub(1);
        let crosses = self.start.as_u64() / PAGE != last / PAGE;
        headers == 0 || (crosses && PAGE_HEADERS.contains(&headers))
    }
}

/// `pg_waldump` fills the second half with zeros, which PostgreSQL never does
/// elsewhere.
pub(super) fn padded_lsn(text: &str) -> Option<Lsn> {
    let (high, low) = text.split_once('/')?;
    let low = low.trim_start_matches('0');
    let low = if low.is_empty() { "0" } else { low };
    Lsn::from_hex(&format!("{high}/{low}")).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `pg_waldump` 15 prints it.
    const SHUTDOWN: &str = "first record is after 0/1526070, at 0/1526188, skipping over 280 bytes\n\
        rmgr: Standby     len (rec/tot):     50/    50, tx:          0, lsn: 0/015261C8, prev 0/01526068, desc: RUNNING_XACTS nextXid 725\n\
        rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/01526200, prev 0/015261C8, desc: CHECKPOINT_SHUTDOWN redo 0/1526200; tli 1; prev tli 1; shutdown\n";

    fn ends(output: &str, end: u64) -> bool {
        is_shutdown_checkpoint(output, Lsn::from(end))
    }

    #[test]
    fn the_last_record_must_reach_to_the_end() {
        assert!(ends(SHUTDOWN, 0x152_6278));
        // A part of a further record was received.
        assert!(!ends(SHUTDOWN, 0x152_6290));
        assert!(!ends(SHUTDOWN, 0x152_6000));
    }

    #[test]
    fn an_earlier_shutdown_checkpoint_is_not_enough() {
        let later = "rmgr: Heap        len (rec/tot):     59/    59, tx: 726, lsn: 0/01526278, prev 0/01526200, desc: INSERT off 3\n";
        assert!(!ends(&format!("{SHUTDOWN}{later}"), 0x152_62B8));
    }

    #[test]
    fn an_online_checkpoint_is_none() {
        let online = SHUTDOWN.replace("CHECKPOINT_SHUTDOWN", "CHECKPOINT_ONLINE");
        assert!(!ends(&online, 0x152_6278));
    }

    #[test]
    fn a_record_across_a_page_has_a_header_inside() {
        let crossing = SHUTDOWN.replace("lsn: 0/01526200", "lsn: 0/01527FC0");
        assert!(ends(&crossing, 0x152_7FC0 + 120 + 24));
        assert!(!ends(&crossing, 0x152_7FC0 + 120 + 32));
        // Without a page in between, 24 bytes are the start of another record.
        assert!(!ends(SHUTDOWN, 0x152_6278 + 24));
    }

    #[test]
    fn what_is_no_record_is_no_checkpoint() {
        for broken in [
            "",
            "rmgr: XLOG",
            "rmgr: XLOG len (rec/tot): x/y, lsn: /, desc: CHECKPOINT_SHUTDOWN ",
        ] {
            assert!(!ends(broken, 0x152_6278), "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn no_output_panics(output in "(?s).*", length: u64, lsn in "[0-9A-F/]{0,20}", end: u64) {
            let line = format!(
                "rmgr: XLOG len (rec/tot): 114/ {length}, tx: 0, lsn: {lsn}, prev 0/0, desc: \
                 CHECKPOINT_SHUTDOWN redo"
            );
            let _ = is_shutdown_checkpoint(&output, Lsn::from(end));
            let _ = is_shutdown_checkpoint(&line, Lsn::from(end));
        }
    }
}
