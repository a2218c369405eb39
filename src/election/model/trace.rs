//! How a promise was broken, step by step.

use std::fmt::Write;

use super::event::Event;
use super::invariant::Violation;
use super::scenario::Scenario;
use super::world::{Phase, World};
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

/// One step, and at a ballot what the candidate sees.
fn step(trace: &mut String, scenario: &Scenario, event: Event, world: &World) {
    let _ = writeln!(trace, "  * {event}\n      {}", world.sketch());
    if matches!(world.phase, Phase::Notified { .. }) {
        let ballot = world.final_ballot(scenario);
        let verdict = world.election(scenario).verdict.clone();
        for line in explain(&ballot, &verdict, "pgsqld") {
            let _ = writeln!(trace, "      | {line}");
        }
    }
}
