//! Which node may become primary, and which score a node gets.
//!
//! Pure: from observations to a decision with its reason. No file, process,
//! clock or socket.

pub mod ballot;
pub mod heirs;
pub mod ranking;
mod vote;

pub use ballot::{Ballot, Verdict};
pub use vote::Vote;
