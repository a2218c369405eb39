//! The short run: each target, some thousand inputs, the same ones each time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::mutation::Chance;
use super::target::Target;
use super::targets;

const INPUTS: usize = 3_000;
/// Values that no seed has, at least: a target that turns all away at the first byte
/// tries nothing. `force` and the like have few to offer.
const NEW_VALUES: usize = 10;

fn values(target: &Target, input: &[u8]) -> Vec<String> {
    let mut seen = Vec::new();
    let run = || (target.run)(input, &mut |value| seen.push(format!("{value:?}")));
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        let shown = String::from_utf8_lossy(input);
        panic!("{} fails with {shown:?}", target.name);
    }
    seen
}

#[test]
fn every_seed_is_understood() {
    for target in targets() {
        let seeds = (target.seeds)();
        let understood = seeds.iter().flat_map(|seed| values(target, seed)).count();
        assert!(understood > 0, "{}", target.name);
    }
}

#[test]
fn no_target_fails_and_none_turns_all_away() {
    for target in targets() {
        let seeds = (target.seeds)();
        let known: BTreeSet<_> = seeds.iter().flat_map(|seed| values(target, seed)).collect();
        let mut chance = Chance(11);
        let inputs = (0..INPUTS).map(|_| chance.input(&seeds));
        let seen: BTreeSet<_> = inputs.flat_map(|input| values(target, &input)).collect();
        let new = seen.difference(&known).count();
        assert!(new >= NEW_VALUES, "{} saw {new} new values", target.name);
    }
}

#[test]
fn names_are_told_apart() {
    let names: BTreeSet<_> = targets().map(|target| target.name).collect();
    assert_eq!(names.len(), targets().count());
}
