//! What a soak does: drawn from its seed alone, so that it can be done again.

use std::fmt;
use std::time::Duration;

use crate::run::chance::Chance;
use crate::run::fault::{ALL, Fault};

const SHORTEST_PAUSE: Duration = Duration::from_secs(20);
const LONGEST_MORE: Duration = Duration::from_secs(40);
/// Two faults of one blow begin within this time.
const LATEST_SECOND: Duration = Duration::from_secs(5);

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The primary of that moment.
    Primary,
    /// A standby: the first or the last by name.
    Standby(usize),
}

/// One or two faults, and what comes after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blow {
    /// What breaks where.
    pub faults: Vec<(Fault, Target)>,
    /// Time between two faults.
    pub between: Duration,
    /// Time before the repair, or before the next blow.
    pub pause: Duration,
    /// Whether it is repaired before the next blow.
    pub healed: bool,
}

impl Blow {
    /// Draws the next blow.
    pub fn draw(chance: &mut Chance) -> Self {
        let count = chance.pick(&[1, 1, 1, 2]);
        let faults = (0..count).map(|_| (chance.pick(ALL), target(chance)));
        Self {
            faults: faults.collect(),
            between: chance.moment(LATEST_SECOND),
            pause: SHORTEST_PAUSE + chance.moment(LONGEST_MORE),
            healed: chance.pick(&[true, true, true, false]),
        }
    }
}

fn target(chance: &mut Chance) -> Target {
    chance.pick(&[Target::Primary, Target::Standby(0), Target::Standby(1)])
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (fault, target)) in self.faults.iter().enumerate() {
            if number > 0 {
                write!(f, ", {:.1} s later ", self.between.as_secs_f64())?;
            }
            match target {
                Target::Primary => write!(f, "{fault} (primary)")?,
                Target::Standby(number) => write!(f, "{fault} (standby {})", number + 1)?,
            }
        }
        let healed = if self.healed { "healed" } else { "not healed" };
        write!(f, "; {healed} after {} s", self.pause.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blows(seed: u64) -> Vec<Blow> {
        let mut chance = Chance::new(seed);
        (0..200).map(|_| Blow::draw(&mut chance)).collect()
    }

    #[test]
    fn a_seed_gives_the_same_blows_again() {
        assert_eq!(blows(3), blows(3));
        assert_ne!(blows(3), blows(4));
    }

    #[test]
    fn every_fault_comes_alone_and_together_healed_and_not() {
        let blows: Vec<Blow> = (1..10).flat_map(blows).collect();
        for fault in ALL {
            let of_it = |count: usize, healed: bool| {
                blows.iter().any(|blow| {
                    blow.faults.len() == count
                        && blow.healed == healed
                        && blow.faults.iter().any(|(one, _)| one == fault)
                })
            };
            for (count, healed) in [(1, true), (1, false), (2, true), (2, false)] {
                assert!(of_it(count, healed), "{fault}, {count}, {healed}");
            }
        }
        let pauses = blows.iter().map(|blow| blow.pause.as_secs());
        assert!(
            pauses
                .into_iter()
                .all(|seconds| (20..=60).contains(&seconds))
        );
    }
}
