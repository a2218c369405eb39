//! A standby that runs and is not sound. It says so of itself: people see it, and the
//! primary's monitor puts it behind all others.

use super::name::{Life, Name};

/// The value says what is wrong.
pub const NAME: Name = Name::new(
    Life::Transient,
    "impaired-RESOURCE",
    "why it is promoted only where no other standby is sound",
);
