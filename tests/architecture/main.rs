//! The walls of the house, held by reading the sources: who may use whom, no
//! circle of files, nothing but thinking in the rooms that think, no hands but
//! in the wings, and nothing that is too long to be read.
//!
//! Each test fails with one sentence for each place that is wrong.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

mod arrows;
mod circles;
mod crash_points;
mod exceptions;
mod holders;
mod methods;
mod paths;
mod rooms;
mod sizes;
mod source;
mod tree;
mod words;

use std::collections::BTreeSet;

use exceptions::EXCEPTIONS;
use source::Source;
use tree::Tree;

/// What stands in a place where it must not be.
#[derive(Debug)]
struct Violation {
    /// The file that is to be changed.
    file: String,
    /// What is wrong in it, in a word: a room, a name.
    what: String,
    /// What is wrong in it, and why.
    sentence: String,
}

/// Which test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wall {
    Arrow,
    Circle,
    Pure,
    Hands,
    Opening,
    Printing,
    Holder,
    Size,
}

/// Fails if there is a violation that is no exception, or an exception too many.
fn hold(wall: Wall, found: &[Violation]) {
    let of_this_wall = EXCEPTIONS.iter().filter(|(of, ..)| *of == wall);
    let (wrong, stale) = judge(found, &of_this_wall.collect::<Vec<_>>());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(stale.is_empty(), "needed no more in EXCEPTIONS: {stale:?}");
}

type Exception = (Wall, &'static str, &'static str);

fn judge<'a>(found: &[Violation], all: &[&'a Exception]) -> (Vec<String>, Vec<&'a Exception>) {
    let is = |violation: &Violation, (_, file, what): &Exception| {
        violation.file == *file && violation.what == *what
    };
    let is_excused = |violation: &Violation| all.iter().any(|one| is(violation, one));
    let mut told = BTreeSet::new();
    let mut wrong: Vec<_> = found.iter().filter(|one| !is_excused(one)).collect();
    wrong.retain(|one| told.insert((&one.file, &one.what)));
    let wrong = wrong.iter().map(|one| one.sentence.clone()).collect();
    let is_stale = |one: &&&Exception| !found.iter().any(|violation| is(violation, one));
    (wrong, all.iter().filter(is_stale).copied().collect())
}

fn agent() -> Vec<Source> {
    let sources = Source::all_of("src");
    assert!(sources.len() > 80, "only {} files are found", sources.len());
    sources
}

#[test]
fn no_arrow_runs_through_a_wall() {
    let sources = agent();
    let (arrows, _) = Tree::of("pgsqlms", &sources).arrows();
    assert!(arrows.len() > 300, "only {} arrows are found", arrows.len());
    hold(Wall::Arrow, &rooms::forbidden(&arrows));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut found = circles("pgsqlms", &agent());
    found.extend(circles("ocf_tests", &Source::all_of("ocf-tests/src")));
    hold(Wall::Circle, &found);
}

/// Tests inside of a file do not count; files of tests do.
fn circles(name: &str, sources: &[Source]) -> Vec<Violation> {
    let tree = Tree::of(name, sources);
    let mut arrows = tree.arrows().0;
    arrows.retain(|arrow| !arrow.is_test || tree.is_test_file(&arrow.from));
    circles::all(&arrows)
}

#[test]
fn rooms_that_think_touch_nothing() {
    hold(Wall::Pure, &words::in_pure_rooms(&agent()));
}

#[test]
fn files_of_the_server_are_opened_in_one_place() {
    hold(Wall::Opening, &words::opened_elsewhere(&agent()));
}

#[test]
fn text_of_others_is_printed_in_one_place() {
    hold(Wall::Printing, &words::printed_elsewhere(&agent()));
}

#[test]
fn nothing_but_the_wings_has_hands() {
    hold(Wall::Hands, &words::with_hands(&agent()));
}

/// A type that has everything can be handed to everybody: then a signature
/// says nothing.
#[test]
fn nothing_below_the_verbs_holds_request_parameters_and_tools_together() {
    hold(Wall::Holder, &holders::below_verbs(&agent()));
}

#[test]
fn files_and_functions_can_be_read_in_one_go() {
    hold(Wall::Size, &sizes::too_long(&agent()));
}

#[test]
fn an_exception_excuses_one_thing_in_one_file_and_must_be_needed() {
    let violation = |file: &str, what: &str| Violation {
        file: file.to_owned(),
        what: what.to_owned(),
        sentence: format!("{file} {what}"),
    };
    let found = [
        violation("a", "x"),
        violation("a", "y"),
        violation("b", "x"),
    ];
    let (excused, stale) = ((Wall::Arrow, "a", "x"), (Wall::Arrow, "c", "x"));
    let (wrong, left) = judge(&found, &[&excused, &stale]);
    assert_eq!(wrong, ["a y", "b x"]);
    assert_eq!(left, [&stale]);
}
