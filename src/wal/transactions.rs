//! The commits in what `pg_waldump --rmgr=Transaction` prints.

use super::Lsn;

/// The commits in some WAL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commits {
    /// How many.
    pub count: u64,
    /// When the first one was, in the words of `pg_waldump`.
    pub first: Option<String>,
    /// The same of the last one.
    pub last: Option<String>,
}

impl Commits {
    /// Counts a line, if it is one of a commit behind this place:
    /// `rmgr: Transaction len …, lsn: 0/0401D670, prev …, desc: COMMIT 2026-11-28 21:00:00.1 UTC; …`
    pub fn count(&mut self, line: &str, behind: Lsn) {
        let Some((_, time)) = commit(line).filter(|(place, _)| *place >= behind) else {
            return;
        };
        self.count += 1;
        if self.first.is_none() {
            self.first = time.clone();
        }
        self.last = time;
    }
}

fn commit(line: &str) -> Option<(Lsn, Option<String>)> {
    let (head, tail) = line.split_once("desc: COMMIT")?;
    let (_, place) = head.split_once(" lsn: ")?;
    let place = Lsn::from_hex(place.split(',').next()?.trim()).ok()?;
    let tail = match tail.strip_prefix("_PREPARED ") {
        // The number of the transaction comes first.
        Some(prepared) => prepared.split_once(": ")?.1,
        None => tail.strip_prefix(' ')?,
    };
    let time = tail.split(';').next()?.trim();
    Some((place, Some(time.to_owned()).filter(|time| !time.is_empty())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DUMP: &str = "\
rmgr: Transaction len (rec/tot):     34/    34, tx:        730, lsn: 0/05000028, prev 0/05000000, desc: COMMIT 2026-11-28 20:59:59.000000 UTC
rmgr: Transaction len (rec/tot):     34/    34, tx:        740, lsn: 0/05000110, prev 0/050000D8, desc: COMMIT 2026-11-28 21:00:00.123456 UTC; inval msgs: catcache 21
rmgr: Transaction len (rec/tot):     34/    34, tx:        741, lsn: 0/05000140, prev 0/05000110, desc: ABORT 2026-11-28 21:00:01.000000 UTC
rmgr: Transaction len (rec/tot):     34/    34, tx:          0, lsn: 0/05000180, prev 0/05000140, desc: COMMIT_PREPARED 742: 2026-11-28 21:00:02.000000 UTC
rmgr: Transaction len (rec/tot):     34/    34, tx:        743, lsn: 0/050001C0, prev 0/05000180, desc: INVALIDATION COMMIT";

    #[test]
    fn commits_behind_the_fork_are_counted_with_their_times() {
        let mut commits = Commits::default();
        for line in DUMP.lines() {
            commits.count(line, Lsn::from(0x500_0110));
        }
        assert_eq!(commits.count, 2);
        assert_eq!(
            commits.first.as_deref(),
            Some("2026-11-28 21:00:00.123456 UTC")
        );
        assert_eq!(
            commits.last.as_deref(),
            Some("2026-11-28 21:00:02.000000 UTC")
        );
    }

    proptest! {
        #[test]
        fn no_line_panics(line in ".*") {
            Commits::default().count(&line, Lsn::ZERO);
            Commits::default().count(&format!(" lsn: {line}, desc: COMMIT {line}"), Lsn::ZERO);
        }
    }
}
