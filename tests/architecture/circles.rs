//! Files that use each other in a circle: none of them can be read, tested or
//! moved without the others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Violation;
use super::arrows::{Arrow, By};

type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The shortest circle through each file that is in one, each circle once.
/// Names that are only passed on do not count.
pub fn all(arrows: &[Arrow]) -> Vec<Violation> {
    let mut graph = Graph::new();
    for arrow in arrows.iter().filter(|arrow| arrow.by == By::Name) {
        graph.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let circles = graph.keys().filter_map(|file| circle(&graph, file));
    let circles: BTreeSet<_> = circles.map(from_the_first).collect();
    circles.iter().map(|circle| violation(circle)).collect()
}

/// The shortest way from `file` back to it.
fn circle<'a>(graph: &Graph<'a>, file: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = VecDeque::from([vec![file]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in graph.get(way.last()?).into_iter().flatten() {
            if *next == file {
                return Some(way);
            }
            if seen.insert(*next) {
                ways.push_back([way.as_slice(), &[*next]].concat());
            }
        }
    }
    None
}

fn from_the_first(mut circle: Vec<&str>) -> Vec<&str> {
    let first = circle.iter().enumerate().min_by_key(|(_, file)| **file);
    let first = first.map_or(0, |(index, _)| index);
    circle.rotate_left(first);
    circle
}

fn violation(circle: &[&str]) -> Violation {
    let around = [circle, &circle[..1]].concat().join(" -> ");
    Violation {
        file: circle[0].to_owned(),
        what: circle[1..].join(" "),
        sentence: format!("A circle of files, none of which can be read alone: {around}."),
    }
}

#[test]
fn a_circle_is_told_once_and_whole() {
    let arrow = |(from, to): (&str, &str)| Arrow {
        from: from.to_owned(),
        line: 1,
        to: to.to_owned(),
        is_test: false,
        by: By::Name,
    };
    let line = [("a", "b"), ("b", "c"), ("a", "c")];
    assert!(all(&line.map(arrow)).is_empty());
    let round = [("a", "b"), ("c", "d"), ("d", "b"), ("b", "c")];
    let mut arrows = round.map(arrow).to_vec();
    let found = all(&arrows);
    assert_eq!(found.len(), 1);
    assert!(found[0].sentence.ends_with(": b -> c -> d -> b."));
    arrows[3].by = By::PassingOn;
    assert!(all(&arrows).is_empty());
}
