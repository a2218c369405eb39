//! What one look has seen: at the cluster, at this node's server, and at what is on record.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cib::{Cib, Running};
use crate::election::{Bar, Unreadable};
use crate::instance::capacity::TooSmall;
use crate::instance::survey::Writer;
use crate::instance::{Role, Survey};
use crate::ocf::NodeName;
use crate::record::{Evidence, Force, Reign, last_reign};
use crate::wal::{History, Position, Timeline};

/// All that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// When, since the epoch.
    pub at: Duration,
    /// This node; `None` where a saved configuration is looked at, or the node has no name here.
    pub here: Option<NodeName>,
    /// The cluster.
    pub cib: Cib,
    /// Why Pacemaker did not answer here; then the configuration is that of the disk.
    pub silence: Option<String>,
    /// This node's server; `None` where a saved configuration is looked at.
    pub local: Option<Local>,
    /// What is on record of elections.
    pub known: Known,
    /// The stored promotion scores.
    pub scores: BTreeMap<NodeName, i32>,
    /// Whom an admin forces.
    pub forces: BTreeMap<NodeName, Force>,
    /// Whom Pacemaker may not promote, and why.
    pub bars: BTreeMap<NodeName, Bar>,
    /// The same of nodes that the agent itself excludes: it tries them once before that counts.
    pub bars_once_tried: BTreeMap<NodeName, Bar>,
    /// The parameters that elections depend on.
    pub policy: Policy,
}

/// This node's server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Local {
    /// What it said of itself.
    pub survey: Option<Survey>,
    /// Why it did not.
    pub trouble: Option<String>,
    /// Whether it is known that no server runs.
    pub is_stopped: bool,
    /// What it holds.
    pub position: Option<Position>,
    /// Settings that are smaller than the primary's.
    pub lacking: Vec<TooSmall>,
    /// As the primary: the standbys that were seen to replay nothing of what they have to.
    pub still: BTreeSet<NodeName>,
    /// Whether a rewind of it has begun and was not seen to end.
    pub is_half_rewound: bool,
    /// Why it cannot be told whether one has.
    pub unread_mark: Option<String>,
    /// What is left of a rebuild that was interrupted.
    pub leftover: Option<Leftover>,
    /// What gives the role of parameter `db_role` the rights that it lacks, in SQL.
    pub grants: Vec<String>,
    /// How the timelines began that diverged nodes are on, as far as it is known here.
    pub histories: BTreeMap<Timeline, History>,
    /// How all timelines began that its files tell of, where that was asked for.
    pub timelines: BTreeMap<Timeline, History>,
}

/// What is left of a rebuild of this node that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftover {
    /// The data are those of before.
    OldData,
    /// There are no data.
    NoData,
    /// The data are the new ones, and the old ones still take up room.
    OldFiles,
    /// Its mark cannot be read.
    Unreadable(String),
}

/// What is on record of elections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// What the cluster's configuration has.
    pub published: Evidence,
    /// That, and what this node's ledger has.
    pub all: Evidence,
    /// What is there and could not be read.
    pub unreadable: BTreeSet<Unreadable>,
}

/// The parameters that elections depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Parameter `maxloss`.
    pub max_loss: u64,
    /// Parameter `maxlag`; 0: no limit.
    pub max_lag: u64,
    /// Parameter `sync_guard`.
    pub sync_guard: bool,
}

impl Seen {
    /// What runs on a node: here the server itself knows best.
    pub fn running(&self, node: &NodeName) -> Running {
        let is_here = self.here.as_ref() == Some(node);
        let local = self.local.as_ref().filter(|_| is_here);
        let survey = local.and_then(|local| local.survey.as_ref());
        let by_pacemaker = self.cib.nodes.get(node).map(|node| node.running);
        match survey.map(Survey::role) {
            Some(Role::Primary) => Running::Primary,
            Some(Role::Standby) => Running::Standby,
            None if local.is_some_and(|local| local.is_stopped) => Running::Stopped,
            None => by_pacemaker.unwrap_or(Running::Unknown),
        }
    }

    /// The nodes of the cluster that run it in this way.
    pub fn with(&self, running: Running) -> Vec<&NodeName> {
        let all = self.cib.nodes.keys();
        all.filter(|node| self.running(node) == running).collect()
    }

    /// The primary, if there is just one.
    pub fn primary(&self) -> Option<&NodeName> {
        match self.with(Running::Primary).as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// What the primary said, if it runs here.
    pub fn writer(&self) -> Option<&Writer> {
        self.local.as_ref()?.survey.as_ref()?.writer()
    }

    /// Whether a node is a standby of which nothing but its promotion score is known here: what
    /// standbys hold is known to themselves and to the primary.
    pub fn is_unseen(&self, node: &NodeName) -> bool {
        let is_standby = self.running(node) == Running::Standby;
        is_standby && self.here.as_ref() != Some(node) && self.writer().is_none()
    }

    /// The reign or claim that was elected last.
    pub fn last_reign(&self) -> Option<Reign> {
        last_reign(&self.known.all.reigns()).cloned()
    }
}
