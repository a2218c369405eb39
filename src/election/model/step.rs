//! From one state of the world to the next.

use std::collections::BTreeMap;

use super::event::{Cast, Change, Event};
use super::invariant::Violation;
use super::made::Made;
use super::scenario::{STRANGER, Scenario};
use super::world::{Id, Instance, Phase, Planned, Wal, World, bit, name};
use crate::ocf::NodeName;
use crate::record::reign::last_term;
use crate::record::{Confirmers, Evidence, ShutdownCheckpoint};
use crate::testing::node;

/// What a step leads to.
pub(super) type Outcome = Result<World, Violation>;

impl World {
    /// Does what an event says. The event must be possible.
    pub(super) fn after(&self, scenario: &Scenario, event: Event) -> Outcome {
        let mut next = self.clone();
        match event {
            Event::Start => {}
            Event::Write => next.write(),
            Event::Replicate(id) => next.nodes[id].wal = next.sent(),
            Event::Crash(id) => next.crash(id),
            Event::InstanceCrash(id) => next.start_instance(scenario, id),
            Event::Ban(id) => next.barred |= bit(id),
            Event::Clear(id) => next.barred &= !bit(id),
            Event::Return(id) => {
                next.expect(id);
                next.start_instance(scenario, id);
            }
            Event::Monitor { late } => {
                next.monitor(scenario, late);
                next.make_up();
            }
            Event::Change {
                how,
                received,
                copied,
            } => next.change(scenario, how, received, copied),
            Event::Notify { candidate, votes } => next.notify(candidate, votes),
            Event::Elect { keeps } => next.hold_election(scenario, keeps)?,
            Event::Open { keeps } => next.open(scenario, keeps),
            Event::OpenFromArchive => {
                next.replay_archive();
                next.open(scenario, None);
            }
            Event::Lose(loss) => next.lose(scenario, loss),
            Event::HalfOpen => next.die_half_open(scenario),
            Event::ByHand(id) => next.promote_by_hand(scenario, id),
            Event::Fail { opened } => next.fail_promotion(scenario, opened),
        }
        next.faults -= self.cost(event);
        next.acknowledge(scenario);
        if scenario.trouble.power_cut && next.cib != self.cib {
            next.before = Some(Made::new(self.cib.clone()));
        }
        Ok(next)
    }

    /// How many faults an event costs.
    pub(super) fn cost(&self, event: Event) -> u8 {
        match event {
            Event::Crash(_)
            | Event::InstanceCrash(_)
            | Event::Ban(_)
            | Event::Fail { .. }
            | Event::HalfOpen
            | Event::ByHand(_)
            | Event::OpenFromArchive => 1,
            Event::Lose(loss) => loss.cost(),
            Event::Monitor { late } => u8::from(late),
            Event::Elect { keeps } | Event::Open { keeps } => u8::from(keeps.is_some()),
            Event::Notify { votes, .. } => {
                let odd = votes.iter().filter(|cast| **cast != Cast::InTime).count();
                u8::try_from(odd).unwrap()
            }
            Event::Change { copied, .. } => {
                let others = self.members().filter(|id| Some(*id) != self.primary());
                let missed = others.filter(|id| copied & bit(*id) == 0).count();
                u8::try_from(missed).unwrap()
            }
            _ => 0,
        }
    }

    fn open(&mut self, scenario: &Scenario, keeps: Option<Id>) {
        let candidate = self.open_branch(scenario);
        self.planned = None;
        self.nodes[candidate].instance = Instance::Primary;
        self.withdraw_votes(keeps);
    }

    fn sent(&self) -> Wal {
        self.nodes[self.primary().unwrap()].wal
    }

    fn write(&mut self) {
        let primary = self.primary().unwrap();
        self.append(primary);
        self.writes -= 1;
    }

    /// The node writes a record.
    pub(super) fn append(&mut self, id: Id) {
        let wal = &mut self.nodes[id].wal;
        wal.lsn += 1;
        let branch = &mut self.branches[wal.branch];
        branch.end = branch.end.max(wal.lsn);
    }

    /// Whether the node was told of a candidate of which no claim is on record.
    fn has_open_candidacy(&self, id: Id) -> bool {
        let last = last_term(&self.published().reigns());
        let mut promised = self.nodes[id].ledger.promised().values();
        promised.any(|term| *term > last)
    }

    pub(super) fn crash(&mut self, id: Id) {
        let node = &mut self.nodes[id];
        node.up = false;
        node.instance = Instance::Stopped;
        node.vote = None;
        node.checkpoint = None;
        let mut ledger = Evidence::clone(&node.ledger);
        ledger.doubt_promises();
        node.ledger = Made::new(ledger);
        // What came of an election one cannot tell who was not there to see it.
        self.lost |= self.has_open_candidacy(id);
        if let Some(planned) = &mut self.planned {
            planned.witnesses &= !bit(id);
        }
        match self.phase {
            Phase::Notified { candidate, .. } | Phase::Claimed { candidate } if candidate == id => {
                self.phase = Phase::Idle;
            }
            _ => {}
        }
    }

    /// Starts the instance as a standby: also ends the node's claim.
    pub(super) fn start_instance(&mut self, scenario: &Scenario, id: Id) {
        let node = &mut self.nodes[id];
        node.up = true;
        node.instance = Instance::Standby;
        self.cib[id].gone = false;
        self.waits_for_all &= self.nodes.iter().any(|node| !node.up);
        if scenario.claims_are_ended {
            self.end_claim(id);
        }
    }

    fn change(&mut self, scenario: &Scenario, how: Change, received: u8, copied: u8) {
        let old = self.primary().unwrap();
        let start = self.nodes[old].wal;
        self.append(old);
        let end = self.nodes[old].wal;
        let own = self.new_checkpoint(old, start);
        let copy = copy_of(old, &own);
        for id in 0..self.nodes.len() {
            if received & bit(id) != 0 {
                self.nodes[id].wal = end;
            }
            if copied & bit(id) != 0 {
                self.remember(id, &copy);
            }
        }
        self.remember(old, &own);
        self.planned = Some(Planned {
            end,
            witnesses: copied | bit(old),
            noted: copied | bit(old),
        });
        self.moves -= 1;
        match how {
            Change::Move => self.start_instance(scenario, old),
            Change::Stop => self.nodes[old].instance = Instance::Stopped,
            Change::Leave => self.crash(old),
        }
    }

    /// The node keeps a shutdown checkpoint, its own or a copy: in its ledger, and as an
    /// attribute.
    pub(super) fn remember(&mut self, id: Id, checkpoint: &ShutdownCheckpoint) {
        let mut known = Evidence::clone(&self.known(id));
        known.add_checkpoint(checkpoint.clone());
        self.keep(id, &known);
        self.nodes[id].checkpoint = Some(Made::new(checkpoint.clone()));
    }

    /// Clients get their acknowledgements as soon as the rule allows.
    pub(super) fn acknowledge(&mut self, scenario: &Scenario) {
        let Some(primary) = self.primary() else {
            return;
        };
        let Some(rule) = scenario.rule_of(primary, self.rule_changed) else {
            return;
        };
        let any = (0..self.nodes.len())
            .map(|id| name(id).to_owned())
            .collect();
        let listed = Confirmers::of(&rule, &node(name(primary)), &any).names;
        let branch = self.nodes[primary].wal.branch;
        let followers = self.followers().into_iter();
        let mut confirmed: Vec<u8> = followers
            .filter(|id| listed.contains(name(*id)) && self.nodes[*id].wal.branch == branch)
            .map(|id| self.nodes[id].wal.lsn)
            .collect();
        if scenario.foreign_confirmer && self.knows_of_stranger(primary) {
            confirmed.push(self.nodes[primary].wal.lsn);
        }
        confirmed.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(lsn) = confirmed.get(rule.count - 1) {
            self.remember_acked(Wal { branch, lsn: *lsn });
        }
    }

    /// A receiver that the primary's monitor has not seen yet confirms nothing here: what it
    /// does within a monitor's interval is not guarded.
    fn knows_of_stranger(&self, primary: Id) -> bool {
        let entry = &self.cib[primary];
        let reign = entry.reign.as_ref().filter(|_| entry.claim.is_none());
        let names = reign.and_then(|reign| reign.particulars.confirm.as_ref());
        names.is_some_and(|names| names.contains(STRANGER))
    }

    fn remember_acked(&mut self, commit: Wal) {
        if self.acked.iter().any(|known| self.contains(*known, commit)) {
            return;
        }
        let older: Vec<Wal> = self.acked.drain(..).collect();
        let kept = older
            .into_iter()
            .filter(|known| !self.contains(commit, *known));
        self.acked = kept.collect();
        self.acked.push(commit);
    }
}

/// What the others copy in post-demote.
fn copy_of(demoted: Id, own: &ShutdownCheckpoint) -> ShutdownCheckpoint {
    let published = BTreeMap::from([(node(name(demoted)), own.encode())]);
    let is_demoted = |node: &NodeName| node.as_str() == name(demoted);
    let copy = ShutdownCheckpoint::to_copy(published.iter(), is_demoted).unwrap();
    ShutdownCheckpoint::decode(copy).unwrap()
}
