//! The replication slots of the nodes: what is to be done about those of one server.
//!
//! ```text
//! srv1, primary    slot of srv2 ●   slot of srv3 ●     moved by the standbys, as they confirm
//! srv2, standby    slot of srv1 ○   slot of srv3 ○     moved by the agent, behind those
//! srv3, standby    slot of srv1 ○   slot of srv2 ○
//! ```
//!
//! A standby knows only what it holds itself. So each slot there stays at what its node is known to
//! have, by the word of the elected primary; the primary's own slot at the checkpoint from which
//! this standby would recover: before that the primary has everything, and from there pg_rewind
//! needs it.

mod kept;
pub mod name;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::ocf::NodeName;
use crate::wal::Lsn;
pub use kept::Kept;

/// A physical replication slot of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Whether it is a physical one that outlives its session.
    pub is_physical: bool,
    /// Whether somebody streams from it.
    pub is_active: bool,
    /// From where on it keeps WAL; `None` if it keeps none.
    pub restart: Option<Lsn>,
    /// Up to where the one who streams from it has said to have flushed.
    pub flushed: Option<Lsn>,
    /// Whether WAL is gone that it was to keep (`wal_status` is `lost`).
    pub is_lost: bool,
}

/// What a server says of its slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// All of them.
    pub all: Vec<Slot>,
    /// Whether the WAL kept for them is bounded (`max_slot_wal_keep_size`).
    pub bounded: bool,
    /// The size of a WAL file.
    pub segment: u64,
    /// The end of the WAL that the server has.
    pub end: Lsn,
    /// From where a standby would recover; `None` for a primary.
    pub redo: Option<Lsn>,
}

/// The nodes of the cluster, present or not, and whether the resource may run there.
pub type Nodes = BTreeMap<NodeName, bool>;

/// Up to where nodes have flushed, by the word of the elected primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The primary, which has everything.
    pub primary: NodeName,
    /// The standbys that stream from it.
    pub standbys: BTreeMap<NodeName, Lsn>,
}

/// Something to do about a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Make it, from where PostgreSQL still has WAL.
    Make(String),
    /// Let go of WAL that its node has.
    Advance(String, Lsn),
    /// Drop it.
    Drop(String, Why),
    /// Drop it and make it again.
    Renew(String, Why),
}

impl Action {
    /// The name of the slot.
    pub fn slot(&self) -> &str {
        match self {
            Self::Make(name)
            | Self::Advance(name, _)
            | Self::Drop(name, _)
            | Self::Renew(name, _) => name,
        }
    }
}

/// Why a slot goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is of no other node of the cluster.
    NoNode,
    /// WAL is gone that it was to keep.
    Lost,
    /// It keeps none.
    Empty,
    /// It is at a place that this server has no WAL of: it is of a branch that was given up.
    Beyond,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoNode => "it is of no other node of the cluster",
            Self::Lost => "WAL is gone that it was to keep",
            Self::Empty => "it keeps no WAL",
            Self::Beyond => "it is beyond the WAL of this server",
        })
    }
}

/// What is to be done about the slots of `own`'s server. Slots that have another name than ours or
/// are no physical ones are somebody else's, and one in use is left alone.
pub fn decide(
    own: &NodeName,
    nodes: &Nodes,
    slots: &Slots,
    confirmed: Option<&Confirmed>,
) -> Vec<Action> {
    let others = nodes.iter().filter(|(node, _)| *node != own);
    let wanted: BTreeMap<_, _> = others
        .map(|(node, may_run)| (name::of(node), (node, *may_run)))
        .collect();
    let present: BTreeSet<_> = slots.all.iter().map(|slot| slot.name.as_str()).collect();
    let is_missing = |name: &&String| !present.contains(name.as_str()) && slots.bounded;
    let may_run = wanted.iter().filter(|(_, (_, may_run))| *may_run);
    let missing = may_run.map(|(name, _)| name).filter(is_missing);
    let make = missing.map(|name| Action::Make(name.clone()));
    let idle = slots.all.iter().filter(|slot| slot.is_idle_and_ours());
    let about = idle.filter_map(|slot| match wanted.get(&slot.name) {
        None => Some(Action::Drop(slot.name.clone(), Why::NoNode)),
        Some((node, may_run)) => slots
            .renewal(slot, *may_run)
            .or_else(|| slots.advance(slot, node, confirmed?)),
    });
    make.chain(about).collect()
}

impl Slots {
    /// Whether a slot keeps so much that it is worth asking how far its node is.
    pub fn keep_much(&self) -> bool {
        let Some(redo) = self.redo else { return false };
        let idle = self.all.iter().filter(|slot| slot.is_idle_and_ours());
        let mut restarts = idle.filter_map(|slot| slot.restart);
        restarts.any(|restart| self.is_worth_it(restart, redo))
    }

    /// Up to where the nodes have flushed that stream from this primary by their slots.
    pub fn confirmed(&self, nodes: &Nodes) -> BTreeMap<NodeName, Lsn> {
        let position = |node: &NodeName| {
            let name = name::of(node);
            let slot = self.all.iter().find(|slot| slot.name == name)?;
            let flushed = slot.flushed.filter(|_| slot.is_active)?;
            Some((node.clone(), flushed.min(slot.restart?)))
        };
        nodes.keys().filter_map(position).collect()
    }

    /// Where it may not be made again it only goes: else nothing would ever bound its WAL.
    fn renewal(&self, slot: &Slot, may_run: bool) -> Option<Action> {
        let why = match slot.restart {
            _ if slot.is_lost => Why::Lost,
            None => Why::Empty,
            Some(restart) if self.redo.is_some() && restart > self.end => Why::Beyond,
            Some(_) => return None,
        };
        let name = slot.name.clone();
        Some(match may_run && self.bounded {
            true => Action::Renew(name, why),
            false => Action::Drop(name, why),
        })
    }

    fn advance(&self, slot: &Slot, node: &NodeName, confirmed: &Confirmed) -> Option<Action> {
        let redo = self.redo?;
        let to = match *node == confirmed.primary {
            true => redo,
            false => redo.min(*confirmed.standbys.get(node)?),
        };
        let is_worth_it = self.is_worth_it(slot.restart?, to);
        is_worth_it.then(|| Action::Advance(slot.name.clone(), to))
    }

    fn is_worth_it(&self, from: Lsn, to: Lsn) -> bool {
        to.bytes_since(from)
            .is_some_and(|bytes| bytes >= self.segment)
    }
}

impl Slot {
    fn is_idle_and_ours(&self) -> bool {
        self.is_physical && !self.is_active && name::is_ours(&self.name)
    }
}
