//! Every message that this agent can give has an id, and docs/troubleshooting.md an entry for it.
//!
//! The messages are collected from the source: texts of error types, reasons of failures,
//! warnings and errors in logs. Their ids are in `src/ocf/ids.txt`. An entry is a heading or the
//! first cell of a table row with the message between backticks, and with `…` in the place of what
//! varies, and behind it the id in brackets.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../src/ocf/ids.rs"]
mod ids;

/// What a message is given to, up to its opening parenthesis.
const GIVERS: &[&str] = &[
    "#[error(",
    "Failure::soft(",
    "Failure::new(",
    "arguments(",
    "not_installed(",
    "log::warn!(",
    "log::error!(",
];

/// Files whose sentences are put together elsewhere than where they are given.
const SENTENCES: &[(&str, &[&str])] = &[
    ("src/steps/rejoin/diverged.rs", &["format!("]),
    ("src/steps/offer.rs", &["format!("]),
    ("src/steps/foreign_scores.rs", &["format!("]),
    ("src/postgres/own_files.rs", &["text = format!("]),
    ("src/admin/force_promotion.rs", &["text = format!("]),
    ("src/admin/forget.rs", &["record = format!("]),
    ("src/election/scores/readiness.rs", &["format!("]),
    ("src/admin/switchover.rs", &["record = format!("]),
    ("src/ocf/clone.rs", &["format!("]),
    ("src/ocf/parameter.rs", &["write!("]),
    (
        "src/instance/configuration/mod.rs",
        &["format!(", "Some(", ".then(|| "],
    ),
    ("src/instance/configuration/slots.rs", &["format!("]),
    (
        "src/instance/configuration/hosts.rs",
        &["format!(", ".then(|| {"],
    ),
    (
        "src/election/scores/roster.rs",
        &["write!(f, ", "f.write_str("],
    ),
    ("src/instance/answer.rs", &["write!(f, ", "f.write_str("]),
];

#[test]
fn every_message_has_an_id() {
    let messages = messages();
    let missing: Vec<_> = messages
        .iter()
        .filter(|one| ids::of(one).is_none())
        .collect();
    assert!(
        missing.is_empty(),
        "src/ocf/ids.txt lacks a row for:\n{missing:#?}"
    );
}

#[test]
fn every_id_is_of_a_message() {
    let given: BTreeSet<_> = messages().iter().filter_map(|one| ids::of(one)).collect();
    let stale: Vec<_> = ids::all().filter(|(id, _)| !given.contains(id)).collect();
    assert!(stale.is_empty(), "no source has: {stale:#?}");
}

/// Else one of them could never be told from the other.
#[test]
fn no_two_sentences_fit_equally_well() {
    for (id, sentence) in ids::all() {
        let message = sentence.replace('…', "x1");
        assert_eq!(ids::of(&message), Some(id), "{sentence}");
    }
}

#[test]
fn every_id_has_one_entry_with_its_sentence() {
    let entries = entries();
    let rows: Vec<_> = ids::all()
        .map(|(id, text)| (id.to_owned(), text.to_owned()))
        .collect();
    let is_missing = |row: &&(String, String)| !entries.contains(row);
    let missing: Vec<_> = rows.iter().filter(is_missing).collect();
    assert!(
        missing.is_empty(),
        "docs/troubleshooting.md lacks an entry for:\n{missing:#?}"
    );
    let stale: Vec<_> = entries
        .iter()
        .filter(|entry| !rows.contains(entry))
        .collect();
    assert!(
        stale.is_empty(),
        "src/ocf/ids.txt has no row for: {stale:#?}"
    );
    assert_eq!(entries.len(), rows.len(), "an id has two entries");
}

#[test]
fn messages_are_found_where_the_source_gives_them() {
    let source = r##"
        #[error("a {0}, \"b\" \
                 and c")]
        Failure::new(OcfExit::Generic, format!("d ({})", e("x")));
        Failure::soft(error.to_string());
        #[error(transparent)]
        other("not this");
    "##;
    let found: Vec<_> = literals(source, GIVERS).iter().map(|t| plain(t)).collect();
    assert_eq!(found, ["a …, \"b\" and c", "d (…)"]);
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The messages of the source, without those that only pass another one on.
fn messages() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let mut givers = GIVERS.to_vec();
        let more = SENTENCES.iter().filter(|(file, _)| path.ends_with(file));
        givers.extend(more.flat_map(|(_, givers)| *givers));
        all.extend(literals(code, &givers).iter().map(|literal| plain(literal)));
    }
    all.retain(|message| message.contains(' ') && message.contains(char::is_alphabetic));
    assert!(all.len() > 80, "only {} messages are found", all.len());
    all
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        if path.is_dir() && name != "model" {
            files.extend(sources(&path));
        } else if name.ends_with(".rs") && !name.contains("tests") && name != "properties.rs" {
            files.push(path);
        }
    }
    files
}

/// The first string literal of each call of one of `givers`.
fn literals(code: &str, givers: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for giver in givers {
        for (at, _) in code.match_indices(giver) {
            found.extend(literal_in_call(&code[at + giver.len()..]));
        }
    }
    found
}

fn literal_in_call(code: &str) -> Option<String> {
    let mut depth = 1;
    let mut characters = code.chars();
    while depth > 0 {
        match characters.next()? {
            '"' => return Some(literal(characters.as_str())),
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The literal that begins here, its escapes undone.
fn literal(code: &str) -> String {
    let mut text = String::new();
    let mut characters = code.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => match characters.next() {
                // A line that goes on: the blanks before its rest do not count.
                Some('\n') => characters = characters.as_str().trim_start().chars(),
                Some(escaped) => text.push(escaped),
                None => break,
            },
            other => text.push(other),
        }
    }
    text
}

/// The message with `…` in the place of each value.
fn plain(message: &str) -> String {
    let mut text = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        text.push('…');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    text + rest
}

/// Ids and messages that the page has entries for; an entry without a text is none.
fn entries() -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let lines: Vec<&str> = page.lines().collect();
    let mut all = Vec::new();
    let mut in_table = false;
    for (index, line) in lines.iter().enumerate() {
        in_table = line.starts_with("| message ") || (in_table && line.starts_with('|'));
        if in_table {
            all.extend(row(line));
        } else if let Some(heading) = line.strip_prefix("### ") {
            all.extend(entry(heading).filter(|_| has_text(&lines[index + 1..])));
        }
    }
    all
}

/// The entry in a row that says anything about it.
fn row(line: &str) -> Option<(String, String)> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let says = cells[1..].iter().any(|cell| !cell.is_empty());
    entry(cells[0]).filter(|_| says)
}

/// Is there a text before the next heading?
fn has_text(below: &[&str]) -> bool {
    let first = below.iter().find(|line| !line.is_empty());
    first.is_some_and(|line| !line.starts_with('#'))
}

/// "`message` [id]"
fn entry(text: &str) -> Option<(String, String)> {
    let (message, id) = text.trim().strip_prefix('`')?.rsplit_once("` [")?;
    Some((id.strip_suffix(']')?.to_owned(), message.to_owned()))
}
