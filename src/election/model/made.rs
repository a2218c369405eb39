//! Values that are made once and shared by many worlds: votes, claims, ledgers.
//!
//! Each carries the fingerprint of what it says, so that two worlds are compared, and looked
//! up, by a few numbers. Two values with the same fingerprint count as the same: of a million
//! different ones, two have the same with a probability of 3 in 10⁸.

use std::hash::{DefaultHasher, Hash, Hasher};
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

/// The same in each run.
pub(super) fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
