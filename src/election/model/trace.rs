//! How a promise was broken, step by step.

use std::fmt::Write;

use super::event::{Cast, Event};
use super::invariant::Violation;
use super::scenario::Scenario;
use super::world::{Phase, World, name};
use crate::election::explain;

/// The steps that lead to a violation, from the choices that were made.
pub(super) fn tell(
    scenario: &Scenario,
    violation: &Violation,
    way: &[u16],
    last: Option<u16>,
) -> String {
    let mut trace = format!("{}: {violation}\n", scenario.title);
    let mut world = scenario.start();
    step(&mut trace, scenario, Event::Start, &world);
    for choice in way {
        let event = world.possible(scenario)[usize::from(*choice)];
        world = world.after(scenario, event).unwrap();
        step(&mut trace, scenario, event, &world);
    }
    if let Some(choice) = last {
        let event = world.possible(scenario)[usize::from(choice)];
        let _ = writeln!(trace, "  * {event}");
    }
    trace
}

/// The same, from the events themselves.
pub(super) fn tell_events(scenario: &Scenario, violation: &Violation, events: &[Event]) -> String {
    let mut trace = format!("{}: {violation}\n", scenario.title);
    let mut world = scenario.start();
    step(&mut trace, scenario, Event::Start, &world);
    for event in events {
        match world.after(scenario, *event) {
            Ok(next) => world = next,
            Err(_) => {
                let _ = writeln!(trace, "  * {event}");
                return trace;
            }
        }
        step(&mut trace, scenario, *event, &world);
    }
    tell_candidates(&mut trace, scenario, &world);
    trace
}

/// Nobody is promoted: why not?
fn tell_candidates(trace: &mut String, scenario: &Scenario, world: &World) {
    let mut world = world.calm();
    (0..world.nodes.len())
        .filter(|id| !world.nodes[*id].empty)
        .collect::<Vec<_>>()
        .into_iter()
        .for_each(|id| world.start_instance(scenario, id));
    for id in 0..world.nodes.len() {
        let mut trial = world.clone();
        trial.notify(id, [Cast::InTime; 3]);
        let title = format!("{} with score {:?}", name(id), world.cib[id].score);
        let _ = writeln!(trace, "  if all were back, {title}:");
        tell_election(trace, scenario, &trial);
    }
}

/// One step, and at a ballot what the candidate sees.
fn step(trace: &mut String, scenario: &Scenario, event: Event, world: &World) {
    let _ = writeln!(trace, "  * {event}\n      {}", world.sketch());
    if matches!(world.phase, Phase::Notified { .. }) {
        tell_election(trace, scenario, world);
    }
}

fn tell_election(trace: &mut String, scenario: &Scenario, world: &World) {
    let ballot = world.final_ballot(scenario);
    let verdict = world.election(scenario).verdict.clone();
    for line in explain(&ballot, &verdict, "pgsqld") {
        let _ = writeln!(trace, "      | {line}");
    }
}
