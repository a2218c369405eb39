//! A node whose data left the primary's branch: it is found, said, and rewound.

pub mod diverged;
pub mod report;
pub mod rewind;
