//! The election held to its tables, and to what must be true of every one.

mod confirming;
mod properties;
mod readiness;
mod reigns;
mod scores;
mod sync;
mod tables;
