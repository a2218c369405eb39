//! What a node publishes before a promotion: a lower bound of what it holds.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::wal::{Lsn, Timeline};

/// A position as nodes on the Perl agent publish and read it:
/// `<timeline>#<LSN>`, both decimal. Orders by timeline, then by LSN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vote {
    /// The highest timeline that the node's WAL belongs to.
    pub timeline: Timeline,
    /// The end of the WAL that it holds.
    pub lsn: Lsn,
}

/// An attribute value that is no vote.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a position (<timeline>#<LSN>, decimal)")]
pub struct VoteError(String);

impl FromStr for Vote {
    type Err = VoteError;

    fn from_str(text: &str) -> Result<Self, VoteError> {
        let parse = || {
            let (timeline, lsn) = text.split_once('#')?;
            Some(Self {
                timeline: Timeline::from_decimal(timeline).ok()?,
                lsn: Lsn::from_decimal(lsn).ok()?,
            })
        };
        parse().ok_or_else(|| VoteError(text.to_owned()))
    }
}

impl Vote {
    /// The shared attribute format.
    pub fn encode(self) -> String {
        format!("{}#{}", self.timeline, self.lsn.as_u64())
    }
}

impl fmt::Display for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on timeline {}", self.lsn, self.timeline)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_format_is_that_of_the_perl_agent() {
        let vote: Vote = "4#251658240".parse().unwrap();
        assert_eq!(vote.to_string(), "0/F000000 on timeline 4");
        assert_eq!(vote.encode(), "4#251658240");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "#", "4", "4#", "#1", "0#1", "4#-1", "4#+1", "4#0x10", "4#1#1", "4 #1",
        ] {
            assert!(text.parse::<Vote>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_higher_timeline_beats_any_lsn(low: u64, high: u64) {
            let vote = |timeline: u32, lsn: u64| format!("{timeline}#{lsn}").parse::<Vote>().unwrap();
            prop_assert!(vote(1, high) < vote(2, low));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Vote>();
        }
    }
}
