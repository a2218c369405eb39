//! Methods that a room gives to a type of another room. A call of such a method
//! needs no `use`, so it would be an arrow that nobody sees.

use std::collections::BTreeMap;

use super::paths::{Named, Token, is_word, tokens};
use super::source::Source;

/// An `impl` block without a trait: its type, and the names of its functions.
pub struct Block {
    /// The type, as it is written.
    pub of: Named,
    /// Its functions.
    pub functions: Vec<String>,
}

/// The blocks of the product in a file.
pub fn blocks(source: &Source) -> Vec<Block> {
    let tokens = tokens(&source.product);
    let begins = tokens.iter().enumerate().filter(|(index, (word, _))| {
        let before = index.checked_sub(1).map_or("}", |before| tokens[before].0);
        *word == "impl" && matches!(before, "}" | ";" | "]")
    });
    begins
        .filter_map(|(index, _)| block(&tokens[index + 1..]))
        .collect()
}

fn block(tokens: &[Token<'_>]) -> Option<Block> {
    let of = after_generics(tokens);
    let body = of.iter().position(|(sign, _)| *sign == "{")?;
    if of[..body].iter().any(|(word, _)| *word == "for") {
        return None;
    }
    let path = of.iter().take_while(|(t, _)| is_word(t) || *t == "::");
    let path = path.filter(|(t, _)| is_word(t));
    Some(Block {
        of: Named {
            scope: vec![],
            path: path.map(|(word, _)| (*word).to_owned()).collect(),
            at: of[0].1,
        },
        functions: functions(&of[body..]),
    })
}

fn after_generics<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let mut depth = 0;
    for (index, (sign, _)) in tokens.iter().enumerate() {
        match *sign {
            "<" => depth += 1,
            ">" => depth -= 1,
            _ if depth == 0 => return &tokens[index..],
            _ => {}
        }
    }
    &[]
}

fn functions(body: &[Token<'_>]) -> Vec<String> {
    let mut depth = 0;
    let mut found = Vec::new();
    for two in body.windows(2) {
        match two[0].0 {
            "{" => depth += 1,
            "}" => depth -= 1,
            "fn" if depth == 1 => found.push(two[1].0.to_owned()),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// The calls in `source` of methods that are named like one of `methods`: where,
/// and the file that has the method.
pub fn calls(source: &Source, methods: &BTreeMap<String, String>) -> Vec<(usize, String)> {
    let tokens = tokens(&source.code);
    let call = |three: &[Token<'_>]| {
        let [(sign, _), (name, at), (next, _)] = *three else {
            return None;
        };
        let is_call = matches!(sign, "." | "::") && next == "(";
        methods
            .get(name)
            .filter(|_| is_call)
            .map(|file| (at, file.clone()))
    };
    tokens.windows(3).filter_map(call).collect()
}

#[test]
fn blocks_of_a_type_are_found_with_their_functions() {
    let text = "impl fmt::Display for A { fn fmt() {} }\n\
                impl<'a, T: B<C>> super::D<'a, T> { fn e(f: impl Fn()) { fn g() {} } pub fn h() {} }";
    let found = blocks(&Source::new("src/a.rs", &format!("struct X;\n{text}")));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].of.path, ["super", "D"]);
    assert_eq!(found[0].functions, ["e", "h"]);
}
