//! Whether the cluster finds a primary by itself once the trouble is over.

use super::event::{Cast, Event};
use super::invariant::{Violation, broken_by};
use super::scenario::Scenario;
use super::world::{Id, Instance, Phase, Wal, World};
use crate::election::Verdict;
use crate::election::scores::scale::is_excluded;

/// Transitions after which a primary must be there.
const BOUND: usize = 6;

impl World {
    /// Without what has no say in whether a primary is found: what may still happen, what
    /// could come back, and the votes of standbys, which the next pre-promote replaces.
    pub(super) fn calm(&self) -> Self {
        let mut calm = Self {
            phase: Phase::Idle,
            saved: None,
            before: None,
            waits_for_all: false,
            faults: 0,
            writes: 0,
            moves: 0,
            ..self.clone()
        };
        let nodes = calm.nodes.iter_mut();
        nodes
            .filter(|node| node.up && node.instance == Instance::Standby)
            .for_each(|node| node.vote = None);
        calm
    }
}

/// A safe candidate is there, but nobody is ever promoted.
pub(super) fn live_lock(calm: &World, scenario: &Scenario) -> Option<Violation> {
    if calm.primary().is_some() || calm.members().count() < scenario.quorum {
        return None;
    }
    let all_back = all_returned(calm, scenario);
    let stuck = |world: &World, safe: Option<Id>| {
        let safe = safe.filter(|_| !settles(world, scenario));
        safe.map(|safe| Violation::LiveLock { safe })
    };
    if calm.lost {
        // A refusal is right as long as somebody is away who may know more.
        let safe = bounded(&all_back, scenario).filter(|_| can_judge(&all_back));
        return stuck(&all_back, safe);
    }
    stuck(calm, permitted(calm, scenario))
        .or_else(|| stuck(&all_back, bounded(&all_back, scenario)))
        .or_else(|| stuck(calm, provable(calm, scenario)))
}

/// Whether all that was known is still known to somebody who is there: configurations come and
/// go, but the ledgers and the data are those that wrote them.
fn can_judge(world: &World) -> bool {
    let readable = world.cib.iter().all(|entry| !entry.unreadable);
    let mut nodes = world.nodes.iter();
    readable && nodes.all(|node| node.up && !node.old && !node.torn && node.data == (0, 0))
}

/// A node that Pacemaker may choose, where those that it may not choose hold not too much
/// more.
fn bounded(world: &World, scenario: &Scenario) -> Option<Id> {
    eligible(world).find(|id| {
        let mut trial = world.clone();
        trial.notify(*id, [Cast::InTime; 3]);
        let broken = broken_by(&trial, scenario, *id);
        let held = world.nodes[*id].wal;
        world.barred == 0 || broken.is_none() && !is_fetched_first(world, scenario, held)
    })
}

/// A node whose own election would let it be promoted.
fn permitted(world: &World, scenario: &Scenario) -> Option<Id> {
    eligible(world).find(|id| matches!(verdict_of(world, scenario, *id), Verdict::Promote { .. }))
}

/// The last primary is gone, everybody else is there, and in truth a candidate
/// is safe that holds at least what that primary held when it was elected: one
/// failure must not stop the cluster.
fn provable(world: &World, scenario: &Scenario) -> Option<Id> {
    let reigns = world.published().reigns();
    let last = crate::record::last_reign(&reigns)?;
    let gone = |id: &Id| world.nodes[*id].instance != Instance::Standby;
    let mut missing = (0..world.nodes.len()).filter(gone);
    let only_last = missing.all(|id| last.primary.as_str() == super::world::name(id));
    if !only_last || !last.is_opened() {
        return None;
    }
    eligible(world).find(|id| {
        let mut trial = world.clone();
        trial.notify(*id, [Cast::InTime; 3]);
        let base = world.branches[world.elected].left;
        let held = world.nodes[*id].wal;
        base.is_none_or(|base| world.contains(held, base))
            && !is_fetched_first(world, scenario, held)
            && broken_by(&trial, scenario, *id).is_none()
    })
}

/// Whether a node that may not be promoted holds what may be a synchronous commit: the candidate
/// fetches that before it is promoted, which the model does not.
fn is_fetched_first(world: &World, scenario: &Scenario, held: Wal) -> bool {
    let more = |wal: Wal| wal != held && world.contains(wal, held);
    let mut barred = world
        .running(Instance::Standby)
        .filter(|id| world.is_barred(*id));
    let is_synchronous = scenario.sync.iter().any(|rule| !rule.is_empty());
    is_synchronous && barred.any(|id| more(world.nodes[id].wal))
}

/// Standbys that Pacemaker may choose by their score, and that no constraint forbids.
fn eligible(world: &World) -> impl Iterator<Item = Id> + '_ {
    let standbys = world.running(Instance::Standby);
    standbys.filter(|id| {
        let may_be = !world.nodes[*id].old && !world.is_barred(*id);
        let score = world.cib[*id].score.filter(|_| may_be);
        score.is_some_and(|score| !is_excluded(score))
    })
}

fn verdict_of(world: &World, scenario: &Scenario, candidate: Id) -> Verdict {
    let mut trial = world.clone();
    trial.notify(candidate, [Cast::InTime; 3]);
    trial.election(scenario).verdict.clone()
}

fn all_returned(world: &World, scenario: &Scenario) -> World {
    let mut world = world.clone();
    for id in 0..world.nodes.len() {
        if world.nodes[id].instance == Instance::Stopped && !world.nodes[id].empty {
            world.start_instance(scenario, id);
        }
    }
    world
}

/// Pacemaker's own choices, without further trouble: the highest score, but not
/// the node whose promotion has just failed.
fn settles(world: &World, scenario: &Scenario) -> bool {
    let mut world = world.clone();
    let mut banned = None;
    for _ in 0..BOUND {
        let choice = eligible(&world)
            .filter(|id| Some(*id) != banned)
            .max_by_key(|id| (world.cib[*id].score, std::cmp::Reverse(*id)));
        banned = choice;
        let Some(candidate) = choice else {
            continue;
        };
        world.notify(candidate, [Cast::InTime; 3]);
        match world.after(scenario, Event::Elect { keeps: None }) {
            Ok(next) if matches!(next.phase, Phase::Claimed { .. }) => return true,
            Ok(next) => world = next,
            // Told elsewhere.
            Err(_) => return true,
        }
    }
    false
}
