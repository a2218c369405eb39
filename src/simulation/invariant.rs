//! Looks whether a server has opened or closed, and whether a promise is broken at the moment
//! in which one opens.

use super::fleet::NAMES;
use super::schedule::Id;
use super::state::Simulation;
use super::truth::Violation;
use crate::instance::{ClusterState, Role};
use crate::ocf::NodeName;
use crate::postgres::fake_instance::Processes;
use crate::postgres::fake_trail::Trail;
use crate::wal::Lsn;

impl Simulation {
    /// A node's agent has voted.
    pub fn note_vote(&self, id: Id) {
        let instance = self.fleet.instance(NAMES[id]);
        let held = (instance.data.trail.clone(), instance.data.end);
        self.truth.borrow_mut().votes[id] = Some(held);
    }

    fn is_primary(&self, id: Id) -> bool {
        self.fleet.processes(NAMES[id]) == Processes::Alive(Role::Primary)
    }

    /// Looks whether a server has opened or closed.
    pub fn observe(&self) {
        for (id, name) in NAMES.iter().enumerate().take(self.setting.nodes) {
            let (before, now) = (self.truth.borrow().roles[id], self.is_primary(id));
            if before && now {
                let end = self.fleet.instance(name).data.end;
                self.truth.borrow_mut().written = end;
            }
            self.note_half_open(name);
            if before == now {
                continue;
            }
            self.truth.borrow_mut().roles[id] = now;
            if now {
                self.opened(id);
            } else {
                self.closed(id);
            }
        }
    }

    /// A promotion died that had written the history of its timeline: whoever holds more of the
    /// branch before has left.
    fn note_half_open(&self, name: &str) {
        let mut instance = self.fleet.instance(name);
        if !std::mem::take(&mut instance.data.is_half_open) {
            return;
        }
        let (mut trail, end) = (instance.data.trail.clone(), instance.data.end);
        trail.fork(end);
        let mut truth = self.truth.borrow_mut();
        (truth.elected, truth.written, truth.stopped) = (trail, end, None);
    }

    fn closed(&self, id: Id) {
        let is_clean = {
            let instance = self.fleet.instance(NAMES[id]);
            let data = &instance.data;
            let is_clean = data.control.state == ClusterState::ShutDown;
            let mut truth = self.truth.borrow_mut();
            if is_clean {
                truth.stopped = Some((data.control.checkpoint, data.trail.clone(), data.end));
                truth.written = data.end;
            }
            truth.commits.clear();
            is_clean
        };
        if is_clean {
            self.send_rest(id);
        }
    }

    fn opened(&self, id: Id) {
        self.say(|| format!("        -- {} has opened", NAMES[id]));
        self.is_new.set(true);
        let broken = self.broken_by(id);
        let mut instance = self.fleet.instance(NAMES[id]);
        let mut truth = self.truth.borrow_mut();
        if let Some(violation) = broken {
            truth.broken(violation);
        }
        truth.elected = instance.data.trail.clone();
        (truth.opener, truth.claim) = (Some(id), self.claim_of(NAMES[id]));
        // PostgreSQL writes a record at the end of recovery.
        instance.data.end = Lsn::from(instance.data.end.as_u64() + 50);
        truth.written = instance.data.end;
        truth.stopped = None;
        truth.commits.clear();
    }

    fn broken_by(&self, winner: Id) -> Option<Violation> {
        let mut others = (0..self.setting.nodes).filter(|id| *id != winner);
        if let Some(other) = others.find(|id| self.is_primary(*id)) {
            return Some(Violation::TwoPrimaries { one: winner, other });
        }
        let instance = self.fleet.instance(NAMES[winner]);
        let (trail, end) = (instance.data.trail.clone(), instance.data.end);
        drop(instance);
        if let Some(voter) = self.passed_over(&trail, end) {
            return Some(Violation::PassedOver { winner, voter });
        }
        let truth = self.truth.borrow();
        let holds = |inner: &Trail, until: Lsn| trail.contains(end, (inner, until));
        if !truth.is_on_elected(&trail) {
            return Some(Violation::LeftBranch { winner });
        }
        let is_lost = |(of, until): &(Trail, Lsn)| !holds(of, *until);
        if self.setting.sync_guard && truth.confirmed.iter().any(is_lost) {
            return Some(Violation::LostCommit { winner });
        }
        if let Some((start, of, until)) = &truth.stopped {
            if !holds(of, *until) && self.is_known(*start) {
                return Some(Violation::LostEnd { winner });
            }
        }
        self.excluded(&trail, end, winner)
    }

    /// The reason of a refusal is an admin's guide: no node that holds WAL of the elected branch
    /// has left it. Where another claim may have come true nobody can know which that is.
    pub fn check_refusal(&self, candidate: Id, reason: &str) {
        if !reason.contains("this node left the branch of") || self.has_other_claim() {
            return;
        }
        let instance = self.fleet.instance(NAMES[candidate]);
        let mut truth = self.truth.borrow_mut();
        if instance.data.trail == truth.elected {
            truth.broken(Violation::WronglyRefused { candidate });
        }
    }

    fn claim_of(&self, name: &str) -> Option<String> {
        self.fleet.cluster().permanent_of(name, "claim-pgsqld")
    }

    /// Whether a claim stands that is not the one by which the elected branch was opened.
    fn has_other_claim(&self) -> bool {
        let came_true = self.truth.borrow().claim.clone();
        let mut claims = NAMES.iter().filter_map(|name| self.claim_of(name));
        claims.any(|claim| Some(&claim) != came_true.as_ref())
    }

    /// Whether a member knows of this shutdown checkpoint.
    fn is_known(&self, start: Lsn) -> bool {
        let words = format!(";lsn={}", start.as_u64());
        let kept = self.fleet.cluster().kept();
        let mut values = kept.of_members.values().flatten();
        values.any(|(name, value)| name.starts_with("shutdown-") && value.contains(&words))
    }

    /// A voter that runs, is on the elected branch, and holds more.
    fn passed_over(&self, trail: &Trail, end: Lsn) -> Option<Id> {
        if self.held_up.get() {
            return None;
        }
        let at = trail.began().unwrap_or(end).min(end);
        let base = trail.until(at);
        let truth = self.truth.borrow();
        // One that is cut off from the others by now is no voter any more.
        let members = self.fleet.cluster().kept().members.clone();
        let is_member = |id: usize| members.iter().any(|node| node.as_str() == NAMES[id]);
        (0..self.setting.nodes)
            .filter(|id| is_member(*id))
            .find(|id| {
                let runs = self.fleet.processes(NAMES[*id]) == Processes::Alive(Role::Standby);
                let Some((theirs, until)) = truth.votes[*id].as_ref().filter(|_| runs) else {
                    return false;
                };
                let more = (theirs, *until) != (&base, at) && theirs.contains(*until, (&base, at));
                more && truth.is_on_elected_branch(theirs, *until)
            })
    }

    /// The winner's score is negative, and it lacks WAL of the last primary.
    fn excluded(&self, trail: &Trail, end: Lsn, winner: Id) -> Option<Violation> {
        let node = NodeName::new(NAMES[winner])?;
        let kept = self.fleet.cluster().kept();
        let score = kept.permanent.get(&node)?.get("master-pgsqld")?;
        let excluded = score.starts_with('-');
        let truth = self.truth.borrow();
        let lacks = !trail.contains(end, (&truth.elected, truth.written));
        (excluded && lacks).then_some(Violation::Excluded { winner })
    }
}
