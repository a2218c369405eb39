//! How far a copy of a server's data is, for people.

use std::time::Duration;

use super::bytes::amount;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were copied.
    pub done: u64,
    /// Bytes that there are, as they were counted before.
    pub total: u64,
}

impl Progress {
    /// Reads what `pg_basebackup --progress` says: `  1234/56789 kB (2%), 0/1 tablespace`.
    pub fn parse(line: &str) -> Option<Self> {
        let (numbers, _) = line.split_once(" kB (")?;
        let (done, total) = numbers.trim().split_once('/')?;
        let bytes = |text: &str| text.trim().parse::<u64>().ok()?.checked_mul(1024);
        Some(Self {
            done: bytes(done)?,
            total: bytes(total)?,
        })
    }

    /// Of a hundred.
    pub fn percent(&self) -> u64 {
        let done = u128::from(self.done.min(self.total)) * 100;
        let percent = done.checked_div(u128::from(self.total));
        percent.and_then(|one| u64::try_from(one).ok()).unwrap_or(0)
    }

    /// How long it takes still, if it goes on as it did in `passed`; `None` while that is too
    /// short to tell.
    pub fn left(&self, passed: Duration) -> Option<Duration> {
        if passed < Duration::from_secs(2) || self.done == 0 {
            return None;
        }
        let missing = u128::from(self.total.saturating_sub(self.done));
        let left = passed.as_millis().saturating_mul(missing) / u128::from(self.done);
        u64::try_from(left).ok().map(Duration::from_millis)
    }

    /// `1.2 GiB of 3.4 GiB (35 %), 120.0 MiB/s, 20 s left`.
    pub fn text(&self, passed: Duration) -> String {
        let (done, total) = (amount(self.done), amount(self.total));
        let mut text = format!("{done} of {total} ({} %)", self.percent());
        let per_second = u128::from(self.done) * 1000 / passed.as_millis().max(1);
        if let (Some(left), Ok(rate)) = (self.left(passed), u64::try_from(per_second)) {
            text += &format!(", {}/s, {} left", amount(rate), span(left));
        }
        text
    }

    /// Whether it fits on a disk with so much free.
    pub fn fits(&self, free: u64) -> bool {
        // The WAL that is written meanwhile comes on top.
        self.total.saturating_add(self.total / 20) <= free
    }
}

/// `20 s`, `5 min`, `3 h 20 min`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_of_pg_basebackup_is_read() {
        let line = "   52428/104857 kB (50%), 0/1 tablespace";
        let progress = Progress::parse(line).unwrap();
        assert_eq!(progress.percent(), 49);
        let text = progress.text(Duration::from_secs(10));
        assert_eq!(text, "51.1 MiB of 102.3 MiB (49 %), 5.1 MiB/s, 10 s left");
        assert_eq!(Progress::parse("pg_basebackup: error: no"), None);
    }

    #[test]
    fn the_rest_is_told_once_it_can_be() {
        let half = Progress {
            done: 1 << 30,
            total: 1 << 31,
        };
        assert_eq!(half.left(Duration::from_secs(1)), None);
        assert_eq!(
            half.left(Duration::from_secs(90)),
            Some(Duration::from_secs(90))
        );
        assert_eq!(span(Duration::from_secs(90)), "1 min");
        assert_eq!(span(Duration::from_secs(12_000)), "3 h 20 min");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let progress = Progress {
            done: 0,
            total: 100,
        };
        assert!(progress.fits(105) && !progress.fits(104));
    }

    proptest! {
        #[test]
        fn no_line_panics(line in ".*", done: u64, total: u64, ms: u64) {
            let _ = Progress::parse(&line);
            let _ = Progress::parse(&format!("{done}/{total} kB ("));
            let _ = Progress { done, total }.text(Duration::from_millis(ms));
        }
    }
}
