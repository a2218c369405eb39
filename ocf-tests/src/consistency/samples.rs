//! Histories made by hand: what each judge has to say of them.

use super::check::Kind::{self, Disorder, Duplicate, Incompatible, Lost, Phantom, Stale};
use super::check::check;
use super::history::read;
use super::second::opinion;

/// Name, history, what the rules find, and whether the second judge finds something too.
type Sample = (&'static str, &'static str, &'static [Kind], bool);

const SAMPLES: &[Sample] = &[
    (
        "all is well",
        "1-2 ok a1:10
         3-4 ok a1:11
         5-6 ok r1:10,11",
        &[],
        false,
    ),
    (
        "appends that overlap may stand in any order",
        "1-4 ok a1:10
         2-3 ok a1:11
         5-6 ok r1:10,11",
        &[],
        false,
    ),
    (
        "a read that overlaps an append may lack it or have it",
        "1-9 ok a1:10
         2-3 ok r1:
         4-5 ok r1:10
         10-11 ok r1:10",
        &[],
        false,
    ),
    (
        "an unknown append is there",
        "1-2 unknown a1:10
         3-4 ok a1:11
         5-6 ok r1:10,11",
        &[],
        false,
    ),
    (
        "an unknown append is not there",
        "1-2 unknown a1:10
         3-4 ok a1:11
         5-6 ok r1:11",
        &[],
        false,
    ),
    (
        "an unknown append turns up later",
        "1-2 unknown a1:10
         3-4 ok r1:
         5-6 ok r1:10",
        &[],
        false,
    ),
    (
        "a failed append is not there, and a failed read tells nothing",
        "1-2 failed a1:10
         3-4 failed r1:99
         5-6 ok r1:",
        &[],
        false,
    ),
    (
        "two lists in one transaction",
        "1-2 ok a1:10 a2:20
         3-4 ok r1:10 r2:20",
        &[],
        false,
    ),
    (
        "an acknowledged append is gone",
        "1-2 ok a1:10
         3-4 ok a1:11
         5-6 ok r1:10",
        &[Lost],
        true,
    ),
    (
        "all of a list is gone",
        "1-2 ok a1:10
         5-6 ok r1:",
        &[Lost],
        true,
    ),
    (
        "gone although it was seen, and another one stands in its place",
        "1-2 ok a1:10
         3-4 ok r1:10
         5-6 ok a1:11
         7-8 ok r1:11",
        &[Lost, Incompatible],
        true,
    ),
    (
        "an element that nobody appended",
        "1-2 ok a1:10
         3-4 ok r1:10,99",
        &[Phantom],
        false,
    ),
    (
        "an element of a transaction that failed",
        "1-2 failed a1:10
         3-4 ok r1:10",
        &[Phantom],
        true,
    ),
    (
        "an element before it was begun",
        "1-2 ok r1:10
         3-4 ok a1:10
         5-6 ok r1:10",
        &[Phantom],
        true,
    ),
    (
        "an element twice",
        "1-2 ok a1:10
         3-4 ok r1:10,10",
        &[Duplicate],
        true,
    ),
    (
        "two orders",
        "1-9 ok a1:10
         1-9 ok a1:11
         10-12 ok r1:10,11
         10-12 ok r1:11,10",
        &[Incompatible],
        true,
    ),
    (
        "a read lacks what was acknowledged before it began",
        "1-2 ok a1:10
         3-4 ok r1:
         5-6 ok r1:10",
        &[Stale],
        true,
    ),
    (
        "a read lacks what another one saw before it began",
        "1-9 ok a1:10
         2-3 ok r1:10
         4-5 ok r1:
         10-11 ok r1:10",
        &[Stale],
        true,
    ),
    (
        "later appends stand before earlier ones",
        "1-2 ok a1:10
         3-4 ok a1:11
         5-6 ok r1:11,10",
        &[Disorder],
        true,
    ),
    (
        "half a transaction: for this the second judge is there",
        "1-9 unknown a1:10 a2:20
         2-3 ok r1:10
         4-5 ok r2:
         10-11 ok r1:10 r2:20",
        &[],
        true,
    ),
];

#[test]
fn the_rules_find_what_is_wrong_and_nothing_else() {
    for (name, text, kinds, _) in SAMPLES {
        let verdict = check(&read(text).unwrap());
        let found: Vec<Kind> = verdict.kinds().into_iter().collect();
        let mut wanted = kinds.to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{name}: {verdict}");
    }
}

#[test]
fn the_second_judge_agrees_but_for_what_it_has_no_rule_for() {
    for (name, text, _, finds) in SAMPLES {
        let opinion = opinion(&read(text).unwrap());
        assert_eq!(!opinion.is_empty(), *finds, "{name}: {opinion:?}");
    }
}

#[test]
fn what_was_judged_is_counted() {
    let text = "1-2 ok a1:10
                3-4 unknown a1:11
                3-4 failed a1:12
                5-6 ok r1:10
                7-8 ok a1:13";
    let verdict = check(&read(text).unwrap());
    let counts = (verdict.acknowledged, verdict.unknown, verdict.failed);
    assert_eq!(counts, (2, 1, 1));
    assert_eq!((verdict.reads, verdict.unread), (1, 1));
    assert!(verdict.findings.is_empty(), "{verdict}");
}
