//! What must never be true of a promotion.

use std::fmt;

use super::observe::RECORD;
use super::scenario::Scenario;
use super::world::{Id, Instance, Phase, Planned, Wal, World, bit, name};
use crate::election::scores::scale::is_excluded;
use crate::record::Vote;
use crate::record::reign::last_term;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Violation {
    /// A voter on the elected branch held more.
    PassedOver { winner: Id, voter: Id },
    /// A synchronous commit that was acknowledged is gone.
    LostCommit { winner: Id },
    /// The winner is on a branch that the cluster left, or in another database.
    LeftBranch { winner: Id },
    /// A planned change lost the end of the old primary.
    LostEnd { winner: Id },
    /// The last primary had excluded the winner, rightly.
    Excluded { winner: Id },
    /// A safe candidate is there, and nobody becomes primary.
    LiveLock { safe: Id },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PassedOver { winner, voter } => {
                write!(
                    f,
                    "{} was promoted, {} held more and had voted",
                    name(*winner),
                    name(*voter)
                )
            }
            Self::LostCommit { winner } => {
                write!(
                    f,
                    "{} was promoted without an acknowledged commit",
                    name(*winner)
                )
            }
            Self::LeftBranch { winner } => {
                write!(
                    f,
                    "{} was promoted on a branch that the cluster left",
                    name(*winner)
                )
            }
            Self::LostEnd { winner } => {
                write!(
                    f,
                    "{} was promoted without the end of a cleanly stopped primary",
                    name(*winner)
                )
            }
            Self::Excluded { winner } => {
                write!(
                    f,
                    "{} was promoted although it was excluded and lacks WAL",
                    name(*winner)
                )
            }
            Self::LiveLock { safe } => {
                write!(
                    f,
                    "{} could be promoted safely, but nobody ever is",
                    name(*safe)
                )
            }
        }
    }
}

/// What is wrong with promoting `winner` now, if anything.
pub(super) fn broken_by(world: &World, scenario: &Scenario, winner: Id) -> Option<Violation> {
    if let Some(voter) = passed_over(world, scenario, winner) {
        return Some(Violation::PassedOver { winner, voter });
    }
    let held = world.nodes[winner].wal;
    if !world.is_on_elected(held) {
        return Some(Violation::LeftBranch { winner });
    }
    if scenario.guard
        && !world
            .acked
            .iter()
            .all(|commit| world.contains(held, *commit))
    {
        return Some(Violation::LostCommit { winner });
    }
    if let Some(planned) = world.planned.filter(|planned| is_known(world, *planned)) {
        if !world.contains(held, planned.end) {
            return Some(Violation::LostEnd { winner });
        }
    }
    excluded(world, winner)
}

/// Whether somebody who is heard in this election knows of a planned end.
fn is_known(world: &World, planned: Planned) -> bool {
    let Phase::Notified {
        candidate, voters, ..
    } = world.phase
    else {
        return false;
    };
    let heard = |id: &Id| {
        let vote = world.nodes[*id].vote.as_ref();
        *id == candidate || vote.is_some_and(|vote| is_current(world, *id, vote))
    };
    let mut noted = (0..world.nodes.len()).filter(|id| planned.noted & voters & bit(*id) != 0);
    planned.witnesses != 0 || noted.any(|id| heard(&id))
}

/// Whether a vote is what the node would say now.
fn is_current(world: &World, id: Id, vote: &Vote) -> bool {
    vote.position == world.held_by(id) && vote.term == Some(last_term(&world.known(id).reigns()))
}

/// A voter that voted in this election, is on the elected branch and holds more. One that
/// Pacemaker may not promote may hold a little more.
fn passed_over(world: &World, scenario: &Scenario, winner: Id) -> Option<Id> {
    let Phase::Notified { voters, .. } = world.phase else {
        return None;
    };
    let held = world.nodes[winner].wal;
    let mut standbys = world.running(Instance::Standby);
    standbys.find(|id| {
        let node = &world.nodes[*id];
        let voted = voters & bit(*id) != 0
            && node
                .vote
                .as_ref()
                .is_some_and(|vote| is_current(world, *id, vote));
        let more = node.wal != held && world.contains(node.wal, held);
        let given_up = world.is_barred(*id) && is_bounded(scenario, node.wal, held);
        voted && more && world.is_on_elected(node.wal) && !given_up
    })
}

/// Where all commits are confirmed by standbys, their loss is what counts, and told
/// elsewhere.
fn is_bounded(scenario: &Scenario, theirs: Wal, held: Wal) -> bool {
    let guarded = scenario.guard && scenario.sync.iter().all(|rule| !rule.is_empty());
    guarded || u64::from(theirs.lsn.saturating_sub(held.lsn)) * RECORD <= scenario.max_loss
}

/// The winner's score is negative, and it lacks WAL of the last primary.
fn excluded(world: &World, winner: Id) -> Option<Violation> {
    let last = Wal {
        branch: world.elected,
        lsn: world.branches[world.elected].end,
    };
    let node = &world.nodes[winner];
    let excluded = world.cib[winner].score.is_some_and(is_excluded);
    (excluded && !world.contains(node.wal, last)).then_some(Violation::Excluded { winner })
}
