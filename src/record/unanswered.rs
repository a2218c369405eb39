//! A node whose server refuses questions in a way that nobody knows. It says so of
//! itself: people see it, and the primary's monitor puts it behind all others.

use super::name::{Life, Name};

/// The value is what the server said.
pub const NAME: Name = Name::new(
    Life::Transient,
    "unanswered-RESOURCE",
    "the error that its server returns",
);
