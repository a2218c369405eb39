//! The promotion score: the one fact that Pacemaker itself reads.
//!
//! Which score means what, and which node gets which, is decided in
//! `election::scores`.

use super::name::{Life, Name};

/// The name is the same in every version of Pacemaker
/// (`pcmk_promotion_score_name`), and with PAF.
pub const NAME: Name = Name::new(Life::Permanent, "master-RESOURCE", "promotion score");

/// What Pacemaker calls INFINITY. No score that is added changes it but its opposite.
pub const INFINITY: i32 = 1_000_000;
/// Its opposite.
pub const MINUS_INFINITY: i32 = -INFINITY;

/// Writes the value.
pub fn encode(score: i32) -> String {
    match score {
        INFINITY => "INFINITY".to_owned(),
        MINUS_INFINITY => "-INFINITY".to_owned(),
        finite => finite.to_string(),
    }
}

/// Reads the value. Admins may write INFINITY by hand.
pub fn decode(text: &str) -> Option<i32> {
    match text.trim() {
        "INFINITY" | "+INFINITY" => Some(INFINITY),
        "-INFINITY" => Some(MINUS_INFINITY),
        number => number.parse().ok(),
    }
}

/// Whether a constraint with this score keeps what it is about away, whatever speaks for it.
pub fn keeps_away(text: &str) -> bool {
    decode(text).is_some_and(|score| score <= MINUS_INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_minus_infinity_or_below_keeps_away() {
        for (text, does) in [
            ("-INFINITY", true),
            ("-1000000", true),
            ("-1000001", true),
            ("-999999", false),
            ("INFINITY", false),
            ("", false),
        ] {
            assert_eq!(keeps_away(text), does, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for score in [MINUS_INFINITY - 1, MINUS_INFINITY, -1, 0, 1001, INFINITY] {
            assert_eq!(decode(&encode(score)), Some(score));
        }
        assert_eq!(encode(MINUS_INFINITY), "-INFINITY");
        assert_eq!(encode(990), "990");
    }
}
