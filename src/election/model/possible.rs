//! Which events are possible, in the orders that Pacemaker really makes.
//!
//! Any running standby may be the candidate: constraints and scores can name
//! any of them. Nodes that are gone are fenced before anything else happens, so
//! there is never a second primary. What a transition's phases leave open - who
//! crashes between them, whose notify fails - is tried in all ways.

use super::event::{Cast, Change, Event};
use super::scenario::Scenario;
use super::world::{Id, Instance, Phase, World, bit};

impl World {
    /// All that can happen now.
    pub(super) fn possible(&self, scenario: &Scenario) -> Vec<Event> {
        let mut events = match self.phase {
            Phase::Idle if self.primary().is_some() => self.under_primary(scenario),
            Phase::Idle => self.candidacies(scenario),
            Phase::Notified { .. } => self.with_keeps(scenario, |keeps| Event::Elect { keeps }),
            Phase::Claimed { .. } => self.promotions(scenario),
        };
        if scenario.trouble.crash {
            events.extend(self.members().map(Event::Crash));
        }
        if scenario.trouble.ban && !matches!(self.phase, Phase::Claimed { .. }) {
            events.extend((0..self.nodes.len()).map(|id| self.constraint(id)));
        }
        events.extend(self.losses(scenario).into_iter().map(Event::Lose));
        if self.phase == Phase::Idle {
            let nodes = self.nodes.iter().enumerate();
            let stopped =
                nodes.filter(|(_, node)| node.instance == Instance::Stopped && !node.empty);
            events.extend(stopped.map(|(id, _)| Event::Return(id)));
        }
        events.retain(|event| self.cost(*event) <= self.faults);
        events
    }

    fn under_primary(&self, scenario: &Scenario) -> Vec<Event> {
        let primary = self.primary().unwrap();
        let sent = self.nodes[primary].wal;
        let followers = self.followers();
        let behind = followers.iter().filter(|id| self.nodes[**id].wal != sent);
        let mut events: Vec<Event> = behind.copied().map(Event::Replicate).collect();
        events.push(Event::Monitor { late: false });
        if scenario.trouble.long_absence {
            events.push(Event::Monitor { late: true });
        }
        if self.writes > 0 {
            events.push(Event::Write);
        }
        if scenario.trouble.instance_crash {
            events.push(Event::InstanceCrash(primary));
        }
        if scenario.trouble.by_hand && self.branches.len() < scenario.branches {
            let equal = |id: &Id| self.nodes[*id].wal == sent;
            let all = followers.len() + 1 == self.nodes.len() && followers.iter().all(equal);
            events.extend(followers.iter().copied().filter(|_| all).map(Event::ByHand));
        }
        if self.moves > 0 && self.branches.len() < scenario.branches {
            events.extend(self.changes(scenario, primary, &followers));
        }
        events
    }

    /// An admin forbids a node, or allows it again.
    fn constraint(&self, id: Id) -> Event {
        if self.is_barred(id) {
            Event::Clear(id)
        } else {
            Event::Ban(id)
        }
    }

    /// Planned changes: each standby that can stream gets the end or not.
    fn changes(&self, scenario: &Scenario, primary: Id, followers: &[Id]) -> Vec<Event> {
        let others = self.running(Instance::Standby).map(bit).sum();
        let mut copies = vec![others];
        if scenario.trouble.lost_copy {
            copies.extend(self.running(Instance::Standby).map(|id| others & !bit(id)));
        }
        let mut events = Vec::new();
        for received in subsets(followers) {
            for copied in &copies {
                for how in [Change::Move, Change::Stop, Change::Leave] {
                    events.push(Event::Change {
                        how,
                        received,
                        copied: *copied,
                    });
                }
            }
        }
        debug_assert!(self.nodes[primary].up);
        events
    }

    /// Pacemaker may choose any running standby that no constraint forbids, if it acts at
    /// all.
    fn candidacies(&self, scenario: &Scenario) -> Vec<Event> {
        if self.members().count() < scenario.quorum || self.branches.len() >= scenario.branches {
            return Vec::new();
        }
        if self.waits_for_all || self.last_term() >= scenario.terms {
            return Vec::new();
        }
        let standbys: Vec<Id> = self.running(Instance::Standby).collect();
        let mut events = Vec::new();
        let may_be = |id: &&Id| !self.nodes[**id].old && !self.is_barred(**id);
        for candidate in standbys.iter().filter(may_be) {
            for votes in self.votes(scenario, &standbys) {
                events.push(Event::Notify {
                    candidate: *candidate,
                    votes,
                });
            }
        }
        events
    }

    /// All vote, or one or two of them do not.
    fn votes(&self, scenario: &Scenario, standbys: &[Id]) -> Vec<[Cast; 3]> {
        let trouble = scenario.trouble;
        let odd = [
            (trouble.lost_vote, Cast::Lost),
            (trouble.late_vote, Cast::Late),
            (trouble.failed_notify, Cast::Failed),
            (trouble.unreadable, Cast::Unreadable),
        ];
        let mut all = vec![[Cast::InTime; 3]];
        for id in standbys {
            for votes in all.clone() {
                for (_, cast) in odd.iter().filter(|(allowed, _)| *allowed) {
                    // Without an old vote a failed notify is a lost vote.
                    if *cast == Cast::Failed && self.nodes[*id].vote.is_none() {
                        continue;
                    }
                    let mut votes = votes;
                    votes[*id] = *cast;
                    all.push(votes);
                }
            }
        }
        all
    }

    fn promotions(&self, scenario: &Scenario) -> Vec<Event> {
        let mut events = self.with_keeps(scenario, |keeps| Event::Open { keeps });
        if scenario.trouble.archive {
            events.push(Event::OpenFromArchive);
        }
        if scenario.trouble.half_open {
            events.push(Event::HalfOpen);
        }
        if scenario.trouble.failed_promote {
            events.push(Event::Fail { opened: false });
            events.push(Event::Fail { opened: true });
        }
        events
    }

    /// post-promote cleans all votes, or fails on one node.
    fn with_keeps(&self, scenario: &Scenario, event: impl Fn(Option<Id>) -> Event) -> Vec<Event> {
        let mut events = vec![event(None)];
        if scenario.trouble.failed_cleaning {
            let voted = self.members().filter(|id| self.nodes[*id].vote.is_some());
            events.extend(voted.map(|id| event(Some(id))));
        }
        events
    }
}

/// All subsets of some nodes, as sets of bits.
fn subsets(nodes: &[Id]) -> Vec<u8> {
    let mut subsets = vec![0];
    for id in nodes {
        let with: Vec<u8> = subsets.iter().map(|subset| subset | bit(*id)).collect();
        subsets.extend(with);
    }
    subsets
}
