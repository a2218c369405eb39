//! A timeline of the write-ahead log: which promotion it began with.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use thiserror::Error;

/// Timeline id, from 1; each promotion takes a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeline(NonZeroU32);

/// Text that is no timeline.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a timeline (a whole number from 1 to 4294967295)")]
pub struct TimelineError(String);

impl FromStr for Timeline {
    type Err = TimelineError;

    fn from_str(text: &str) -> Result<Self, TimelineError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| TimelineError(text.to_owned()))
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_timelines_are_numbers_too() {
        let timeline = |text: &str| text.parse::<Timeline>().unwrap();
        assert!(timeline("1024") < timeline("2147483648"));
        assert_eq!(timeline("4294967295").to_string(), "4294967295");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "0", "-1", "+1", "1 ", "1.0", "4294967296", "0x1"] {
            assert!(text.parse::<Timeline>().is_err(), "{text:?}");
        }
    }
}
