//! Whether a data directory may be started, and must be rewound before.
//!
//! 1. A rewind that was interrupted comes first: nothing is started on the directory
//!    before that rewind is finished.
//! 2. A directory that is not seen to have diverged is started. In recovery the server
//!    adds nothing to its WAL, and the replay shows what a crash has hidden.
//! 3. A directory that has diverged is started too, as a standby that follows nobody;
//!    or it is rewound, if the admin asked for that and it can work.

use std::fmt;

use thiserror::Error;

use crate::ocf::Rejoin;
use crate::record::Divergence;

/// A rewind that was begun here and not seen to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// pg_rewind has not written the control file, which it does last.
    Unfinished,
    /// It has, and what it wrote is in this system's memory at least.
    Finished,
    /// It has, but then the system went down: part may not have reached the disk.
    FinishedUnsynced,
}

/// All that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What the admin asked for.
    pub wish: Rejoin,
    /// Whether an earlier rewind of this data directory was interrupted, and where.
    pub interrupted: Option<Interrupted>,
    /// What is certain; `None` if nothing is known to be wrong.
    pub divergence: Option<Divergence>,
    /// Whether the instance was stopped so that pg_rewind can work.
    pub stopped: bool,
    /// `wal_log_hints` or checksums.
    pub hints_logged: bool,
    /// `full_page_writes`; `None` if it could not be read.
    pub full_page_writes: Option<bool>,
    /// Whether there is a `primary_conninfo` to reach the primary by.
    pub reachable: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Start it.
    Start,
    /// Start it: it stays a standby that follows nobody.
    StartDiverged(Unable),
    /// Rewind it, then start it.
    Rewind {
        /// First replay its own WAL, since pg_rewind could not work on it.
        recover: bool,
    },
    /// Put `standby.signal` in place and start it: all else was done.
    Finish,
    /// Start nothing.
    Refuse,
}

/// Why what has diverged is not rewound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unable {
    /// The admin did not ask for it.
    #[error("rejoin=follow: pg_rewind is left to an admin")]
    NotAsked,
    /// Nothing of it can be used.
    #[error("another database cannot be rewound, only replaced")]
    OtherSystem,
    /// Neither hint bits nor checksums.
    #[error("pg_rewind needs wal_log_hints=on or data checksums, before data diverge")]
    NoHints,
    /// Torn pages could remain.
    #[error("pg_rewind needs full_page_writes=on")]
    NoFullPages,
    /// Nobody to rewind from.
    #[error("primary_conninfo is not set or cannot be read")]
    NoPrimary,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::StartDiverged(unable) => write!(f, "start diverged: {unable}"),
            Self::Rewind { recover: false } => f.write_str("rewind"),
            Self::Rewind { recover: true } => f.write_str("recover and rewind"),
            Self::Finish => f.write_str("finish"),
            Self::Refuse => f.write_str("refuse"),
        }
    }
}

/// Whether a standby that is seen to have diverged while it runs is worth a restart, since
/// a start could do something about it.
pub fn is_worth_a_restart(wish: Rejoin, divergence: Divergence) -> bool {
    match (wish, divergence) {
        (Rejoin::Follow, _) | (Rejoin::Rewind, Divergence::OtherSystem) => false,
        (Rejoin::Rewind, Divergence::Left { .. }) => true,
    }
}

/// Decides.
pub fn decide(facts: &Facts) -> Plan {
    let recover = !facts.stopped;
    match (facts.interrupted, facts.divergence) {
        (Some(Interrupted::FinishedUnsynced), _) => Plan::Refuse,
        (Some(Interrupted::Finished), _) => Plan::Finish,
        // Also with rejoin=follow by now: there is no way back.
        (Some(Interrupted::Unfinished), _) if facts.reachable => Plan::Rewind { recover },
        (Some(Interrupted::Unfinished), _) => Plan::Refuse,
        (None, None) => Plan::Start,
        (None, Some(divergence)) => match unable(facts, divergence) {
            Some(reason) => Plan::StartDiverged(reason),
            None => Plan::Rewind { recover },
        },
    }
}

fn unable(facts: &Facts, divergence: Divergence) -> Option<Unable> {
    if divergence == Divergence::OtherSystem {
        return Some(Unable::OtherSystem);
    }
    match facts.wish {
        Rejoin::Follow => return Some(Unable::NotAsked),
        Rejoin::Rewind => {}
    }
    if !facts.hints_logged {
        return Some(Unable::NoHints);
    }
    // In doubt pg_rewind, which is asked first, has the last word.
    if facts.full_page_writes == Some(false) {
        return Some(Unable::NoFullPages);
    }
    (!facts.reachable).then_some(Unable::NoPrimary)
}
