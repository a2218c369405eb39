//! Breadth first through everything that can happen.

use std::collections::HashSet;
use std::fmt::Write;
use std::rc::Rc;

use super::event::Event;
use super::invariant::Violation;
use super::scenario::Scenario;
use super::settle::live_lock;
use super::world::{Phase, World};
use crate::election::explain;

/// What an exploration found.
pub(super) struct Report {
    pub(super) states: usize,
    pub(super) elections: usize,
    pub(super) promotions: usize,
    pub(super) longest: usize,
    /// The first violation, with the shortest way there.
    pub(super) found: Option<(Violation, String)>,
}

struct Visit {
    world: Rc<World>,
    from: usize,
    event: Event,
    depth: usize,
}

/// Explores a scenario until a promise is broken or nothing is left.
pub(super) fn explore(scenario: &Scenario) -> Report {
    let mut search = Search::new(scenario);
    let mut next = 0;
    while next < search.visits.len() && search.report.found.is_none() {
        search.expand(next);
        next += 1;
    }
    search.report.states = search.visits.len();
    search.report
}

struct Search<'a> {
    scenario: &'a Scenario,
    visits: Vec<Visit>,
    seen: HashSet<Rc<World>>,
    settled: HashSet<World>,
    report: Report,
}

impl<'a> Search<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let world = Rc::new(scenario.start());
        let report = Report {
            states: 0,
            elections: 0,
            promotions: 0,
            longest: 0,
            found: None,
        };
        Self {
            scenario,
            seen: HashSet::from([world.clone()]),
            settled: HashSet::new(),
            visits: vec![Visit {
                world,
                from: 0,
                event: Event::Start,
                depth: 0,
            }],
            report,
        }
    }

    fn expand(&mut self, index: usize) {
        let world = self.visits[index].world.clone();
        self.report.longest = self.visits[index].depth;
        if let Some(violation) = self.check_liveness(&world) {
            self.tell(violation, index, None);
            return;
        }
        for event in world.possible(self.scenario) {
            self.count(event);
            match world.after(self.scenario, event) {
                Ok(next) => self.visit(next, index, event),
                Err(violation) => {
                    self.tell(violation, index, Some(event));
                    return;
                }
            }
        }
    }

    fn count(&mut self, event: Event) {
        self.report.elections += usize::from(matches!(event, Event::Elect { .. }));
        self.report.promotions += usize::from(matches!(event, Event::Open { .. }));
    }

    fn visit(&mut self, world: World, from: usize, event: Event) {
        let world = Rc::new(world);
        if self.seen.insert(world.clone()) {
            let depth = self.visits[from].depth + 1;
            self.visits.push(Visit {
                world,
                from,
                event,
                depth,
            });
        }
    }

    /// Once for each world without a primary, whatever may still happen.
    fn check_liveness(&mut self, world: &World) -> Option<Violation> {
        if world.phase != Phase::Idle || world.primary().is_some() {
            return None;
        }
        let calm = World {
            faults: 0,
            writes: 0,
            moves: 0,
            ..world.clone()
        };
        if !self.settled.insert(calm.clone()) {
            return None;
        }
        live_lock(&calm, self.scenario)
    }

    fn tell(&mut self, violation: Violation, index: usize, last: Option<Event>) {
        let mut steps = Vec::new();
        let mut at = index;
        while at != 0 {
            steps.push((self.visits[at].event, self.visits[at].world.clone()));
            at = self.visits[at].from;
        }
        steps.push((Event::Start, self.visits[0].world.clone()));
        steps.reverse();
        let mut trace = format!("{}: {violation}\n", self.scenario.title);
        for (event, world) in &steps {
            self.tell_step(&mut trace, *event, world);
        }
        if let Some(event) = last {
            let _ = writeln!(trace, "  * {event}");
        }
        self.report.found = Some((violation, trace));
    }

    /// One step, and at a ballot what the candidate sees.
    fn tell_step(&self, trace: &mut String, event: Event, world: &World) {
        let _ = writeln!(trace, "  * {event}\n      {}", world.sketch());
        if matches!(world.phase, Phase::Notified { .. }) {
            let ballot = world.ballot(self.scenario, true);
            for line in explain(&ballot, &world.verdict(self.scenario), "pgsqld") {
                let _ = writeln!(trace, "      | {line}");
            }
        }
    }
}
