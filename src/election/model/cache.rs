//! Elections and votes that were worked out before: most worlds differ in what an election
//! does not see.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::made::Made;
use crate::election::Verdict;
use crate::record::{Evidence, Reign, Vote};

/// More than this is forgotten: it is only time that is lost.
const MOST: usize = 300_000;

/// What an election ends with.
#[derive(Debug)]
pub(super) struct Election {
    pub(super) verdict: Verdict,
    /// The scores that the candidate writes.
    pub(super) scores: Vec<(usize, i32)>,
    /// What the candidate claims if it wins.
    pub(super) claim: Reign,
    /// What the candidate knows by then.
    pub(super) known: Evidence,
}

/// What one thread has worked out, in one scenario.
#[derive(Default)]
pub(super) struct Cache {
    elections: HashMap<u64, Arc<Election>>,
    votes: HashMap<u64, Made<Vote>>,
}

thread_local! {
    static CACHE: RefCell<Option<Cache>> = const { RefCell::new(None) };
}

/// Works with this cache; without one nothing is remembered.
pub(super) fn with<T>(cache: &mut Cache, work: impl FnOnce() -> T) -> T {
    CACHE.set(Some(std::mem::take(cache)));
    let result = work();
    *cache = CACHE.take().unwrap_or_default();
    result
}

/// The election of this key, held now if it was not before.
pub(super) fn election(key: u64, hold: impl FnOnce() -> Election) -> Arc<Election> {
    look_up(|cache| &mut cache.elections, key, || Arc::new(hold()))
}

/// The vote of this key.
pub(super) fn vote(key: u64, cast: impl FnOnce() -> Vote) -> Made<Vote> {
    look_up(|cache| &mut cache.votes, key, || Made::new(cast()))
}

fn look_up<T: Clone>(
    of: impl Fn(&mut Cache) -> &mut HashMap<u64, T>,
    key: u64,
    make: impl FnOnce() -> T,
) -> T {
    let known = CACHE.with_borrow_mut(|cache| of(cache.as_mut()?).get(&key).cloned());
    if let Some(known) = known {
        return known;
    }
    let made = make();
    CACHE.with_borrow_mut(|cache| {
        let Some(cache) = cache.as_mut() else { return };
        let known = of(cache);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, made.clone());
    });
    made
}
