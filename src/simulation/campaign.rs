//! Many simulations, one seed after the other, on all processors.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::count::Counts;
use super::schedule::{Schedule, Setting};
use super::shrink::shrink;
use super::state::Simulation;
use super::truth::Violation;

/// A schedule that breaks a promise.
#[derive(Debug)]
pub struct Found {
    pub seed: u64,
    /// What it breaks.
    pub violation: Violation,
    /// The shortest one, to be read.
    pub story: String,
}

/// What a campaign came to.
pub struct Report {
    pub counts: Counts,
    pub schedules: u64,
    pub time: Duration,
    /// The violations, the lowest seed first.
    pub found: Vec<Found>,
}

/// How a campaign is made.
pub struct Campaign<'a> {
    pub first: u64,
    pub schedules: u64,
    /// How many violations are enough.
    pub enough: usize,
    /// After this time no schedule is begun any more.
    pub time: Duration,
    /// What of the setting is not left to the seed.
    pub change: &'a (dyn Fn(&mut Setting) + Sync),
}

impl Campaign<'_> {
    /// Plays the schedules; each thread in the way that `in_thread` makes.
    pub fn run(&self, in_thread: impl Fn(&dyn Fn()) + Sync) -> Report {
        let begin = Instant::now();
        let next = AtomicU64::new(self.first);
        let is_enough = AtomicBool::new(false);
        let sum = std::sync::Mutex::new((Counts::default(), Vec::new()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let work = || {
            let mut counts = Counts::default();
            while !is_enough.load(Ordering::Relaxed) && begin.elapsed() < self.time {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= self.first + self.schedules {
                    break;
                }
                if let Some(found) = self.play(seed, &mut counts) {
                    let mut sum = sum.lock().unwrap();
                    sum.1.push(found);
                    is_enough.store(sum.1.len() >= self.enough, Ordering::Relaxed);
                }
            }
            sum.lock().unwrap().0.add(counts);
        };
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| in_thread(&work));
            }
        });
        let (counts, mut found) = sum.into_inner().unwrap();
        found.sort_by_key(|one| one.seed);
        let played = next.into_inner().min(self.first + self.schedules) - self.first;
        Report {
            counts,
            schedules: played,
            time: begin.elapsed(),
            found,
        }
    }

    fn play(&self, seed: u64, counts: &mut Counts) -> Option<Found> {
        let schedule = Schedule::of(seed, self.change);
        let violation = Simulation::play(&schedule, counts, false).violation?;
        let shortest = shrink(&schedule, &violation);
        let ending = Simulation::play(&shortest, &mut Counts::default(), true);
        let story = format!(
            "seed {seed}: {violation}\n{:?}\n{}",
            shortest.setting,
            ending.story.join("\n")
        );
        Some(Found {
            seed,
            violation,
            story,
        })
    }
}
