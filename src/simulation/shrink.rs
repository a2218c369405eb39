//! The shortest schedule that still breaks the same promise.
//!
//! By taking steps out, first in halves, then in smaller parts (delta debugging, Zeller 1999).
//! proptest shrinks too, but it draws all values before the first step is played and keeps a tree
//! of them; here a step that is not possible does nothing, so plain lists are enough, and one
//! number plays a schedule again.

use super::count::Counts;
use super::schedule::{Schedule, Step};
use super::state::Simulation;
use super::truth::Violation;

/// Takes out what is not needed for the violation.
pub fn shrink(schedule: &Schedule, violation: &Violation) -> Schedule {
    let mut best = schedule.clone();
    let mut part = best.steps.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        let mut has_shrunk = false;
        while at < best.steps.len() {
            let steps = without(&best.steps, at, part);
            let shorter = Schedule {
                steps,
                ..best.clone()
            };
            if still_breaks(&shorter, violation) {
                (best, has_shrunk) = (shorter, true);
            } else {
                at += part;
            }
        }
        if !has_shrunk || part > best.steps.len() {
            part /= 2;
        }
    }
    best
}

fn without(steps: &[Step], at: usize, part: usize) -> Vec<Step> {
    let rest = steps.get(at + part..).unwrap_or_default();
    [&steps[..at], rest].concat()
}

fn still_breaks(schedule: &Schedule, violation: &Violation) -> bool {
    let ending = Simulation::play(schedule, &mut Counts::default(), false);
    ending
        .violation
        .is_some_and(|other| other.is_like(violation))
}
