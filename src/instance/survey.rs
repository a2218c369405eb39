//! What an instance says of itself to people: all positions of its replication at one moment.
//!
//! Verbs ask less (`replication`): each question costs a monitor.

use super::Role;
use super::capacity::Capacity;
use super::replication::SenderState;
use super::slots::Kept;
use crate::wal::{Lsn, Timeline};

/// What one connection was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// `server_version`, as `15.6`.
    pub version: String,
    /// What it said by its role.
    pub says: Says,
    /// What it keeps by the agent's slots; empty where it has none.
    pub slots: Vec<Kept>,
}

/// What it said by its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// Of itself as a primary.
    Primary(Writer),
    /// Of itself as a standby.
    Standby(Follower),
}

/// What a primary said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The timeline that it writes.
    pub timeline: Option<Timeline>,
    /// Up to where it has written.
    pub written: Lsn,
    /// `synchronous_standby_names`.
    pub synchronous_standby_names: String,
    /// `pg_stat_replication`.
    pub receivers: Vec<Receiver>,
}

/// One row of `pg_stat_replication`. A role without the right to see a column has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// `application_name`: the node's name, if it is one of ours.
    pub name: String,
    /// What the sender does.
    pub state: SenderState,
    /// Up to where it has written what it received.
    pub write: Option<Lsn>,
    /// Up to where it has that on disk.
    pub flush: Option<Lsn>,
    /// Up to where it has replayed.
    pub replay: Option<Lsn>,
    /// `sync_state`: `async`, `potential`, `sync` or `quorum`.
    pub sync: String,
}

/// What a standby said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follower {
    /// Up to where it has received, on disk, since it was started.
    pub received: Option<Lsn>,
    /// Up to where it has replayed.
    pub replayed: Option<Lsn>,
    /// The timeline that its walreceiver has received last, if one runs.
    pub received_timeline: Option<Timeline>,
    /// Whether its walreceiver streams.
    pub streams: bool,
    /// Up to where the primary had written when it last said so.
    pub primary_end: Option<Lsn>,
    /// Whether its replay is paused, by whomever.
    pub is_paused: bool,
    /// Whether it waits until commits are old enough (`recovery_min_apply_delay`).
    pub is_delayed: bool,
    /// The settings that it runs with.
    pub capacity: Capacity,
}

impl Survey {
    /// The role that it is of.
    pub fn role(&self) -> Role {
        match self.says {
            Says::Primary(_) => Role::Primary,
            Says::Standby(_) => Role::Standby,
        }
    }

    /// What it said as a primary.
    pub fn writer(&self) -> Option<&Writer> {
        match &self.says {
            Says::Primary(writer) => Some(writer),
            Says::Standby(_) => None,
        }
    }

    /// What it said as a standby.
    pub fn follower(&self) -> Option<&Follower> {
        match &self.says {
            Says::Primary(_) => None,
            Says::Standby(follower) => Some(follower),
        }
    }
}

impl Follower {
    /// The end of the WAL that it holds: what it would vote.
    pub fn end(&self) -> Option<Lsn> {
        self.received.max(self.replayed)
    }
}

impl Receiver {
    /// The least that it holds on disk.
    pub fn holds(&self) -> Option<Lsn> {
        self.flush.max(self.replay)
    }
}
