//! A node whose data left the primary's branch: it is found, said, and rewound.

pub mod attempt;
pub mod diverged;
pub mod prepare;
pub mod primary;
pub mod report;
mod rewind;
