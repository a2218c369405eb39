//! What the cluster remembers: one file a fact, with its name, its life and its line.
//!
//! Pure: nothing here reads or writes an attribute; `crate::pacemaker` does.

#[cfg(test)]
mod codec_tests;
pub mod divergence;
pub mod force;
pub mod line;
pub mod missing;
pub mod reign;
pub mod shutdown;
mod sync_grammar;
pub mod sync_rule;
#[cfg(test)]
mod sync_tests;
pub mod vote;

pub use divergence::Divergence;
pub use force::Force;
pub use line::FieldError;
#[cfg(test)]
pub use reign::newest_timeline;
pub use reign::{Reign, elected_instead_of, last_reign, taken_timelines};
pub use shutdown::Floor;
pub use sync_rule::SyncRule;
pub use vote::Vote;
