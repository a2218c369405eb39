//! The change of primary, phase by phase.

use super::cache::Election;
use super::event::Cast;
use super::invariant::{Violation, broken_by};
use super::observe::{published, timeline};
use super::scenario::Scenario;
use super::world::{Branch, Id, Instance, Phase, Wal, World, bit, name};
use crate::election::{Verdict, taken_timelines};

impl World {
    pub(super) fn notify(&mut self, candidate: Id, votes: [Cast; 3]) {
        let voters: Vec<Id> = self.running(Instance::Standby).collect();
        let (mut late, mut unreadable) = (0, 0);
        for id in &voters {
            match votes[*id] {
                Cast::InTime => self.cast_vote(*id, candidate),
                Cast::Late => {
                    late |= bit(*id);
                    self.cast_vote(*id, candidate);
                }
                Cast::Lost => {
                    self.cast_vote(*id, candidate);
                    self.nodes[*id].vote = None;
                }
                Cast::Failed => {}
                Cast::Unreadable => {
                    unreadable |= bit(*id);
                    self.cast_vote(*id, candidate);
                }
            }
        }
        let voters = voters.into_iter().map(bit).sum();
        self.phase = Phase::Notified {
            candidate,
            voters,
            late,
            unreadable,
        };
    }

    pub(super) fn hold_election(
        &mut self,
        scenario: &Scenario,
        keeps: Option<Id>,
    ) -> Result<(), Violation> {
        let Phase::Notified { candidate, .. } = self.phase else {
            panic!("no election is held");
        };
        let election = self.election(scenario);
        let promotes = matches!(election.verdict, Verdict::Promote { .. });
        if promotes {
            if let Some(violation) = broken_by(self, scenario, candidate) {
                return Err(violation);
            }
        }
        // The winner's claim goes before its scores.
        if promotes {
            self.claim(scenario, candidate, &election);
        } else {
            self.end_failed(scenario, candidate, keeps);
        }
        for (id, score) in &election.scores {
            self.cib[*id].score = Some(*score);
        }
        Ok(())
    }

    fn claim(&mut self, scenario: &Scenario, candidate: Id, election: &Election) {
        self.phase = Phase::Claimed { candidate };
        if !scenario.claims {
            return;
        }
        let mut claim = election.claim.clone();
        // The first version does not reserve, and does not say what it opens.
        let opens = self.next_number(scenario, candidate);
        claim.particulars.opens = scenario.reserves.then(|| timeline(opens));
        let mut known = election.known.clone();
        known.add(claim.clone());
        self.keep(candidate, &known);
        self.cib[candidate].claim = Some(published(candidate, &claim));
    }

    /// A promotion replays all that the archive has of the candidate's timeline.
    pub(super) fn replay_archive(&mut self) {
        let Phase::Claimed { candidate } = self.phase else {
            panic!("nobody has won");
        };
        let wal = self.nodes[candidate].wal;
        self.nodes[candidate].wal.lsn = self.branches[wal.branch].end;
    }

    /// PostgreSQL leaves recovery: the next free number, one record.
    pub(super) fn open_branch(&mut self, scenario: &Scenario) -> Id {
        let Phase::Claimed { candidate } = self.phase else {
            panic!("nobody has won");
        };
        let left = self.nodes[candidate].wal;
        let system = self.branches[left.branch].system;
        if self
            .planned
            .is_some_and(|planned| self.contains(left, planned.end))
        {
            self.planned = None;
        }
        self.elected = self.branches.len();
        let number = self.next_number(scenario, candidate);
        self.branches.push(Branch {
            left: Some(left),
            number,
            end: left.lsn,
            system,
            history: self.history_from(left, number),
        });
        self.nodes[candidate].wal = Wal {
            branch: self.elected,
            lsn: left.lsn,
        };
        self.append(candidate);
        self.phase = Phase::Idle;
        candidate
    }

    /// PostgreSQL takes the first number whose history it does not have.
    fn next_number(&self, scenario: &Scenario, candidate: Id) -> u32 {
        let own = self.held_by(candidate).timeline;
        let mut reserved = Vec::new();
        if scenario.reserves && scenario.claims {
            let mut known = self.known(candidate).reigns();
            // `promote` reads the record before it writes its own claim.
            known.retain(|reign| reign.is_opened() || reign.primary.as_str() != name(candidate));
            reserved = taken_timelines(own, &known).unwrap();
        }
        let newest = reserved.last().copied().unwrap_or(own);
        newest.next().unwrap().as_u32()
    }

    /// pg_promote failed. The node is demoted (cleanly, if it was open after
    /// all) and restarted.
    pub(super) fn fail_promotion(&mut self, scenario: &Scenario, opened: bool) {
        let Phase::Claimed { candidate } = self.phase else {
            panic!("nobody has won");
        };
        if opened {
            self.open_branch(scenario);
            // It was opened by an election that did not know of the planned end.
            self.planned = None;
            let start = self.nodes[candidate].wal;
            self.append(candidate);
            let checkpoint = self.new_checkpoint(candidate, start);
            self.remember(candidate, &checkpoint);
        }
        self.end_failed(scenario, candidate, None);
    }

    /// The promotion dies once PostgreSQL has begun the new timeline: nothing is written on it
    /// yet, and the node is started as a standby.
    pub(super) fn die_half_open(&mut self, scenario: &Scenario) {
        let Phase::Claimed { candidate } = self.phase else {
            panic!("nobody has won");
        };
        let left = self.nodes[candidate].wal.lsn;
        self.open_branch(scenario);
        self.nodes[candidate].wal.lsn = left;
        self.branches[self.elected].end = left;
        self.planned = None;
        self.end_failed(scenario, candidate, None);
    }

    /// Somebody promotes a node past the cluster, has all others follow it, and starts all of
    /// them as standbys again.
    pub(super) fn promote_by_hand(&mut self, scenario: &Scenario, id: Id) {
        self.phase = Phase::Claimed { candidate: id };
        let before = self.primary();
        self.open_branch(scenario);
        self.planned = None;
        let held = self.nodes[id].wal;
        for other in 0..self.nodes.len() {
            self.nodes[other].wal = held;
        }
        for other in before.into_iter().chain([id]) {
            self.start_instance(scenario, other);
        }
    }

    fn end_failed(&mut self, scenario: &Scenario, candidate: Id, keeps: Option<Id>) {
        self.withdraw_votes(keeps);
        self.start_instance(scenario, candidate);
        self.phase = Phase::Idle;
    }

    /// post-promote.
    pub(super) fn withdraw_votes(&mut self, keeps: Option<Id>) {
        let nodes = self.nodes.iter_mut().enumerate();
        nodes
            .filter(|(id, _)| Some(*id) != keeps)
            .for_each(|(_, node)| node.vote = None);
    }
}
