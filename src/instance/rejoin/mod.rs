//! How a node whose data left the primary's branch comes back: what a start does with
//! it, how often it is tried, and what pg_rewind says it would do.

pub mod attempts;
pub mod plan;
pub mod preview;
