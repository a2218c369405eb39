//! What the primary's monitor gathers, and what it is told to write and to say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::instance::replication::Sender;
use crate::ocf::NodeName;
use crate::record::missing::MissingSince;

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
    /// The members whose server refuses questions in a way that nobody knows.
    pub unknown_error: BTreeSet<NodeName>,
    /// The members that need a restart before they could be promoted, or cannot vote.
    pub impaired: BTreeSet<NodeName>,
    /// The nodes, in lower case, that must confirm commits of this primary and whose votes the
    /// guard counts: their absence excludes none of them.
    pub listed: BTreeSet<String>,
    /// Since when members do not follow, as the last `Ranking` said.
    pub missing_since: MissingSince,
    /// The time since the epoch, in whole seconds.
    pub now: Duration,
    /// Parameter `maxlag`, bytes; 0 is off.
    pub maxlag: u64,
    /// For how long a candidate stays one without a connection.
    pub grace: Duration,
}

impl Roster {
    /// Whether a node that does not follow since then may still come back as the
    /// candidate that it was.
    pub(super) fn is_lately(&self, since: Duration) -> bool {
        self.now.saturating_sub(since) < self.grace
    }
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
    /// It follows, but cannot be asked what it holds.
    UnknownError,
    /// It follows, but would have to be restarted first, or cannot vote.
    Impaired,
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
            Self::Lags { lag: None } => f.write_str("its lag is not known yet"),
            Self::Impaired => f.write_str("it follows, but is not sound"),
            Self::UnknownError => f.write_str("it follows, but does not answer queries"),
            Self::Connecting => f.write_str("it is connecting, or being built"),
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
    pub missing_since: MissingSince,
    /// Whether the grace time of one of them still runs: then scores will change
    /// although nothing happens.
    pub is_pending: bool,
    /// Oddities, each once.
    pub notices: Vec<Notice>,
}

impl Ranking {
    /// Whether there is nothing to write, and will be nothing before something
    /// happens.
    pub fn is_settled(&self) -> bool {
        self.changes.is_empty() && !self.is_pending
    }
}
