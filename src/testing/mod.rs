//! What tests of several rooms use: names, deadlines, readers of tables in text files,
//! and the journal of the fakes.
//!
//! No part of the agent: compiled for tests only.

pub mod journal;

use std::time::{Duration, Instant};

use crate::ocf::{Deadline, NodeName};

/// One paragraph of a table.
pub struct Case<'a> {
    pub text: &'a str,
    pub facts: Vec<&'a str>,
    pub expected: String,
}

/// The cases of a table.
pub fn cases(table: &str) -> Vec<Case<'_>> {
    table
        .split("\n\n")
        .filter(|text| text.contains("\n----"))
        .map(case)
        .collect()
}

fn case(text: &str) -> Case<'_> {
    let (facts, expected) = text.split_once("\n----").unwrap();
    let facts = facts.lines().map(str::trim);
    Case {
        text,
        facts: facts
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect(),
        expected: expected.trim().to_owned(),
    }
}

/// Holds `answer` to every case of a table and shows all that differ.
pub fn check(table: &str, answer: impl Fn(&[&str]) -> String) {
    let cases = cases(table);
    let differs = |case: &&Case<'_>| answer(&case.facts).trim() != case.expected;
    let wrong: Vec<String> = cases
        .iter()
        .filter(differs)
        .map(|case| format!("{}\n==== but got\n{}\n", case.text, answer(&case.facts)))
        .collect();
    assert!(!cases.is_empty(), "the table has no case");
    assert!(
        wrong.is_empty(),
        "{} of {} cases\n\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Holds `answer` to every row of a table. A row has the facts in columns, then `|`,
/// then what must come out. Lines that begin with `#` explain.
pub fn check_rows(table: &str, answer: impl Fn(&[&str]) -> String) {
    let rows = table
        .lines()
        .filter(|row| !row.trim().is_empty() && !row.starts_with('#'));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for row in rows {
        let (facts, expected) = row.split_once('|').unwrap_or_else(|| panic!("{row:?}"));
        let facts: Vec<_> = facts.split_whitespace().collect();
        let got = answer(&facts);
        if !got.split_whitespace().eq(expected.split_whitespace()) {
            wrong.push(format!("{row}\n    but got {got}"));
        }
        seen += 1;
    }
    assert!(seen > 0, "the table has no row");
    assert!(
        wrong.is_empty(),
        "{} of {seen} rows\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A node of that name.
pub fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

/// A deadline `milliseconds` from now.
pub fn in_ms(milliseconds: u64) -> Deadline {
    Deadline::of_action(Instant::now(), None).within(Duration::from_millis(milliseconds))
}
