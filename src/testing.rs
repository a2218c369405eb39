//! What tests of several rooms use: names, and readers of tables in text files.

use crate::ocf::NodeName;

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

/// A node of that name.
pub fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}
