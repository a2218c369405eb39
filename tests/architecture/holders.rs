//! Types that hold the request, the parameters and the tools together.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use super::paths::{Token, is_word, tokens};
use super::source::Source;

/// Together these are all that a call of the agent has.
const ALL: [&str; 3] = ["Request", "Parameters", "Tools"];
/// The type that once held them. It may come back in the verbs only.
const CALL: &str = "Call";
/// The room of the verbs.
const VERBS: &str = "actions";

/// Types outside of the verbs that hold all of it, themselves or through what
/// they hold, and places that name the type which once did.
pub fn below_verbs(sources: &[Source]) -> Vec<Violation> {
    let types: Vec<_> = sources.iter().flat_map(types).collect();
    let fields: BTreeMap<_, _> = types.iter().map(|one| (one.name, &one.holds)).collect();
    let below = |one: &&Type<'_>| one.source.room() != VERBS;
    let holds_all = |one: &&Type<'_>| {
        let held = all_held(one, &fields);
        ALL.iter().all(|part| held.contains(part))
    };
    let holders = types.iter().filter(below).filter(holds_all);
    let mut found: Vec<_> = holders.map(violation).collect();
    found.extend(sources.iter().filter_map(names_call));
    found
}

struct Type<'a> {
    source: &'a Source,
    name: &'a str,
    at: usize,
    holds: BTreeSet<&'a str>,
}

fn types(source: &Source) -> Vec<Type<'_>> {
    let tokens = tokens(&source.product);
    let begins = tokens
        .windows(2)
        .enumerate()
        .filter(|(_, two)| matches!(two[0].0, "struct" | "enum") && is_word(two[1].0));
    let of = |(index, two): (usize, &[Token<'_>])| Type {
        source,
        name: name_in(source, two[1]),
        at: two[1].1,
        holds: words_of_body(source, &tokens[index + 2..]),
    };
    begins.map(of).collect()
}

fn name_in<'a>(source: &'a Source, (text, at): Token<'_>) -> &'a str {
    &source.product[at..at + text.len()]
}

/// The words up to the end of the type.
fn words_of_body<'a>(source: &'a Source, tokens: &[Token<'_>]) -> BTreeSet<&'a str> {
    let mut depth = 0;
    let mut words = BTreeSet::new();
    for token in tokens {
        match token.0 {
            "{" | "(" => depth += 1,
            "}" | ")" => depth -= 1,
            ";" => break,
            word if is_word(word) => drop(words.insert(name_in(source, *token))),
            _ => {}
        }
        if depth == 0 && token.0 == "}" {
            break;
        }
    }
    words
}

fn all_held<'a>(
    one: &Type<'a>,
    fields: &BTreeMap<&'a str, &BTreeSet<&'a str>>,
) -> BTreeSet<&'a str> {
    let mut held = one.holds.clone();
    loop {
        let inner = held.iter().filter_map(|name| fields.get(name));
        let more: BTreeSet<_> = inner.flat_map(|words| words.iter().copied()).collect();
        let before = held.len();
        held.extend(more);
        if held.len() == before {
            return held;
        }
    }
}

fn violation(one: &Type<'_>) -> Violation {
    let (file, line) = (&one.source.path, one.source.line(one.at));
    Violation {
        file: file.clone(),
        what: one.name.to_owned(),
        sentence: format!(
            "{file}:{line}: {} holds request, parameters and tools together, below the verbs: \
             who is handed it can do everything, so no signature says what is needed.",
            one.name
        ),
    }
}

fn names_call(source: &Source) -> Option<Violation> {
    if source.room() == VERBS {
        return None;
    }
    let (_, at) = *tokens(&source.code)
        .iter()
        .find(|(word, _)| *word == CALL)?;
    let (file, line) = (&source.path, source.line(at));
    Some(Violation {
        file: file.clone(),
        what: CALL.to_owned(),
        sentence: format!(
            "{file}:{line} names {CALL}, all that a verb was given: below the verbs take the \
             handle or the fact that is needed."
        ),
    })
}

#[test]
fn a_type_that_holds_everything_is_seen_under_any_name() {
    let holds = |path: &str, text: &str| {
        let found = below_verbs(&[Source::new(path, text)]);
        found.into_iter().map(|one| one.what).collect::<Vec<_>>()
    };
    let direct = "struct Context { a: Request, b: &'a Parameters, c: Option<Tools> }";
    let through = "struct Hands(Tools, Parameters);\nstruct Own<'a> { h: Hands, r: &'a Request }";
    let apart = "struct A { t: Tools, p: Parameters }\nstruct B { r: Request }\nfn f(c: Tools) {}";
    assert_eq!(holds("src/steps/a.rs", direct), ["Context"]);
    assert_eq!(holds("src/steps/a.rs", through), ["Own"]);
    assert_eq!(holds("src/steps/a.rs", "fn f(_: &Call) {}"), ["Call"]);
    assert!(holds("src/steps/a.rs", apart).is_empty());
    assert!(holds("src/actions/mod.rs", direct).is_empty());
}
