//! A node whose server refuses questions in a way that nobody knows. It says so of
//! itself: people see it, and the primary's monitor puts it behind all others.

use super::name::{Life, Name};
use crate::ocf::line::one_line;

/// The value is what the server said.
pub const NAME: Name = Name::new(
    Life::Transient,
    "unknown-error-RESOURCE",
    "the error that its server returns",
);

/// Characters of it that are published: the rest is in the node's log.
const LONGEST: usize = 100;

/// The value: what the server said, in one line without anything that a terminal obeys.
pub fn encode(said: &str) -> String {
    one_line(said, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_short_and_plain() {
        assert_eq!(encode("no logins (P0001)"), "no logins (P0001)");
        assert_eq!(encode("a\u{1b}[2Jb\nc"), "a [2Jb | c");
        assert_eq!(encode(&"é".repeat(1_000)).chars().count(), LONGEST);
    }
}
