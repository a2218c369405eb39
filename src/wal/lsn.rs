//! A place in the write-ahead log.

use std::fmt;

use thiserror::Error;

/// A log sequence number: bytes of WAL written since the database was created.
///
/// A node's LSN is the *end* of what it holds, i.e. the first byte it does not
/// have. Sources: `pg_last_wal_receive_lsn()`, `pg_last_wal_replay_lsn()`,
/// `pg_controldata`, history files, attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(u64);

/// Why a text is not an LSN.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LsnError {
    /// Not two groups of one to eight hexadecimal digits around a slash.
    #[error("not a WAL location such as 1/A0000028: {0:?}")]
    NotHex(String),
    /// Not a plain decimal number of 64 bits.
    #[error("not a WAL location in decimal: {0:?}")]
    NotDecimal(String),
}

impl Lsn {
    /// The place before the first byte of WAL.
    pub const ZERO: Self = Self(0);

    /// Reads the form that PostgreSQL prints: `16/B374D848`.
    ///
    /// Strict on purpose: 1 to 8 digits on each side, no sign, no blank. (The
    /// parser of the postgres crate takes more digits than 32 bits hold.)
    pub fn from_hex(text: &str) -> Result<Self, LsnError> {
        let wrong = || LsnError::NotHex(text.to_owned());
        let (high, low) = text.split_once('/').ok_or_else(wrong)?;
        let high = half(high).ok_or_else(wrong)?;
        let low = half(low).ok_or_else(wrong)?;
        Ok(Self((u64::from(high) << 32) | u64::from(low)))
    }

    /// Reads a plain decimal number, as attributes carry it.
    pub fn from_decimal(text: &str) -> Result<Self, LsnError> {
        decimal(text)
            .map(Self)
            .ok_or_else(|| LsnError::NotDecimal(text.to_owned()))
    }

    /// The location as a number of bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Bytes from `earlier` to `self`; `None` if `earlier` is in fact later.
    pub fn bytes_since(self, earlier: Self) -> Option<u64> {
        self.0.checked_sub(earlier.0)
    }
}

impl From<u64> for Lsn {
    fn from(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// One side of the slash: 32 bits in hexadecimal.
fn half(digits: &str) -> Option<u32> {
    let well_formed =
        (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    well_formed
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

/// A decimal number without sign, blank or overflow.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits_only = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits_only.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_in_every_width() {
        for (text, number) in [
            ("0/0", 0),
            ("0/28", 0x28),
            ("9/FFFFFFFF", 0x9_FFFF_FFFF),
            ("10/0", 0x10_0000_0000),
            ("F/1", 0xF_0000_0001),
            ("0/0422B478", 0x0422_B478),
            ("ffffffff/ffffffff", u64::MAX),
        ] {
            assert_eq!(Lsn::from_hex(text), Ok(Lsn::from(number)), "{text}");
        }
    }

    #[test]
    fn what_postgresql_never_prints_is_refused() {
        for text in [
            "",
            "/",
            "0/",
            "/0",
            "0",
            "0/0/0",
            "+1/0",
            "-1/0",
            "0x1/0",
            " 1/0",
            "1/0 ",
            "1/ 0",
            "1FFFFFFFFF/0",
            "0/1FFFFFFFFF",
            "000000001/0",
            "G/0",
            "1/٣",
            "1\\0",
        ] {
            assert!(Lsn::from_hex(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn decimal_takes_digits_only() {
        assert_eq!(Lsn::from_decimal("251658240"), Ok(Lsn::from(251_658_240)));
        assert_eq!(
            Lsn::from_decimal("18446744073709551615"),
            Ok(Lsn::from(u64::MAX))
        );
        for text in [
            "",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "1e6",
            "18446744073709551616",
            "٣",
        ] {
            assert!(Lsn::from_decimal(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn order_is_numeric_not_textual() {
        let lsn = |text| Lsn::from_hex(text).unwrap();
        assert!(lsn("9/0") < lsn("10/0"));
        assert!(lsn("F/FFFFFFFF") < lsn("10/0"));
        assert_eq!(lsn("10/0").bytes_since(lsn("F/FFFFFFFF")), Some(1));
        assert_eq!(lsn("9/0").bytes_since(lsn("10/0")), None);
    }
}
