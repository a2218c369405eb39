//! How often a standby that has diverged is restarted to be rewound.
//!
//! A start rewinds only while the primary can be reached and has had its first
//! checkpoint. Where that was not so yet, another start may help; but a node
//! that is restarted again and again helps nobody.

use std::time::Duration;

/// The pause before each attempt.
const PAUSES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(60),
    Duration::from_secs(600),
];

/// What was tried for one divergence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempts {
    /// Which divergence: where the branches part.
    pub fork: String,
    /// How many restarts.
    pub count: usize,
    /// When the last one was, in seconds since the epoch.
    pub last: u64,
}

impl Attempts {
    /// Reads a line. One that cannot be read is as if nothing had been tried.
    pub fn decode(text: &str) -> Self {
        let mut words = text.split_whitespace();
        let mut read = || {
            Some(Self {
                fork: words.next()?.to_owned(),
                count: words.next()?.parse().ok()?,
                last: words.next()?.parse().ok()?,
            })
        };
        read().unwrap_or_default()
    }

    /// The line.
    pub fn encode(&self) -> String {
        format!("{} {} {}", self.fork, self.count, self.last)
    }

    /// The attempts with one more, if one more is due now.
    pub fn next(&self, fork: &str, now: u64) -> Option<Self> {
        let so_far = if self.fork == fork { self.count } else { 0 };
        let pause = PAUSES.get(so_far)?;
        let passed = Duration::from_secs(now.saturating_sub(self.last));
        (so_far == 0 || passed >= *pause).then(|| Self {
            fork: fork.to_owned(),
            count: so_far + 1,
            last: now,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_attempts_with_growing_pauses_and_no_more() {
        let first = Attempts::default().next("0/1", 1000).unwrap();
        assert_eq!(first.next("0/1", 1059), None);
        let second = first.next("0/1", 1060).unwrap();
        assert_eq!(second.next("0/1", 1659), None);
        let third = second.next("0/1", 1660).unwrap();
        assert_eq!(third.next("0/1", 999_999), None);
        assert_eq!(Attempts::decode(&third.encode()), third);
    }

    #[test]
    fn another_divergence_counts_anew() {
        let spent = Attempts::decode("0/1 3 1000");
        assert_eq!(spent.next("0/2", 1001).unwrap().count, 1);
        assert_eq!(Attempts::decode("garbage"), Attempts::default());
    }

    proptest! {
        #[test]
        fn no_line_panics(line in ".*", fork in "[0-9A-F/]{1,9}", count: usize, now: u64) {
            let _ = Attempts::decode(&line).next(&fork, now);
            let _ = Attempts::decode(&format!("{fork} {count} {now}")).next(&fork, now);
        }
    }
}
