//! What is true of a simulation, and what must never be: the promises of the model
//! (`election::model::invariant`), checked at the moment in which a server opens.

use std::fmt;

use super::fleet::NAMES;
use super::schedule::Id;
use super::world::Simulation;
use crate::instance::{ClusterState, Role};
use crate::ocf::NodeName;
use crate::postgres::fake_data::FakeData;
use crate::postgres::fake_instance::Processes;
use crate::postgres::fake_trail::Trail;
use crate::wal::Lsn;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    TwoPrimaries {
        one: Id,
        other: Id,
    },
    LostCommit {
        winner: Id,
    },
    PassedOver {
        winner: Id,
        voter: Id,
    },
    LeftBranch {
        winner: Id,
    },
    LostEnd {
        winner: Id,
    },
    /// The last primary had excluded the winner, which lacks what that one wrote.
    Excluded {
        winner: Id,
    },
    /// A standby streams from a branch that has the same number as its own.
    Mixed {
        standby: Id,
    },
    /// Nobody becomes primary, and no refusal says why.
    NoPrimary {
        reason: String,
    },
}

impl Violation {
    /// Whether both break the same promise.
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |id: &Id| NAMES[*id];
        match self {
            Self::TwoPrimaries { one, other } => {
                write!(f, "{} and {} are primaries at once", name(one), name(other))
            }
            Self::LostCommit { winner } => {
                write!(
                    f,
                    "{} was promoted without an acknowledged commit",
                    name(winner)
                )
            }
            Self::PassedOver { winner, voter } => write!(
                f,
                "{} was promoted, {} held more and had voted",
                name(winner),
                name(voter)
            ),
            Self::LeftBranch { winner } => {
                write!(
                    f,
                    "{} was promoted on a branch that the cluster left",
                    name(winner)
                )
            }
            Self::LostEnd { winner } => write!(
                f,
                "{} was promoted without the end of a cleanly stopped primary",
                name(winner)
            ),
            Self::Excluded { winner } => write!(
                f,
                "{} was promoted although it was excluded and lacks WAL",
                name(winner)
            ),
            Self::Mixed { standby } => {
                write!(
                    f,
                    "{} streams from another branch of the same number",
                    name(standby)
                )
            }
            Self::NoPrimary { reason } => {
                write!(
                    f,
                    "nobody becomes primary, and no refusal says why ({reason})"
                )
            }
        }
    }
}

/// What is true, whatever anybody has been told.
pub struct Truth {
    roles: [bool; 3],
    /// The branch that was opened last, and the end of all that was written on it.
    elected: Trail,
    written: Lsn,
    /// The commits of the present primary.
    pub commits: Vec<Lsn>,
    /// The last confirmed commit of each branch.
    confirmed: Vec<(Trail, Lsn)>,
    /// Where a primary was stopped cleanly: the start of its last record, and its end.
    stopped: Option<(Lsn, Trail, Lsn)>,
    /// What those held that voted in the present election.
    pub votes: [Option<(Trail, Lsn)>; 3],
    pub violation: Option<Violation>,
}

impl Truth {
    /// Before anything was opened.
    pub fn new() -> Self {
        Self {
            roles: [false; 3],
            elected: Trail::root(0),
            written: Lsn::ZERO,
            commits: Vec::new(),
            confirmed: Vec::new(),
            stopped: None,
            votes: Default::default(),
            violation: None,
        }
    }

    /// A promise is broken; the first one counts.
    pub fn broken(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    /// The primary of this branch has heard that standbys have all up to `end`.
    pub fn confirm(&mut self, trail: &Trail, end: Lsn) {
        let Some(last) = self
            .commits
            .iter()
            .rev()
            .find(|commit| **commit <= end)
            .copied()
        else {
            return;
        };
        match self.confirmed.iter_mut().find(|(of, _)| of == trail) {
            Some((_, known)) => *known = last.max(*known),
            None => self.confirmed.push((trail.clone(), last)),
        }
    }

    /// A standby is about to stream: all that it has must be the primary's.
    pub fn check_mixed(&mut self, standby: Id, from: &FakeData, to: &FakeData) {
        if !from.trail.contains(from.end, (&to.trail, to.end)) {
            self.broken(Violation::Mixed { standby });
        }
    }
}

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
        for id in 0..self.setting.nodes {
            let (before, now) = (self.truth.borrow().roles[id], self.is_primary(id));
            if before && now {
                let end = self.fleet.instance(NAMES[id]).data.end;
                self.truth.borrow_mut().written = end;
            }
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
        let broken = self.broken_by(id);
        let mut instance = self.fleet.instance(NAMES[id]);
        let mut truth = self.truth.borrow_mut();
        if let Some(violation) = broken {
            truth.broken(violation);
        }
        truth.elected = instance.data.trail.clone();
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
        (0..self.setting.nodes).find(|id| {
            let runs = self.fleet.processes(NAMES[*id]) == Processes::Alive(Role::Standby);
            let Some((theirs, until)) = truth.votes[*id].as_ref().filter(|_| runs) else {
                return false;
            };
            let more = (theirs, *until) != (&base, at) && theirs.contains(*until, (&base, at));
            more && truth.is_on_elected_branch(theirs)
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

impl Truth {
    /// Whether a trail that has just been forked left from the elected branch, or from a part
    /// of it.
    fn is_on_elected(&self, opened: &Trail) -> bool {
        let base = opened.until(opened.began().unwrap_or(Lsn::ZERO));
        self.is_on_elected_branch(&base) || {
            // Everything of the elected branch may be empty but its beginning.
            let began = self.elected.began().unwrap_or(Lsn::ZERO);
            opened.contains(Lsn::from(u64::MAX), (&self.elected, began))
        }
    }

    fn is_on_elected_branch(&self, held: &Trail) -> bool {
        let whole = Lsn::from(u64::MAX);
        let start = held.began().unwrap_or(Lsn::ZERO);
        let began = self.elected.began().unwrap_or(Lsn::ZERO);
        self.elected.contains(whole, (held, start)) || held.contains(whole, (&self.elected, began))
    }
}
