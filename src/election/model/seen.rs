//! What was visited already: fingerprints, not worlds, and the way to each.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

const SHARDS: usize = 64;

/// A fingerprint is well mixed already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only fingerprints are looked up");
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

type Shard = HashSet<u64, BuildHasherDefault<AsIs>>;

/// A set of fingerprints that all threads share. With `n` of them, the probability that two
/// different worlds were taken for one is `n² / 2⁶⁵`: 10⁷ worlds, 3 in 10⁶.
pub(super) struct Seen(Vec<Mutex<Shard>>);

impl Seen {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }

    /// Whether it is new.
    pub(super) fn insert(&self, fingerprint: u64) -> bool {
        // The set takes its slot from the other bits.
        let shard = &self.0[(fingerprint >> 32) as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.insert(fingerprint)
    }
}

impl Seen {
    /// All of them.
    pub(super) fn all(&self) -> Vec<u64> {
        let shards = self.0.iter();
        let shards = shards.map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner));
        shards
            .flat_map(|shard| shard.iter().copied().collect::<Vec<_>>())
            .collect()
    }
}

/// How each visited world was reached: from which one, and by which of its possible events.
/// The worlds themselves are made again from the beginning when somebody asks for the way.
#[derive(Default)]
pub(super) struct Trail {
    from: Vec<u32>,
    choice: Vec<u16>,
}

impl Trail {
    pub(super) fn len(&self) -> usize {
        self.from.len()
    }

    pub(super) fn push(&mut self, from: u32, choice: u16) {
        self.from.push(from);
        self.choice.push(choice);
    }

    /// From where, and by which choice, in the order of their visit.
    pub(super) fn steps(&self) -> impl Iterator<Item = (u32, u16)> + '_ {
        self.from.iter().copied().zip(self.choice.iter().copied())
    }

    /// The choices that lead from the beginning to a world.
    pub(super) fn way_to(&self, mut at: usize) -> Vec<u16> {
        let mut choices = Vec::new();
        while at != 0 {
            choices.push(self.choice[at]);
            at = self.from[at] as usize;
        }
        choices.reverse();
        choices
    }
}
