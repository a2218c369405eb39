//! What the agents see of the world, in the real types. Whatever is published
//! goes through its real encoding.

use std::hash::Hash;
use std::sync::Arc;

use super::cache::{self, Election};
use super::made::{Made, fingerprint};
use super::scenario::Scenario;
use super::world::{Id, Instance, Node, Phase, Wal, World, bit, data_id, name};
use crate::election::{Ballot, Bar, Unreadable, Verdict, elect};
use crate::ocf::NodeName;
use crate::record::{Evidence, Reign, ShutdownCheckpoint, Vote};
use crate::testing::node;
use crate::wal::{History, Lsn, Place, Position, Switch, SystemId, Timeline};

/// A record of the model is this long, so that LSNs in traces look like LSNs.
pub(super) const RECORD: u64 = 0x100;

impl World {
    /// What a node's control file and history file say about its WAL.
    pub(super) fn position(&self, wal: Wal) -> Position {
        let branch = &self.branches[wal.branch];
        Position {
            system: Some(self.system(wal)),
            timeline: timeline(branch.number),
            lsn: lsn(wal.lsn),
            history: History::clone(&branch.history),
        }
    }

    /// The history of a branch of this number that begins here.
    pub(super) fn history_from(&self, left: Wal, number: u32) -> Made<History> {
        let parent = &self.branches[left.branch];
        let mut switches = parent.history.switches().to_vec();
        switches.push(Switch {
            timeline: timeline(parent.number),
            at: lsn(left.lsn),
        });
        Made::new(History::from_switches(switches, timeline(number), true).unwrap())
    }

    fn system(&self, wal: Wal) -> SystemId {
        SystemId::from(self.branches[wal.branch].system)
    }

    /// What a node holds, in the real type.
    pub(super) fn held_by(&self, id: Id) -> Position {
        self.position(self.nodes[id].wal)
    }

    /// The vote that a node publishes now, if this node is the candidate. It notes that in
    /// its ledger first.
    pub(super) fn cast_vote(&mut self, id: Id, candidate: Id) {
        let known = self.known(id);
        if self.nodes[id].old {
            let vote = Vote::cast(self.held_by(id), Evidence::clone(&known), None);
            let seen = Evidence::default();
            self.nodes[id].vote = Some(Made::new(Vote { seen, ..vote }));
            return;
        }
        let torn = self.nodes[id].torn;
        let key = fingerprint(&(id, candidate, self.told_of(id), torn, &known));
        let (ledger, vote) = cache::vote(key, || self.promise(id, candidate, &known));
        if !torn {
            self.nodes[id].ledger = ledger;
        }
        self.nodes[id].vote = Some(vote);
    }

    /// What the node writes to its ledger, and its vote.
    fn promise(&self, id: Id, candidate: Id, known: &Evidence) -> (Made<Evidence>, Made<Vote>) {
        let mut known = known.clone();
        known.promise(&node(name(candidate)), known.last_term().saturating_add(1));
        let mut writing = self.clone();
        writing.keep(id, &known);
        let data = data_id(id, self.nodes[id].data);
        let vote = Vote {
            ledger_is_unreadable: self.nodes[id].torn,
            fresh: self.nodes[id].fresh,
            ..Vote::cast(self.held_by(id), known, Some(data))
        };
        let vote = Vote::decode(&vote.encode()).unwrap();
        (writing.nodes[id].ledger.clone(), Made::new(vote))
    }

    /// What others are told of a node's data.
    fn told_of(&self, id: Id) -> impl Hash {
        let Node {
            wal, data, fresh, ..
        } = &self.nodes[id];
        let branch = &self.branches[wal.branch];
        let history = branch.history.clone();
        (
            branch.number,
            branch.system,
            history,
            wal.lsn,
            *data,
            *fresh,
        )
    }

    /// What a node publishes when its shutdown checkpoint starts at `start`.
    pub(super) fn new_checkpoint(&self, id: Id, start: Wal) -> ShutdownCheckpoint {
        let (node, system) = (node(name(id)), self.system(start));
        let start = Place::from(&self.position(start));
        let reigns = self.known(id).reigns();
        let checkpoint = ShutdownCheckpoint::of(node, system, start, Some(&reigns));
        ShutdownCheckpoint::decode(&checkpoint.encode()).unwrap()
    }

    /// What the candidate decides, after its bounded wait if need be.
    pub(super) fn election(&self, scenario: &Scenario) -> Arc<Election> {
        let Phase::Notified { candidate, .. } = self.phase else {
            panic!("no election is held");
        };
        let torn = self.nodes[candidate].torn;
        let own = (&self.nodes[candidate].ledger, torn, self.told_of(candidate));
        let public = self.nodes.iter().map(|node| (&node.vote, &node.checkpoint));
        let public: Vec<_> = public.collect();
        let changed = self.rule_changed;
        let key = fingerprint(&(self.phase, own, public, &self.cib, self.barred, changed));
        cache::election(key, || {
            let (mut ballot, mut known) = self.ballot(scenario, false);
            let mut verdict = elect(&ballot);
            if matches!(verdict, Verdict::Wait { .. }) {
                (ballot, known) = self.ballot(scenario, true);
                verdict = elect(&ballot);
            }
            let scores = verdict.scores(&ballot, scenario.maxlag);
            let scores = scores.into_iter();
            Election {
                scores: scores.map(|(node, score)| (id_of(&node), score)).collect(),
                claim: self.claim_for(scenario, candidate, &ballot),
                verdict,
                known,
            }
        })
    }

    fn claim_for(&self, scenario: &Scenario, candidate: Id, ballot: &Ballot) -> Reign {
        let rule = scenario.rule_of(candidate, self.rule_changed);
        let mut claim = ballot.claim(self.held_by(candidate), rule);
        claim.particulars.data = Some(data_id(candidate, self.nodes[candidate].data));
        claim
    }

    /// The ballot when the wait is over.
    pub(super) fn final_ballot(&self, scenario: &Scenario) -> Ballot {
        self.ballot(scenario, true).0
    }

    /// The facts of an election as the candidate sees them, and what it knows by then, as
    /// `steps::ballot` gathers them. Late votes have not arrived unless the wait is over.
    fn ballot(&self, scenario: &Scenario, wait_over: bool) -> (Ballot, Evidence) {
        let Phase::Notified {
            candidate,
            voters,
            late,
            unreadable,
        } = self.phase
        else {
            panic!("no election is held");
        };
        let missing = if wait_over { 0 } else { late };
        let mut ballot = Ballot::new(node(name(candidate)));
        ballot.wait_is_over = wait_over;
        ballot.sync_guard = scenario.guard;
        ballot.max_loss = scenario.max_loss;
        let mut known = Evidence::clone(&self.known(candidate));
        for (id, seen) in self.nodes.iter().enumerate() {
            let name = node(name(id));
            if self.is_barred(id) {
                ballot.barred.insert(name.clone(), Bar::default());
            }
            known_checkpoint(&mut known, seen.checkpoint.as_ref());
            let odd = missing | unreadable;
            if let Some(vote) = seen.vote.as_ref().filter(|_| odd & bit(id) == 0) {
                ballot.votes.insert(name.clone(), Vote::clone(vote));
            }
            if voters & bit(id) != 0 {
                ballot.voters.insert(name.clone());
            }
            let score = self.cib[id].score;
            ballot
                .scores
                .extend(score.map(|score| (name.clone(), score)));
            let told = ballot.votes.get(&name);
            let torn = told.is_some_and(|vote| vote.ledger_is_unreadable);
            let unreadable = [
                (self.cib[id].unreadable, "reign"),
                (
                    torn && voters & bit(id) != 0 || seen.torn && id == candidate,
                    "ledger",
                ),
                (unreadable & bit(id) != 0, "vote"),
            ];
            let unreadable = unreadable.into_iter().filter(|(is_so, _)| *is_so);
            ballot
                .unreadable
                .extend(unreadable.map(|(_, what)| Unreadable {
                    node: name.clone(),
                    what,
                }));
            if !self.cib[id].gone {
                ballot.known_nodes.insert(name);
            }
        }
        let votes = ballot.votes.iter();
        let seen = votes.filter(|(node, _)| ballot.voters.contains(*node));
        seen.for_each(|(_, vote)| known.merge(vote.seen.clone()));
        let data = data_id(candidate, self.nodes[candidate].data);
        let own = Vote {
            fresh: self.nodes[candidate].fresh,
            ..Vote::cast(self.held_by(candidate), known.clone(), Some(data))
        };
        ballot.votes.insert(node(name(candidate)), own);
        ballot.count_evidence(&self.published(), &known);
        (ballot, known)
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

fn known_checkpoint(known: &mut Evidence, checkpoint: Option<&Made<ShutdownCheckpoint>>) {
    if let Some(checkpoint) = checkpoint {
        known.add_checkpoint(ShutdownCheckpoint::clone(checkpoint));
    }
}

/// The place of a node of this name.
pub(super) fn id_of(node: &NodeName) -> Id {
    (0..3).find(|id| node.as_str() == name(*id)).unwrap()
}

/// The reign that a node publishes, through its real encoding.
pub(super) fn published(id: Id, reign: &Reign) -> Made<Reign> {
    cache::reign(fingerprint(&(id, reign)), || {
        Reign::decode(node(name(id)), &reign.encode()).unwrap()
    })
}

pub(super) fn timeline(number: u32) -> Timeline {
    Timeline::new(number).unwrap()
}

fn lsn(records: u8) -> Lsn {
    Lsn::from(u64::from(records) * RECORD)
}
