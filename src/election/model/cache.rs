//! What was worked out before: elections, votes, and what nodes know. Most worlds differ in
//! what these do not see.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use super::made::Made;
use super::seen::AsIs;
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

/// A vote, and the ledger of its node by then.
pub(super) type Cast = (Made<Evidence>, Made<Vote>);

type Table<T> = HashMap<u64, T, BuildHasherDefault<AsIs>>;

/// What one thread has worked out, in one scenario.
#[derive(Default)]
pub(super) struct Cache {
    elections: Table<Arc<Election>>,
    votes: Table<Cast>,
    evidence: Table<Made<Evidence>>,
    reigns: Table<Made<Reign>>,
    terms: Table<u64>,
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
pub(super) fn vote(key: u64, cast: impl FnOnce() -> Cast) -> Cast {
    look_up(|cache| &mut cache.votes, key, cast)
}

/// The evidence of this key.
pub(super) fn evidence(key: u64, gather: impl FnOnce() -> Evidence) -> Made<Evidence> {
    look_up(|cache| &mut cache.evidence, key, || Made::new(gather()))
}

/// The reign of this key.
pub(super) fn reign(key: u64, publish: impl FnOnce() -> Reign) -> Made<Reign> {
    look_up(|cache| &mut cache.reigns, key, || Made::new(publish()))
}

/// The last term in this evidence.
pub(super) fn last_term(evidence: &Made<Evidence>) -> u64 {
    let key = evidence.fingerprint();
    look_up(|cache| &mut cache.terms, key, || evidence.last_term())
}

fn look_up<T: Clone>(
    of: impl Fn(&mut Cache) -> &mut Table<T>,
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
