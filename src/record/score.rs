//! The promotion score: the one fact that Pacemaker itself reads.
//!
//! Which score means what, and which node gets which, is decided in
//! `election::scores`.

use super::name::{Life, Name};

/// The name is the same in every version of Pacemaker
/// (`pcmk_promotion_score_name`), and with PAF.
pub const NAME: Name = Name::new(Life::Permanent, "master-RESOURCE", "promotion score");

/// What Pacemaker calls INFINITY.
const INFINITY: i32 = 1_000_000;

/// Reads the value. Admins may write INFINITY by hand.
pub fn decode(text: &str) -> Option<i32> {
    match text.trim() {
        "INFINITY" | "+INFINITY" => Some(INFINITY),
        "-INFINITY" => Some(-INFINITY),
        number => number.parse().ok(),
    }
}
