//! How long files and functions may be.

use super::Violation;
use super::paths::{Token, is_word, tokens};
use super::source::Source;
use super::tree::Tree;

const VERBS: &str = "actions";
const MOST_VERBS: usize = 12;
const LONGEST_VERB: usize = 150;
/// With its tests.
const LONGEST_FILE: usize = 350;
const LONGEST_FUNCTION: usize = 40;
/// Nine of ten functions are no longer.
const USUAL_FUNCTION: usize = 16;

/// Files and functions of the agent that are too long, and verbs too many.
pub fn too_long(sources: &[Source]) -> Vec<Violation> {
    let mut found: Vec<_> = sources.iter().filter_map(file).collect();
    let tree = Tree::of("pgsqlms", sources);
    let product = sources.iter().filter(|s| !tree.is_test_file(&s.path));
    let functions: Vec<_> = product.flat_map(functions).collect();
    found.extend(functions.iter().filter_map(function));
    found.extend(usual(&functions));
    let verbs = sources.iter().filter(|source| source.room() == VERBS);
    let count = verbs.count();
    if count > MOST_VERBS {
        let sentence = format!(
            "src/{VERBS} has {count} files, but {MOST_VERBS} at most: verbs, and what all \
             verbs share."
        );
        found.push(violation("src/actions", "files", sentence));
    }
    found
}

fn violation(file: &str, what: &str, sentence: String) -> Violation {
    Violation {
        file: file.to_owned(),
        what: what.to_owned(),
        sentence,
    }
}

fn file(source: &Source) -> Option<Violation> {
    let limit = if source.room() == VERBS {
        LONGEST_VERB
    } else {
        LONGEST_FILE
    };
    let lines = source.code.lines().count();
    let path = &source.path;
    let sentence = format!("{path} has {lines} lines, but {limit} at most can be read in one go.");
    (lines > limit).then(|| violation(path, "lines", sentence))
}

struct Function<'a> {
    source: &'a Source,
    name: String,
    at: usize,
    /// Between its braces.
    lines: usize,
}

/// The functions of a file that have a body, without its tests.
fn functions(source: &Source) -> Vec<Function<'_>> {
    let tokens = tokens(&source.product);
    let begins = tokens.windows(2).enumerate();
    let begins = begins.filter(|(_, two)| two[0].0 == "fn" && is_word(two[1].0));
    let of = |(index, two): (usize, &[Token<'_>])| {
        Some(Function {
            source,
            name: two[1].0.to_owned(),
            at: two[1].1,
            lines: lines_of_body(source, &tokens[index..])?,
        })
    };
    begins.filter_map(of).collect()
}

fn lines_of_body(source: &Source, tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0;
    let mut begin = None;
    for (token, at) in tokens {
        match *token {
            // A declaration without a body, as traits have.
            ";" if depth == 0 => return None,
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "{" => {
                begin = begin.or((depth == 0).then_some((*at, depth)));
                depth += 1;
            }
            "}" => depth -= 1,
            _ => {}
        }
        if let Some((first, 0)) = begin.filter(|_| depth == 0 && *token == "}") {
            let breaks = source.product[first..*at].matches('\n').count();
            return Some(breaks.saturating_sub(1).max(1));
        }
    }
    None
}

fn function(one: &Function<'_>) -> Option<Violation> {
    let (path, line) = (&one.source.path, one.source.line(one.at));
    let sentence = format!(
        "{path}:{line}: {} has {} lines, but {LONGEST_FUNCTION} at most can be read in one go.",
        one.name, one.lines
    );
    (one.lines > LONGEST_FUNCTION).then(|| violation(path, &one.name, sentence))
}

fn usual(functions: &[Function<'_>]) -> Option<Violation> {
    let mut lengths: Vec<_> = functions.iter().map(|one| one.lines).collect();
    lengths.sort_unstable();
    let usual = *lengths.get(lengths.len() * 9 / 10)?;
    let sentence = format!(
        "One of ten functions in src has {usual} lines or more, but {USUAL_FUNCTION} are the limit."
    );
    (usual > USUAL_FUNCTION).then(|| violation("src", "functions", sentence))
}

#[test]
fn what_is_too_long_is_seen() {
    let found = |path: &str, text: &str| {
        let found = too_long(&[Source::new(path, text)]);
        found.into_iter().map(|one| one.what).collect::<Vec<_>>()
    };
    let body = |lines: usize| format!("fn long(a: [u8; 2]) -> u8 {{{}\n}}\n", "\na;".repeat(lines));
    let short = "fn short() {}\n".repeat(20);
    assert!(found("src/wal/a.rs", &(short.clone() + &body(40))).is_empty());
    assert_eq!(found("src/wal/a.rs", &(short + &body(41))), ["long"]);
    assert!(found("src/wal/a.rs", &body(16)).is_empty());
    assert_eq!(found("src/wal/a.rs", &body(17)), ["functions"]);
    assert_eq!(found("src/wal/a.rs", &"\n".repeat(351)), ["lines"]);
    assert_eq!(found("src/actions/a.rs", &"\n".repeat(151)), ["lines"]);
    let test = format!("#[cfg(test)]\nmod tests {{\n{}}}", body(41));
    assert!(found("src/wal/a.rs", &test).is_empty());
    let verbs: Vec<_> = (0..13)
        .map(|n| Source::new(&format!("src/actions/{n}.rs"), ""))
        .collect();
    assert_eq!(too_long(&verbs)[0].file, "src/actions");
}
