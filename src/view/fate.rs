//! What becomes of the role of the primary, and what goes with it.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Held;
use super::replay::Late;
use crate::ocf::NodeName;

/// The voters, and what is known of what nodes hold.
pub(super) type Positions<'a> = (&'a BTreeSet<NodeName>, &'a BTreeMap<NodeName, Held>);

/// What becomes of the role of the primary.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// The primary is not among the lost.
    Stays(NodeName),
    /// A standby is promoted.
    Promotes {
        /// Which one.
        node: NodeName,
        /// Or one of these, of which it is not known what they hold: they are not connected.
        instead: BTreeSet<NodeName>,
        /// What goes with the primary.
        loss: Loss,
        /// What it fetches first.
        fetch: Option<FirstFetch>,
        /// What it has to replay first, where that takes time.
        late: Option<Late>,
    },
    /// Nobody is.
    Nobody {
        /// Why not.
        reason: String,
        /// What can be done about it.
        cures: Vec<String>,
    },
    /// That cannot be told from here.
    Unknown(String),
}

/// What a winner fetches, before it is promoted, from a node that Pacemaker may not promote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstFetch {
    /// From whom.
    pub from: NodeName,
    /// What becomes of the role where that one cannot be reached: its port is not asked before.
    pub otherwise: String,
}

/// What goes with the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Whether no commit that a client was told is safe can be among it: synchronous
    /// replication, and enough of its standbys vote.
    pub is_guarded: bool,
    /// By how many bytes the winner is behind the primary now, where that is known.
    pub behind: Option<u64>,
}
