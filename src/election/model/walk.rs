//! Walks at random, far beyond the bounds of an exploration: a few of very many ways, each from
//! a seed that takes it again.

use std::mem::discriminant;

use super::cache::{self, Cache};
use super::event::Event;
use super::invariant::Violation;
use super::made::fingerprint;
use super::scenario::Scenario;
use super::settle::live_lock;
use super::trace;
use super::world::{Phase, World};

/// More steps than this are not taken.
const LONGEST: usize = 80;

/// How far the walks of a scenario came.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) steps: usize,
    pub(super) promotions: usize,
}

/// Walks once for each seed. The error is the shortest way to a broken promise, told.
pub(super) fn walk(
    scenario: &Scenario,
    seeds: impl Iterator<Item = u64>,
) -> Result<Walked, String> {
    let mut walked = Walked::default();
    for seed in seeds {
        // What one walk has worked out seldom helps another.
        let (events, violation) = cache::with(&mut Cache::default(), || walk_once(scenario, seed));
        walked.steps += events.len();
        let opens = |event: &&Event| matches!(event, Event::Open { .. });
        walked.promotions += events.iter().filter(opens).count();
        if let Some(violation) = violation {
            let (violation, told) = shortest(scenario, events, violation);
            return Err(format!("seed {seed}: {violation}\n{told}"));
        }
    }
    Ok(walked)
}

fn walk_once(scenario: &Scenario, seed: u64) -> (Vec<Event>, Option<Violation>) {
    let mut world = scenario.start();
    let mut events = Vec::new();
    while events.len() < LONGEST {
        let Some(event) = choose(
            &world.possible(scenario),
            fingerprint(&(seed, events.len())),
        ) else {
            break;
        };
        events.push(event);
        match take(&world, scenario, event) {
            Ok(next) => world = next,
            Err(violation) => return (events, Some(violation)),
        }
    }
    (events, None)
}

/// A kind of event first: else the many ways to vote would drown all others.
fn choose(events: &[Event], chance: u64) -> Option<Event> {
    let mut kinds = Vec::new();
    for event in events {
        if !kinds.contains(&discriminant(event)) {
            kinds.push(discriminant(event));
        }
    }
    let kind = kinds.get(chance as usize % kinds.len().max(1))?;
    let of_kind: Vec<_> = events
        .iter()
        .filter(|event| discriminant(*event) == *kind)
        .collect();
    Some(*of_kind[(chance >> 32) as usize % of_kind.len()])
}

fn take(world: &World, scenario: &Scenario, event: Event) -> Result<World, Violation> {
    let next = world.after(scenario, event)?;
    let is_leaderless = next.phase == Phase::Idle && next.primary().is_none();
    let broken = is_leaderless.then(|| live_lock(&next.calm(), scenario));
    broken.flatten().map_or(Ok(next), Err)
}

/// Takes out one event after the other that is not needed.
fn shortest(
    scenario: &Scenario,
    mut events: Vec<Event>,
    mut violation: Violation,
) -> (Violation, String) {
    let mut at = events.len();
    while at > 0 {
        at -= 1;
        let mut fewer = events.clone();
        fewer.remove(at);
        let Some((taken, other)) = replay(scenario, &fewer) else {
            continue;
        };
        if discriminant(&other) == discriminant(&violation) {
            at = at.min(taken.len());
            (events, violation) = (taken, other);
        }
    }
    let told = trace::tell_events(scenario, &violation, &events);
    (violation, told)
}

/// The events that were possible, up to the one that broke a promise.
fn replay(scenario: &Scenario, events: &[Event]) -> Option<(Vec<Event>, Violation)> {
    let mut world = scenario.start();
    let mut taken = Vec::new();
    for event in events {
        if !world.possible(scenario).contains(event) {
            continue;
        }
        taken.push(*event);
        match take(&world, scenario, *event) {
            Ok(next) => world = next,
            Err(violation) => return Some((taken, violation)),
        }
    }
    None
}
