//! A node whose data left the primary's branch: it is found, said, and rewound.

pub mod attempt;
pub mod diverged;
mod primary;
pub mod report;
pub mod rewind;
