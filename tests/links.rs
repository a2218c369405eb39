//! Links between the documents lead to files and headings that are there.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let here = ["README.md", "CONTRIBUTING.md", "ocf-tests/README.md"];
    let mut all: Vec<_> = here.iter().map(|name| root().join(name)).collect();
    let docs = fs::read_dir(root().join("docs")).unwrap().flatten();
    let docs = docs.map(|entry| entry.path());
    all.extend(docs.filter(|path| path.extension().is_some_and(|e| e == "md")));
    all
}

/// Targets of `[text](target)`, outside of blocks of commands.
fn targets(text: &str) -> Vec<&str> {
    let mut in_block = false;
    let lines = text.lines().filter(|line| {
        in_block ^= line.starts_with("```");
        !in_block
    });
    let after = lines.flat_map(|line| line.split("](").skip(1));
    after
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .collect()
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut in_block = false;
    let headings = text.lines().filter(|line| {
        in_block ^= line.starts_with("```");
        !in_block && line.starts_with('#')
    });
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

fn broken(document: &Path, target: &str) -> Option<String> {
    if target.starts_with("http") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => document.to_owned(),
        file => document.parent().unwrap().join(file),
    };
    if !path.exists() {
        return Some(format!("{}: no file {target}", document.display()));
    }
    let found = anchor.is_empty()
        || anchors(&fs::read_to_string(&path).unwrap()).contains(&anchor.to_owned());
    (!found).then(|| format!("{}: no heading {target}", document.display()))
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    let mut all = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in targets(&text) {
            seen += 1;
            all.extend(broken(&document, target));
        }
    }
    assert!(seen > 40, "only {seen} links");
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn anchors_are_those_of_github() {
    let found = anchors("# A `b`: c-d\n```text\n# no\n```\n### 3. E, f\n");
    assert_eq!(found, ["a-b-c-d", "3-e-f"]);
    assert_eq!(
        targets("[a](b.md#c) and [d](e)\n```\n[f](g)\n```\n"),
        ["b.md#c", "e"]
    );
}
