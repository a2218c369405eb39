//! The little cluster: what is true of it, whatever anybody has been told.

use super::made::Made;
use crate::record::{DataId, Evidence, Fresh, Reign, ShutdownCheckpoint, Vote};
use crate::wal::History;

/// A node, by its place in `World::nodes`.
pub(super) type Id = usize;

/// The end of a node's WAL: a branch and a count of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Wal {
    pub(super) branch: usize,
    pub(super) lsn: u8,
}

/// A branch of WAL. Its place in `World::branches` is its true identity; the
/// number is the timeline that PostgreSQL gave it, and may occur twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Branch {
    /// Where it left which other branch; `None` for the one of `initdb`.
    pub(super) left: Option<Wal>,
    pub(super) number: u32,
    /// The end of all that was ever written on it.
    pub(super) end: u8,
    pub(super) system: u64,
    /// What its history file says.
    pub(super) history: Made<History>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Instance {
    Stopped,
    Standby,
    Primary,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    /// Whether the node is a member of the cluster.
    pub(super) up: bool,
    pub(super) instance: Instance,
    pub(super) wal: Wal,
    /// How often its data were rebuilt, and rewound since.
    pub(super) data: (u8, u8),
    /// Its data took the place of others.
    pub(super) fresh: Option<Fresh>,
    /// What its ledger says: a file, which outlives the node's power.
    pub(super) ledger: Made<Evidence>,
    /// Private attributes: they go with the node.
    pub(super) vote: Option<Made<Vote>>,
    pub(super) checkpoint: Option<Made<ShutdownCheckpoint>>,
    /// It has no database.
    pub(super) empty: bool,
    /// It runs the first version of the agent: no ledger, and votes that do not tell.
    pub(super) old: bool,
    /// Its ledger cannot be read, and stays as it is.
    pub(super) torn: bool,
    /// Pacemaker may not promote it.
    pub(super) barred: bool,
}

/// The permanent attributes of a node: they outlive it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Entry {
    pub(super) score: Option<i32>,
    pub(super) claim: Option<Made<Reign>>,
    pub(super) reign: Option<Made<Reign>>,
    /// Up to which term its claims came to an end; 0: none did.
    pub(super) ended: u64,
    /// Its claim and reign are of a later version.
    pub(super) unreadable: bool,
    /// The node was removed from the cluster.
    pub(super) gone: bool,
}

/// How far a change of primary has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Nothing is going on.
    Idle,
    /// pre-promote has been sent; the lists of this transition name `voters`.
    /// The votes of `late` are on their way, those of `unreadable` are of a later version.
    Notified {
        candidate: Id,
        voters: u8,
        late: u8,
        unreadable: u8,
    },
    /// The candidate has won and published its claim.
    Claimed { candidate: Id },
}

/// The end of a primary that was stopped for a planned change, and who knows of
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Planned {
    pub(super) end: Wal,
    /// Who has it as an attribute.
    pub(super) witnesses: u8,
    /// Who has it in its ledger.
    pub(super) noted: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) nodes: Vec<Node>,
    /// The permanent attributes of each node.
    pub(super) cib: Vec<Entry>,
    pub(super) branches: Vec<Branch>,
    /// The branch that was opened last, in truth.
    pub(super) elected: usize,
    /// The newest synchronous commits that a client saw acknowledged.
    pub(super) acked: Vec<Wal>,
    pub(super) planned: Option<Planned>,
    pub(super) phase: Phase,
    /// The nodes that Pacemaker may not promote now, as bits.
    pub(super) barred: u8,
    /// The configuration that somebody saved.
    pub(super) saved: Option<Made<Vec<Entry>>>,
    /// The configuration before its last change.
    pub(super) before: Option<Made<Vec<Entry>>>,
    /// Whether evidence was lost.
    pub(super) lost: bool,
    /// All nodes went away at once: a cluster of two waits for both (`wait_for_all`).
    pub(super) waits_for_all: bool,
    /// Whether the nodes have the other rule.
    pub(super) rule_changed: bool,
    /// What may still happen.
    pub(super) faults: u8,
    pub(super) writes: u8,
    pub(super) moves: u8,
}

impl World {
    /// Whether all of `inner` is in `outer`.
    pub(super) fn contains(&self, outer: Wal, inner: Wal) -> bool {
        let mut reach = Some(outer);
        while let Some(end) = reach {
            if end.branch == inner.branch {
                return inner.lsn <= end.lsn;
            }
            reach = self.branches[end.branch].left;
        }
        false
    }

    /// Whether `wal` lies on a branch that the cluster did not leave: it is a
    /// part of the branch opened last, or goes on from it.
    pub(super) fn is_on_elected(&self, wal: Wal) -> bool {
        let whole = Wal {
            branch: self.elected,
            lsn: u8::MAX,
        };
        let start = Wal {
            branch: self.elected,
            lsn: 0,
        };
        self.contains(whole, wal) || self.contains(wal, start)
    }

    /// The running primary.
    pub(super) fn primary(&self) -> Option<Id> {
        self.running(Instance::Primary).next()
    }

    /// The members whose instance is in this state.
    pub(super) fn running(&self, instance: Instance) -> impl Iterator<Item = Id> + '_ {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter_map(move |(id, node)| (node.up && node.instance == instance).then_some(id))
    }

    /// The standbys that can stream from the primary.
    pub(super) fn followers(&self) -> Vec<Id> {
        let Some(primary) = self.primary() else {
            return Vec::new();
        };
        let sent = self.nodes[primary].wal;
        let standbys = self.running(Instance::Standby);
        standbys
            .filter(|id| self.contains(sent, self.nodes[*id].wal))
            .collect()
    }

    /// Whether Pacemaker may promote a node.
    pub(super) fn is_barred(&self, id: Id) -> bool {
        self.barred & bit(id) != 0
    }

    /// Members, whatever runs on them.
    pub(super) fn members(&self) -> impl Iterator<Item = Id> + '_ {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter_map(|(id, node)| node.up.then_some(id))
    }
}

/// The name of a node.
pub(super) fn name(id: Id) -> &'static str {
    ["n1", "n2", "n3"][id]
}

/// One node as a bit of a set.
pub(super) fn bit(id: Id) -> u8 {
    1 << id
}

/// The identity of a node's data.
pub(super) fn data_id(id: Id, (rebuilt, rewound): (u8, u8)) -> DataId {
    let fresh = DataId::of(&format!("{}.{rebuilt}", id + 1));
    (0..rewound).fold(fresh, |data, _| data.rewound())
}
