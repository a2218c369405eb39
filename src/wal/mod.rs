//! What a node holds of the write-ahead log, and who holds more.
//!
//! Everything here is a value: parsed from text or numbers that others read,
//! compared, and printed. This module must never read a file, ask a server or
//! look at the clock, and it never *guesses*: two positions whose relation the
//! facts do not settle are `Unknown` to each other, and the caller decides.

pub mod files;
mod history;
pub mod last_record;
pub mod local_end;
mod lsn;
#[cfg(test)]
pub(crate) mod notation;
mod position;
pub mod segments;
mod timeline;
pub mod transactions;

#[cfg(test)]
mod tests;

pub use files::{HalfOpen, HistoryFile, WalFiles};
pub use history::{History, HistoryError, Switch};
pub use lsn::{Lsn, LsnError};
pub use position::{Common, Place, Position, Relation};
pub use timeline::{SystemId, Timeline, TimelineError};
