//! What the agents see of the world, in the real types. Whatever is published
//! goes through its real encoding.

use std::rc::Rc;

use super::scenario::Scenario;
use super::world::{Id, Instance, Node, Phase, Wal, World, bit, name};
use crate::election::{Ballot, Bar};
use crate::record::{Evidence, Reign, ShutdownCheckpoint, Vote};
use crate::testing::node;
use crate::wal::{History, Lsn, Place, Position, Switch, SystemId, Timeline};

/// A record of the model is this long, so that LSNs in traces look like LSNs.
pub(super) const RECORD: u64 = 0x100;

impl World {
    /// What a node's control file and history file say about its WAL.
    pub(super) fn position(&self, wal: Wal) -> Position {
        let branch = self.branches[wal.branch];
        let mut switches = Vec::new();
        let mut left = branch.left;
        while let Some(fork) = left {
            let parent = self.branches[fork.branch];
            switches.push(Switch {
                timeline: timeline(parent.number),
                at: lsn(fork.lsn),
            });
            left = parent.left;
        }
        switches.reverse();
        Position {
            system: Some(self.system(wal)),
            timeline: timeline(branch.number),
            lsn: lsn(wal.lsn),
            history: History::from_switches(switches, timeline(branch.number), true).unwrap(),
        }
    }

    fn system(&self, wal: Wal) -> SystemId {
        SystemId::from(self.branches[wal.branch].system)
    }

    /// What a node holds, in the real type.
    pub(super) fn held_by(&self, id: Id) -> Position {
        self.position(self.nodes[id].wal)
    }

    /// All reigns, of absent nodes too.
    pub(super) fn reigns(&self) -> Vec<Reign> {
        let published = |node: &Node| [node.claim.clone(), node.reign.clone()];
        let reigns = self.nodes.iter().flat_map(published);
        reigns.flatten().map(|reign| Reign::clone(&reign)).collect()
    }

    /// The vote that a node publishes now.
    pub(super) fn new_vote(&self, id: Id) -> Rc<Vote> {
        let seen = Evidence::of(self.reigns());
        let vote = Vote::cast(self.held_by(id), seen, None);
        Rc::new(Vote::decode(&vote.encode()).unwrap())
    }

    /// What a node publishes when its shutdown checkpoint starts at `start`.
    pub(super) fn new_checkpoint(&self, id: Id, start: Wal) -> Rc<ShutdownCheckpoint> {
        let (node, system) = (node(name(id)), self.system(start));
        let start = Place::from(&self.position(start));
        let checkpoint = ShutdownCheckpoint::of(node, system, start, Some(&self.reigns()));
        Rc::new(ShutdownCheckpoint::decode(&checkpoint.encode()).unwrap())
    }

    /// The facts of an election as the candidate sees them. Late votes have not
    /// arrived unless the wait is over.
    pub(super) fn ballot(&self, scenario: &Scenario, wait_over: bool) -> Ballot {
        let Phase::Notified {
            candidate,
            voters,
            late,
        } = self.phase
        else {
            panic!("no election is held");
        };
        let missing = if wait_over { 0 } else { late };
        let mut ballot = Ballot::new(node(name(candidate)));
        ballot.wait_is_over = wait_over;
        ballot.sync_guard = scenario.guard;
        ballot.max_loss = scenario.max_loss;
        ballot.reigns = self.reigns();
        for (id, seen) in self.nodes.iter().enumerate() {
            let name = node(name(id));
            if self.is_barred(id) {
                ballot.barred.insert(name.clone(), Bar::default());
            }
            if voters & bit(id) != 0 {
                ballot.voters.insert(name.clone());
            }
            if let Some(vote) = seen.vote.as_deref().filter(|_| missing & bit(id) == 0) {
                ballot.votes.insert(name.clone(), vote.clone());
            }
            ballot
                .scores
                .extend(seen.score.map(|score| (name.clone(), score)));
            ballot
                .shutdown_checkpoints
                .extend(seen.checkpoint.as_deref().cloned());
            ballot.known_nodes.insert(name);
        }
        ballot
    }

    /// Each node in a few characters: `n1 primary 2@0/300`.
    pub(super) fn sketch(&self) -> String {
        let nodes = self.nodes.iter().enumerate().map(|(id, node)| {
            let state = match (node.up, node.instance) {
                (false, _) => "off",
                (true, Instance::Stopped) => "stopped",
                (true, Instance::Standby) => "standby",
                (true, Instance::Primary) => "PRIMARY",
            };
            let held = self.held_by(id);
            let left = held.history.switches().last();
            let left = left.map(|left| format!("<{}@{}", left.timeline, left.at));
            let (timeline, left) = (held.timeline, left.unwrap_or_default());
            format!("{} {state} {timeline}@{}{left}", name(id), held.lsn)
        });
        nodes.collect::<Vec<_>>().join("   ")
    }
}

/// The reign that a node publishes, through its real encoding.
pub(super) fn published(id: Id, reign: &Reign) -> Rc<Reign> {
    Rc::new(Reign::decode(node(name(id)), &reign.encode()).unwrap())
}

fn timeline(number: u32) -> Timeline {
    Timeline::new(number).unwrap()
}

fn lsn(records: u8) -> Lsn {
    Lsn::from(u64::from(records) * RECORD)
}
