//! A position in the write-ahead log.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Log sequence number: bytes of WAL since the beginning of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(u64);

/// Text that is no LSN.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not an LSN (two hexadecimal numbers of 32 bits, as 0/3000060)")]
pub struct LsnError(String);

impl Lsn {
    /// As a number of bytes.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl From<u64> for Lsn {
    fn from(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl FromStr for Lsn {
    type Err = LsnError;

    /// `X/X` as PostgreSQL prints it. Stricter than `PgLsn::from_str`, which
    /// takes halves of more than 32 bits.
    fn from_str(text: &str) -> Result<Self, LsnError> {
        let halves = text
            .split_once('/')
            .and_then(|(high, low)| Some((half(high)?, half(low)?)));
        let (high, low) = halves.ok_or_else(|| LsnError(text.to_owned()))?;
        Ok(Self(u64::from(high) << 32 | u64::from(low)))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// One to eight hexadecimal digits; `from_str_radix` alone would take a sign.
fn half(text: &str) -> Option<u32> {
    let digits = matches!(text.len(), 1..=8) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comparison_is_numeric_in_every_width() {
        let lsn = |text: &str| text.parse::<Lsn>().unwrap();
        assert!(lsn("9/0") < lsn("10/0"));
        assert!(lsn("F/FFFFFFFF") < lsn("10/00000000"));
        assert_eq!(lsn("0/03000060"), lsn("0/3000060"));
    }

    #[test]
    fn anything_else_is_refused() {
        let broken = [
            "",
            "/",
            "0",
            "0/",
            "/0",
            "0/0/0",
            "+1/0",
            "-1/0",
            "g/0",
            " 0/0",
            "0/0 ",
            "1FFFFFFFFF/0",
            "0/1FFFFFFFFF",
            "000000000/0",
        ];
        for text in broken {
            assert!(text.parse::<Lsn>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(bytes: u64) {
            prop_assert_eq!(Lsn::from(bytes).to_string().parse(), Ok(Lsn::from(bytes)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Lsn>();
        }
    }
}
