//! Timelines and the identity of a database cluster.

use std::fmt;
use std::num::NonZeroU32;

use thiserror::Error;

use super::lsn::decimal;

/// A timeline: the number of a branch of WAL. Each promotion opens a new one.
///
/// Sources: `pg_controldata`, `pg_stat_wal_receiver.received_tli`, history
/// files, attributes. The number alone does not name a branch for certain: two
/// nodes promoted apart from each other both take the next free number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeline(NonZeroU32);

/// A text that is not a timeline or a system identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimelineError {
    /// Not a decimal number from 1 to 4294967295.
    #[error("not a timeline number: {0:?}")]
    NotTimeline(String),
    /// Not a decimal number of 64 bits.
    #[error("not a system identifier: {0:?}")]
    NotSystemId(String),
}

impl Timeline {
    /// The timeline of a database that was never promoted.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Takes a number; `None` for zero, which PostgreSQL never uses.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The timeline that a promotion opens, unless the number is taken already.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The timelines above this one, up to and with `newest`.
    pub fn up_to(self, newest: Self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.next(), |timeline| timeline.next())
            .take_while(move |timeline| *timeline <= newest)
    }

    /// Reads a decimal number without sign or blank.
    pub fn from_decimal(text: &str) -> Result<Self, TimelineError> {
        decimal(text)
            .and_then(|number| u32::try_from(number).ok())
            .and_then(Self::new)
            .ok_or_else(|| TimelineError::NotTimeline(text.to_owned()))
    }

    /// Reads the form in file names, as PostgreSQL writes it: a name that only looks like
    /// it belongs to no timeline.
    pub fn from_file_name(digits: &str) -> Option<Self> {
        let timeline = Self::new(u32::from_str_radix(digits, 16).ok()?)?;
        (format!("{timeline:X}") == digits).then_some(timeline)
    }

    /// The number.
    pub fn as_u32(self) -> u32 {
        self.0.get()
    }

    /// The name of the file in `pg_wal` that tells where this timeline
    /// branched off. Timeline 1 has none.
    pub fn history_file_name(self) -> String {
        format!("{self:X}.history")
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The form in file names: eight hexadecimal digits.
impl fmt::UpperHex for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

/// The identity that `initdb` gave a database cluster. Two nodes with different
/// ones hold different databases, whatever their names say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemId(u64);

impl SystemId {
    /// Reads the decimal number that `pg_controldata` prints.
    pub fn from_decimal(text: &str) -> Result<Self, TimelineError> {
        decimal(text)
            .map(Self)
            .ok_or_else(|| TimelineError::NotSystemId(text.to_owned()))
    }
}

impl From<u64> for SystemId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timelines_are_positive_32_bit_numbers() {
        assert_eq!(Timeline::from_decimal("1"), Ok(Timeline::FIRST));
        assert_eq!(
            Timeline::from_decimal("4294967295").map(Timeline::as_u32),
            Ok(u32::MAX)
        );
        for text in ["", "0", "-1", "+1", "4294967296", "A", "1 "] {
            assert!(Timeline::from_decimal(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_history_file_is_named_in_eight_hex_digits() {
        let timeline = Timeline::new(0x0123_45AB).unwrap();
        assert_eq!(timeline.history_file_name(), "012345AB.history");
        assert_eq!(format!("{:X}", Timeline::FIRST), "00000001");
        assert_eq!(Timeline::from_file_name("012345AB"), Some(timeline));
        for text in ["", "1", "00000000", "+0000001", "012345ab", "0123456789"] {
            assert_eq!(Timeline::from_file_name(text), None, "{text}");
        }
    }

    #[test]
    fn system_identifiers_are_64_bit_numbers() {
        assert_eq!(
            SystemId::from_decimal("7301234567890123456"),
            Ok(SystemId::from(7_301_234_567_890_123_456))
        );
        assert!(SystemId::from_decimal("x").is_err());
    }
}
