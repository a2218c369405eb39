//! Values that are made once and shared by many worlds: votes, claims, ledgers.
//!
//! Each carries the fingerprint of what it says, so that two worlds are compared, and looked
//! up, by a few numbers. Two values with the same fingerprint count as the same: of a million
//! different ones, two have the same with a probability of 3 in 10⁸.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A shared value with its fingerprint.
#[derive(Debug)]
pub(super) struct Made<T>(Arc<(u64, T)>);

impl<T: Hash> Made<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Arc::new((fingerprint(&value), value)))
    }
}

impl<T> Clone for Made<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Made<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.1
    }
}

impl<T> PartialEq for Made<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.0 == other.0.0
    }
}

impl<T> Eq for Made<T> {}

impl<T> Hash for Made<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.0.hash(state);
    }
}

impl<T> Made<T> {
    /// What stands for the value.
    pub(super) fn fingerprint(&self) -> u64 {
        self.0.0
    }
}

/// The same in each run.
pub(super) fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = Folded(SEED);
    value.hash(&mut hasher);
    hasher.finish()
}

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Multiplies to twice the width and folds the halves, as wyhash and foldhash do: a third of
/// the time that SipHash takes, and nobody attacks a model.
struct Folded(u64);

impl Folded {
    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * u128::from(FACTOR);
        // Rotated: else a word could undo the one before it.
        self.0 = ((wide as u64) ^ ((wide >> 64) as u64)).rotate_left(23) ^ SEED;
    }
}

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        let wide = u128::from(self.0) * u128::from(FACTOR);
        (wide as u64) ^ ((wide >> 64) as u64)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        self.mix(bytes.len() as u64);
    }

    fn write_u8(&mut self, value: u8) {
        self.mix(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }
}
