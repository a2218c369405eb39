//! docs/reference.md describes every parameter, with its default, and every action.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The rows of the page's tables that begin with a word between backticks or without.
fn row<'a>(page: &'a str, word: &str) -> Vec<&'a str> {
    let is_its = |line: &&str| {
        let first = line.trim_matches('|').split('|').next().unwrap_or_default();
        let mut words = first.split(',').map(|word| word.trim().trim_matches('`'));
        line.starts_with('|') && words.any(|listed| listed == word)
    };
    page.lines().filter(is_its).collect()
}

#[test]
fn every_parameter_is_described_with_its_default() {
    let (page, xml) = (read("docs/reference.md"), read("metadata.xml"));
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    let metadata = roxmltree::Document::parse_with_options(&xml, options).unwrap();
    for parameter in metadata
        .descendants()
        .filter(|n| n.has_tag_name("parameter"))
    {
        let name = parameter.attribute("name").unwrap();
        let content = parameter.children().find(|n| n.has_tag_name("content"));
        let default = content.unwrap().attribute("default").unwrap_or_default();
        let rows = row(&page, name);
        let described = rows.iter().any(|row| row.contains(&format!("| {default}")));
        assert!(described, "{name}, default {default:?}: {rows:?}");
        let restarts = parameter.attribute("unique") == Some("1");
        let effect = if restarts { "restart" } else { "reload" };
        assert!(
            rows.iter().any(|row| row.contains(effect)),
            "{name}: {effect}"
        );
    }
}

#[test]
fn every_action_is_described() {
    let (page, xml) = (read("docs/reference.md"), read("metadata.xml"));
    for line in xml.lines().filter(|line| line.starts_with("<action ")) {
        let name = line.split('"').nth(1).unwrap();
        assert!(!row(&page, name).is_empty(), "{name}");
    }
}
