//! Breadth first through everything that can happen, on all cores.
//!
//! Only the worlds of the current depth are kept; of all others there is a fingerprint, and
//! how they were reached.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::cache::{self, Cache};
use super::event::Event;
use super::invariant::Violation;
use super::made::fingerprint;
use super::resume::{self, Kept};
use super::scenario::Scenario;
use super::seen::{Seen, Trail};
use super::settle::live_lock;
use super::trace;
use super::world::{Phase, World};
use crate::election::rule::Rule;

/// Fewer worlds than this are not worth a second thread.
const FEW: usize = 500;
/// How many worlds a thread takes at once.
const SHARE: usize = 50;

/// What an exploration found.
#[derive(Default)]
pub(super) struct Report {
    pub(super) states: usize,
    pub(super) elections: usize,
    pub(super) promotions: usize,
    pub(super) longest: usize,
    /// The first violation, with the shortest way there.
    pub(super) found: Option<(Violation, String)>,
}

/// Explores a scenario until a promise is broken or nothing is left.
pub(super) fn explore(scenario: &Scenario) -> Report {
    let mut search = Search::new(scenario);
    search.go_on();
    search.report.states = search.kept.trail.len();
    search.report
}

/// The same, kept in a file after each depth, and taken up from there.
pub(super) fn explore_in(scenario: &Scenario, file: &Path) -> Report {
    let mut search = Search::new(scenario);
    if let Ok(kept) = resume::load(file) {
        search.take_up(kept);
    }
    search.file = Some(file.to_owned());
    search.go_on();
    search.report.states = search.kept.trail.len();
    search.report
}

/// A world of the next depth.
struct Step {
    world: World,
    from: u32,
    choice: u16,
}

/// What one thread found at one depth.
#[derive(Default)]
struct Share {
    steps: Vec<Step>,
    elections: usize,
    promotions: usize,
    /// At which world, by which of its events.
    broken: Option<(Violation, usize, Option<u16>)>,
}

struct Search<'a> {
    scenario: &'a Scenario,
    /// The worlds of the current depth; they are the last of the trail.
    depth: Vec<World>,
    kept: Kept,
    file: Option<PathBuf>,
    /// One for each thread.
    caches: Vec<Cache>,
    report: Report,
}

impl<'a> Search<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let world = scenario.start();
        let seen = Seen::new();
        seen.insert(fingerprint(&world));
        let mut trail = Trail::default();
        trail.push(0, 0);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self {
            scenario,
            depth: vec![world],
            kept: Kept {
                trail,
                last: 1,
                seen,
                settled: Seen::new(),
                counts: [0; 3],
            },
            file: None,
            caches: (0..threads).map(|_| Cache::default()).collect(),
            report: Report::default(),
        }
    }

    fn go_on(&mut self) {
        while !self.depth.is_empty() && self.report.found.is_none() {
            self.go_deeper();
            let report = &self.report;
            let counts = [report.elections, report.promotions, report.longest];
            self.kept.counts = counts.map(|count| count as u64);
            self.kept.last = self.depth.len();
            if let Some(file) = self.file.as_ref().filter(|_| report.found.is_none()) {
                resume::save(file, &self.kept).unwrap();
                let (depth, states) = (report.longest, self.kept.trail.len());
                let _ = writeln!(io::stdout(), "model: depth {depth}, {states} states");
            }
        }
    }

    /// Makes the worlds of the last depth again.
    fn take_up(&mut self, kept: Kept) {
        let end = kept.trail.len();
        let remake = |at| {
            let way = kept.trail.way_to(at).into_iter();
            way.fold(self.scenario.start(), |world, choice| {
                let event = world.possible(self.scenario)[usize::from(choice)];
                world.after(self.scenario, event).unwrap()
            })
        };
        let mut cache = Cache::default();
        self.depth = cache::with(&mut cache, || (end - kept.last..end).map(remake).collect());
        let [elections, promotions, longest] = kept.counts.map(|count| count as usize);
        (self.report.elections, self.report.promotions) = (elections, promotions);
        self.report.longest = longest;
        self.kept = kept;
    }

    fn go_deeper(&mut self) {
        let shares = self.shares();
        self.depth.clear();
        let mut broken = Vec::new();
        for share in shares {
            self.report.elections += share.elections;
            self.report.promotions += share.promotions;
            broken.extend(share.broken);
            for step in share.steps {
                self.kept.trail.push(step.from, step.choice);
                self.depth.push(step.world);
            }
        }
        self.report.longest += usize::from(!self.depth.is_empty());
        broken.sort_by_key(|(_, index, choice)| (*index, *choice));
        if let Some((violation, index, choice)) = broken.into_iter().next() {
            let way = self.kept.trail.way_to(index);
            let trace = trace::tell(self.scenario, &violation, &way, choice);
            self.report.found = Some((violation, trace));
        }
    }

    /// All that follows from the worlds of this depth, by threads.
    fn shares(&mut self) -> Vec<Share> {
        let mut caches = std::mem::take(&mut self.caches);
        let threads = if self.depth.len() < FEW {
            1
        } else {
            caches.len()
        };
        let taken = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let off = Rule::switched_off();
        let shares = Mutex::new(Vec::new());
        let work = |cache: &mut Cache| {
            let share = Rule::as_on(off, || {
                cache::with(cache, || self.take_share(&taken, &stop))
            });
            let mut shares = shares.lock().unwrap_or_else(PoisonError::into_inner);
            shares.push(share);
        };
        if threads == 1 {
            work(&mut caches[0]);
        } else {
            thread::scope(|scope| {
                for cache in &mut caches {
                    scope.spawn(|| work(cache));
                }
            });
        }
        self.caches = caches;
        shares.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_share(&self, taken: &AtomicUsize, stop: &AtomicBool) -> Share {
        let mut share = Share::default();
        let first = self.kept.trail.len() - self.depth.len();
        while !stop.load(Ordering::Relaxed) {
            let begin = taken.fetch_add(SHARE, Ordering::Relaxed);
            let end = self.depth.len().min(begin + SHARE);
            if begin >= end {
                break;
            }
            for (place, world) in self.depth[begin..end].iter().enumerate() {
                self.expand(&mut share, world, first + begin + place);
                if share.broken.is_some() {
                    stop.store(true, Ordering::Relaxed);
                    return share;
                }
            }
        }
        share
    }

    fn expand(&self, share: &mut Share, world: &World, index: usize) {
        if let Some(violation) = self.check_liveness(world) {
            share.broken = Some((violation, index, None));
            return;
        }
        for (choice, event) in (0..).zip(world.possible(self.scenario)) {
            share.elections += usize::from(matches!(event, Event::Elect { .. }));
            share.promotions += usize::from(matches!(event, Event::Open { .. }));
            match world.after(self.scenario, event) {
                Ok(next) if self.kept.seen.insert(fingerprint(&next)) => share.steps.push(Step {
                    world: next,
                    from: u32::try_from(index).unwrap(),
                    choice,
                }),
                Ok(_) => {}
                Err(violation) => {
                    share.broken = Some((violation, index, Some(choice)));
                    return;
                }
            }
        }
    }

    /// Once for each world without a primary, whatever may still happen.
    fn check_liveness(&self, world: &World) -> Option<Violation> {
        if world.phase != Phase::Idle || world.primary().is_some() {
            return None;
        }
        let calm = world.calm();
        if !self.kept.settled.insert(fingerprint(&calm)) {
            return None;
        }
        live_lock(&calm, self.scenario)
    }
}
