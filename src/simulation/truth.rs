//! What is true of a simulation, and the promises that may be broken: those of the model
//! (`election::model::invariant`).

use std::fmt;

use super::fleet::NAMES;
use super::schedule::Id;
use crate::postgres::fake_data::FakeData;
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
    /// A candidate was refused as one that left the elected branch, and is on it.
    WronglyRefused {
        candidate: Id,
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
            Self::WronglyRefused { candidate } => write!(
                f,
                "{} was refused as one that left the elected branch, and is on it",
                name(candidate)
            ),
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
    pub roles: [bool; 3],
    /// The branch that was opened last, and the end of all that was written on it.
    pub elected: Trail,
    pub written: Lsn,
    /// Who opened it, and by which claim.
    pub opener: Option<Id>,
    pub claim: Option<String>,
    /// The commits of the present primary.
    pub commits: Vec<Lsn>,
    /// The last confirmed commit of each branch.
    pub confirmed: Vec<(Trail, Lsn)>,
    /// Where a primary was stopped cleanly: the start of its last record, and its end.
    pub stopped: Option<(Lsn, Trail, Lsn)>,
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
            opener: None,
            claim: None,
            commits: Vec::new(),
            confirmed: Vec::new(),
            stopped: None,
            votes: Default::default(),
            violation: None,
        }
    }

    /// Whether a node besides the candidate took part in the present election.
    pub fn have_others_voted(&self) -> bool {
        self.votes.iter().flatten().count() > 1
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

impl Truth {
    /// Whether a trail that has just been forked left from the elected branch, or from a part
    /// of it.
    pub fn is_on_elected(&self, opened: &Trail) -> bool {
        let began = opened.began().unwrap_or(Lsn::ZERO);
        self.is_on_elected_branch(&opened.until(began), began)
    }

    /// Whether WAL up to `end` is a part of the branch elected last, or goes on from it.
    pub fn is_on_elected_branch(&self, held: &Trail, end: Lsn) -> bool {
        let began = self.elected.began().unwrap_or(Lsn::ZERO);
        let is_part = self.elected.contains(Lsn::from(u64::MAX), (held, end));
        is_part || held.contains(end, (&self.elected, began))
    }
}
