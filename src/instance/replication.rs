//! What an instance says of its replication.

use super::Role;
use super::capacity::Capacity;
use super::slots::Slots;
use crate::wal::{Lsn, Timeline};

/// What an instance said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Details {
    /// Of itself as a primary.
    Primary(Primary),
    /// Of itself as a standby.
    Standby {
        /// Whether it streams.
        receives: bool,
        /// On which timeline, where that can be seen.
        timeline: Option<Timeline>,
        /// The settings that it runs with, if its replay is paused.
        paused: Option<Capacity>,
        /// Its replication slots, where the agent looks after them.
        slots: Option<Slots>,
    },
}

impl Details {
    /// The role that they are of.
    pub fn role(&self) -> Role {
        match self {
            Self::Primary(_) => Role::Primary,
            Self::Standby { .. } => Role::Standby,
        }
    }

    /// Its replication slots, where the agent looks after them.
    pub fn slots(&self) -> Option<&Slots> {
        match self {
            Self::Primary(Primary { slots, .. }) | Self::Standby { slots, .. } => slots.as_ref(),
        }
    }

    /// The same with these slots.
    pub fn with_slots(mut self, seen: Option<Slots>) -> Self {
        match &mut self {
            Self::Primary(Primary { slots, .. }) | Self::Standby { slots, .. } => *slots = seen,
        }
        self
    }
}

/// What a primary said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// The timeline it writes on. The control file's is older until the first
    /// checkpoint after a promotion.
    pub timeline: Option<Timeline>,
    /// Up to where it has written. Every commit that is confirmed ends before.
    pub written: Lsn,
    /// `synchronous_standby_names`.
    pub synchronous_standby_names: String,
    /// `pg_stat_replication`.
    pub senders: Vec<Sender>,
    /// Its replication slots, where the agent looks after them.
    pub slots: Option<Slots>,
}

/// The state of a WAL sender. Source: `pg_stat_replication.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SenderState {
    /// Sends a base backup.
    Backup,
    /// Has just begun.
    Startup,
    /// The standby follows, or catches up, or is told that the primary stops.
    Following,
}

impl SenderState {
    /// Reads the column; a state that a later PostgreSQL invents counts as
    /// `Startup`, i.e. not as a standby that follows.
    pub fn from_column(text: &str) -> Self {
        match text {
            "streaming" | "catchup" | "stopping" => Self::Following,
            "backup" => Self::Backup,
            _ => Self::Startup,
        }
    }
}

/// One row of `pg_stat_replication`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sender {
    /// `application_name`: the node's name, if it is one of ours.
    pub name: String,
    /// What the sender does.
    pub state: SenderState,
    /// Bytes by which `write_lsn` is behind; `None` if the column is null, as
    /// when a standby begins to catch up.
    pub lag: Option<u64>,
    /// Whether it counts for synchronous commits, or will once it has caught up: its name is
    /// in the rule (`sync_priority`), and it says what it has flushed.
    pub confirms: bool,
}
