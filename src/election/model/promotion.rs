//! The change of primary, phase by phase.

use std::collections::BTreeMap;

use super::event::Cast;
use super::invariant::{Violation, broken_by};
use super::observe::published;
use super::scenario::Scenario;
use super::world::{Branch, Id, Instance, Phase, Wal, World, bit, name};
use crate::election::{Verdict, elect, taken_timelines};
use crate::record::Reign;
use crate::record::reign::next_term;
use crate::testing::node;

impl World {
    pub(super) fn notify(&mut self, candidate: Id, votes: [Cast; 3]) {
        let voters: Vec<Id> = self.running(Instance::Standby).collect();
        let mut late = 0;
        for id in &voters {
            match votes[*id] {
                Cast::InTime => self.nodes[*id].vote = Some(self.new_vote(*id)),
                Cast::Late => {
                    late |= bit(*id);
                    self.nodes[*id].vote = Some(self.new_vote(*id));
                }
                Cast::Lost => self.nodes[*id].vote = None,
                Cast::Failed => {}
            }
        }
        let voters = voters.into_iter().map(bit).sum();
        self.phase = Phase::Notified {
            candidate,
            voters,
            late,
        };
    }

    /// What the candidate decides, after its bounded wait if need be.
    pub(super) fn verdict(&self, scenario: &Scenario) -> Verdict {
        match elect(&self.ballot(scenario, false)) {
            Verdict::Wait { .. } => elect(&self.ballot(scenario, true)),
            decided => decided,
        }
    }

    pub(super) fn hold_election(
        &mut self,
        scenario: &Scenario,
        keeps: Option<Id>,
    ) -> Result<(), Violation> {
        let Phase::Notified { candidate, .. } = self.phase else {
            panic!("no election is held");
        };
        let verdict = self.verdict(scenario);
        let promotes = matches!(verdict, Verdict::Promote { .. });
        if promotes {
            if let Some(violation) = broken_by(self, scenario, candidate) {
                return Err(violation);
            }
        }
        self.set_scores(scenario, &verdict);
        if promotes {
            self.claim(scenario, candidate);
        } else {
            self.end_failed(scenario, candidate, keeps);
        }
        Ok(())
    }

    fn set_scores(&mut self, scenario: &Scenario, verdict: &Verdict) {
        let scores = verdict.scores(&self.ballot(scenario, true), scenario.maxlag);
        let scores: BTreeMap<_, _> = scores.into_iter().collect();
        for (id, seen) in self.nodes.iter_mut().enumerate() {
            seen.score = scores.get(&node(name(id))).copied().or(seen.score);
        }
    }

    fn claim(&mut self, scenario: &Scenario, candidate: Id) {
        self.phase = Phase::Claimed { candidate };
        if !scenario.claims {
            return;
        }
        let rule = scenario.rule_of(candidate);
        let position = self.held_by(candidate);
        let term = next_term(&self.reigns());
        let claim = Reign::claim(node(name(candidate)), position, rule, term);
        self.nodes[candidate].claim = Some(published(candidate, &claim));
    }

    /// PostgreSQL leaves recovery: the next free number, one record.
    pub(super) fn open_branch(&mut self, scenario: &Scenario) -> Id {
        let Phase::Claimed { candidate } = self.phase else {
            panic!("nobody has won");
        };
        let left = self.nodes[candidate].wal;
        let parent = self.branches[left.branch];
        if self
            .planned
            .is_some_and(|planned| self.contains(left, planned.end))
        {
            self.planned = None;
        }
        self.elected = self.branches.len();
        self.branches.push(Branch {
            left: Some(left),
            number: self.next_number(scenario, candidate),
            end: left.lsn,
            system: parent.system,
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
            let mut known = self.reigns();
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
            let start = self.nodes[candidate].wal;
            self.append(candidate);
            self.nodes[candidate].checkpoint = Some(self.new_checkpoint(candidate, start));
        }
        self.end_failed(scenario, candidate, None);
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
