//! The promotion scores that a running primary gives to the other nodes.
//!
//! A score tells Pacemaker whom to *try* first; who may become primary is
//! decided by the election. Each change is a write to the cluster's
//! configuration database that interrupts whatever the cluster is doing, so a
//! score changes only when its meaning does:
//!
//! | score | meaning |
//! |---|---|
//! | 1001 | the primary |
//! | 1000, 990, … | standbys that follow, in order |
//! | 1 | was not the best in an election, the first node of a new cluster, or one that offers itself |
//! | −1 | connecting for the first time, or being built |
//! | −1000, −990, … | beyond `maxlag`, or not connected |
//!
//! The meaning is that of the Perl agent, so that both can take turns. Unlike
//! there, two standbys that follow keep their order while their lag differs
//! little, and a standby that was a candidate stays one for a grace time after
//! it lost its connection: right after a promotion nobody is connected yet, and
//! a second failure must still find a candidate.

mod after_election;
mod order;
mod rank;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thiserror::Error;

use crate::instance::replication::Sender;
use crate::ocf::NodeName;

pub use after_election::scores_of_winner;
pub use rank::{is_beyond, rank};

/// The score of the primary.
pub const PRIMARY: i32 = 1001;
/// The score of the first standby, and the most that one can have.
pub const FIRST_STANDBY: i32 = 1000;
/// What a standby's score is below that of the one before it.
pub const STEP: i32 = 10;
/// The score of a node that lost an election, or is the first of a new cluster.
pub const ELECTED: i32 = 1;
/// The score of a standby that connects for the first time.
pub const CONNECTING: i32 = -1;
/// The score of a member that is not connected.
pub const NOT_CONNECTED: i32 = -1000;
/// Whether Pacemaker promotes nobody with such a score.
pub fn is_excluded(score: i32) -> bool {
    score < 0
}

/// Seconds for which a candidate stays one without a connection.
pub const DEFAULT_GRACE_S: u64 = 60;

/// What the primary's monitor has gathered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Roster {
    /// The primary's own node.
    pub primary: NodeName,
    /// All rows of `pg_stat_replication`.
    pub senders: Vec<Sender>,
    /// The nodes of the partition.
    pub members: BTreeSet<NodeName>,
    /// The other nodes of the cluster that have a score.
    pub offline: BTreeSet<NodeName>,
    /// The stored scores.
    pub scores: BTreeMap<NodeName, i32>,
    /// Since when members do not follow (seconds since the epoch), as the last
    /// `Ranking` said. The caller keeps it in a private attribute.
    pub missing_since: BTreeMap<NodeName, u64>,
    /// Seconds since the epoch.
    pub now: u64,
    /// Parameter `maxlag`, bytes; 0 is off.
    pub maxlag: u64,
    /// Seconds for which a candidate stays one without a connection.
    pub grace_s: u64,
}

/// A score to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose score.
    pub node: NodeName,
    /// The new score.
    pub score: i32,
    /// Why.
    pub reason: Reason,
}

/// Why a node has the score it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is the primary.
    Primary,
    /// It follows; counted from 1.
    Follows {
        /// Its place among the standbys that follow.
        place: usize,
    },
    /// It is beyond `maxlag`, or by how much is not known.
    Lags {
        /// Bytes; `None` if not known.
        lag: Option<u64>,
    },
    /// It has begun to connect, or takes a base backup.
    Connecting,
    /// It is not connected, but was a candidate a short time ago.
    Grace,
    /// It is not connected.
    NotConnected,
    /// Its node is not in the cluster.
    Offline,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.write_str("it is the primary"),
            Self::Follows { place } => write!(f, "it follows, in place {place}"),
            Self::Lags { lag: Some(lag) } => write!(f, "it is {lag} bytes behind, beyond maxlag"),
            Self::Lags { lag: None } => f.write_str("how far it is behind is not known yet"),
            Self::Connecting => f.write_str("it has only begun to connect"),
            Self::Grace => f.write_str("it lost its connection a short time ago"),
            Self::NotConnected => f.write_str("it is not connected to the primary"),
            Self::Offline => f.write_str("its node is offline"),
        }
    }
}

/// Something odd in what was gathered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Notice {
    /// A client of replication that is not a member.
    #[error("ignoring replication client {0:?}: no member of the cluster has that name")]
    UnknownName(String),
    /// The primary streams to itself.
    #[error("{0} streams from itself; reject that in pg_hba.conf")]
    OwnName(NodeName),
    /// Several connections in one name.
    #[error("{0} has more than one replication connection; the best one counts")]
    Twice(NodeName),
    /// Nobody follows.
    #[error("no standby is connected to the primary")]
    Alone,
}

/// The outcome: what to write, and what to log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranking {
    /// The scores that must change, the primary's first.
    pub changes: Vec<Change>,
    /// Since when members do not follow, to be remembered for the next time.
    pub missing_since: BTreeMap<NodeName, u64>,
    /// Oddities, each once.
    pub notices: Vec<Notice>,
}
