//! What the cluster remembers: one file a fact, with its name, its life and its line.
//!
//! A fact is made here too (`Vote::cast`, `ShutdownCheckpoint::of`, …), so that the
//! agent and the model of the election cannot make two different things of it. What
//! a fact means for an election is said in `crate::election`.
//!
//! Pure: nothing here reads or writes an attribute; `crate::pacemaker` does.

pub mod confirmers;
pub mod constraint;
pub mod data;
pub mod divergence;
pub mod evidence;
pub mod force;
pub mod impairment;
pub mod ledger;
pub mod line;
pub mod lost;
pub mod missing;
pub mod name;
pub mod note;
pub mod reign;
pub mod score;
pub mod shutdown;
pub mod sighting;
pub mod slots;
pub mod sync_rule;
pub mod testimony;
#[cfg(test)]
mod tests;
pub mod unknown_error;
pub mod vote;

pub use confirmers::Confirmers;
pub use constraint::Constraint;
pub use data::{DataId, Fresh};
pub use divergence::Divergence;
pub use evidence::Evidence;
pub use force::Force;
pub use ledger::Ledger;
pub use line::FieldError;
pub use reign::{Reign, last_reign};
pub use shutdown::ShutdownCheckpoint;
pub use sighting::Sighting;
pub use sync_rule::SyncRule;
pub use testimony::Testimony;
pub use vote::Vote;

/// What survives everything, on whatever node.
pub const PERMANENT: [name::Name; 5] = [
    score::NAME,
    Reign::NAME,
    Reign::CLAIM_NAME,
    Reign::ENDED_NAME,
    Force::NAME,
];

/// Everything that is remembered anywhere, in the order of the manual.
#[cfg(test)]
pub const ALL: [name::Name; 40] = [
    score::NAME,
    Reign::NAME,
    Reign::CLAIM_NAME,
    Reign::ENDED_NAME,
    Force::NAME,
    Divergence::NAME,
    Vote::PAF_NAME,
    Vote::NAME,
    ShutdownCheckpoint::NAME,
    ShutdownCheckpoint::COPY_NAME,
    missing::NAME,
    slots::NAME,
    unknown_error::NAME,
    impairment::NAME,
    vote::VOTER_NAME,
    Ledger::NAME,
    note::REWIND_MARK,
    note::REBUILD_MARK,
    note::REBUILD_LOCK,
    lost::NAME,
    note::SETTLED,
    note::DIVERGED,
    note::DIVERGED_OTHERS,
    note::REWINDS,
    note::NOT_REWOUND,
    note::UNKNOWN_ERROR,
    note::NOT_YET,
    note::IMPAIRED,
    note::MUTE,
    note::AFTERMATH,
    note::STRANDED,
    note::COPIED,
    note::FOREIGN_SCORES,
    note::YIELDED,
    note::FETCHED,
    note::UNREADY,
    note::HOSTS,
    note::SLOTS,
    note::CONFIRMED,
    Sighting::NAME,
];
