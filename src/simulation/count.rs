//! What a campaign has seen: how often each kind of event was possible and taken, which states,
//! how many promotions and refusals. A simulator that is kind shows here.

use std::collections::{BTreeMap, HashSet};

/// What was counted.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// By kind of event: how often it was possible, how often it came true.
    pub events: BTreeMap<&'static str, (u64, u64)>,
    /// The hashes of the states.
    pub states: HashSet<u64>,
    pub promotions: u64,
    /// Elections that were refused, by the first words of the reason.
    pub refusals: BTreeMap<String, u64>,
    /// Simulations that ended without a primary, with a refusal that says why.
    pub without_primary: BTreeMap<String, u64>,
    pub verbs: u64,
}

impl Counts {
    /// Notes that an event was possible, and whether it came true.
    pub fn event(&mut self, kind: &'static str, came_true: bool) {
        let (possible, taken) = self.events.entry(kind).or_default();
        *possible += 1;
        *taken += u64::from(came_true);
    }

    /// Adds what another thread counted.
    pub fn add(&mut self, other: Self) {
        for (kind, (possible, taken)) in other.events {
            let sum = self.events.entry(kind).or_default();
            (sum.0, sum.1) = (sum.0 + possible, sum.1 + taken);
        }
        self.states.extend(other.states);
        self.promotions += other.promotions;
        self.verbs += other.verbs;
        for (ours, theirs) in [
            (&mut self.refusals, other.refusals),
            (&mut self.without_primary, other.without_primary),
        ] {
            for (reason, count) in theirs {
                *ours.entry(reason).or_default() += count;
            }
        }
    }

    /// The kinds of event that never came true, of these.
    pub fn never<'a>(&self, kinds: &[&'a str]) -> Vec<&'a str> {
        let is_missing =
            |kind: &&&str| self.events.get(**kind).is_none_or(|(_, taken)| *taken == 0);
        kinds.iter().filter(is_missing).copied().collect()
    }
}

/// A reason without names and numbers, so that those of a kind are counted together.
pub fn kind_of(reason: &str) -> String {
    let words = reason.split_whitespace().take(9);
    let plain = words.map(|word| {
        let is_name = word.chars().any(|c| c.is_ascii_digit());
        if is_name { "…" } else { word }
    });
    plain.collect::<Vec<_>>().join(" ")
}
