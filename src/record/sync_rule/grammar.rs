//! The grammar of `synchronous_standby_names`, as PostgreSQL reads it.
//!
//! `list`, `k (list)`, `FIRST k (list)` or `ANY k (list)`. A name is a bare
//! word (letters, digits, `_`, `$`, not beginning with a digit), a number, `*`,
//! or anything in double quotes with `""` for a quote. The case of names is
//! kept; keywords have none.

use std::iter::Peekable;
use std::str::Chars;

use thiserror::Error;

/// How PostgreSQL chooses among the listed standbys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncMethod {
    /// `FIRST k`, or a list without a keyword.
    First,
    /// `ANY k`.
    Any,
}

/// The parts of a setting: how, how many, of whom.
pub(super) type Parts = (SyncMethod, usize, Vec<String>);

/// Why a setting could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SyncRuleError {
    /// A character that begins no word of the grammar.
    #[error("unexpected character {0:?} in synchronous_standby_names")]
    Character(char),
    /// A quoted name without an end.
    #[error("unterminated quoted name in synchronous_standby_names")]
    Unterminated,
    /// Words in an order that the grammar does not know.
    #[error("synchronous_standby_names is not a list of standbys")]
    Grammar,
    /// The number of standbys is zero or out of range.
    #[error("synchronous_standby_names asks for {0} standbys")]
    Count(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Number(String),
    First,
    Any,
    Comma,
    Open,
    Close,
}

/// Reads the setting as PostgreSQL does; `None` if it names nobody, i.e.
/// replication is asynchronous.
pub(super) fn parse(setting: &str) -> Result<Option<Parts>, SyncRuleError> {
    let tokens = tokens(setting)?;
    let (method, count, list) = match tokens.as_slice() {
        [] => return Ok(None),
        [
            Token::First,
            Token::Number(count),
            Token::Open,
            list @ ..,
            Token::Close,
        ] => (SyncMethod::First, count.as_str(), list),
        [
            Token::Any,
            Token::Number(count),
            Token::Open,
            list @ ..,
            Token::Close,
        ] => (SyncMethod::Any, count.as_str(), list),
        [Token::Number(count), Token::Open, list @ .., Token::Close] => {
            (SyncMethod::First, count.as_str(), list)
        }
        list => (SyncMethod::First, "1", list),
    };
    let number: Option<usize> = count.parse().ok().filter(|count| *count > 0);
    let number = number.ok_or_else(|| SyncRuleError::Count(count.to_owned()))?;
    Ok(Some((method, number, names(list)?)))
}

/// Names with commas between them.
fn names(list: &[Token]) -> Result<Vec<String>, SyncRuleError> {
    let name = |item: &[Token]| match item {
        [Token::Name(name) | Token::Number(name)] => Ok(name.clone()),
        _ => Err(SyncRuleError::Grammar),
    };
    list.split(|token| *token == Token::Comma)
        .map(name)
        .collect()
}

fn tokens(setting: &str) -> Result<Vec<Token>, SyncRuleError> {
    let mut rest = setting.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(&character) = rest.peek() {
        if character.is_ascii_whitespace() || character == '\u{b}' {
            rest.next();
            continue;
        }
        tokens.push(token(character, &mut rest)?);
    }
    Ok(tokens)
}

fn token(first: char, rest: &mut Peekable<Chars<'_>>) -> Result<Token, SyncRuleError> {
    if is_word_start(first) {
        return Ok(word(take_while(rest, is_word)));
    }
    if first.is_ascii_digit() {
        return Ok(Token::Number(take_while(rest, |c| c.is_ascii_digit())));
    }
    rest.next();
    match first {
        '"' => quoted(rest).map(Token::Name),
        '*' => Ok(Token::Name("*".to_owned())),
        ',' => Ok(Token::Comma),
        '(' => Ok(Token::Open),
        ')' => Ok(Token::Close),
        other => Err(SyncRuleError::Character(other)),
    }
}

fn word(text: String) -> Token {
    if text.eq_ignore_ascii_case("any") {
        return Token::Any;
    }
    if text.eq_ignore_ascii_case("first") {
        return Token::First;
    }
    Token::Name(text)
}

/// The rest of a quoted name, behind its opening quote.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, SyncRuleError> {
    let mut name = String::new();
    loop {
        match rest.next().ok_or(SyncRuleError::Unterminated)? {
            '"' if rest.peek() == Some(&'"') => {
                rest.next();
                name.push('"');
            }
            '"' => return Ok(name),
            other => name.push(other),
        }
    }
}

fn take_while(rest: &mut Peekable<Chars<'_>>, belongs: impl Fn(char) -> bool) -> String {
    let mut text = String::new();
    while let Some(character) = rest.next_if(|c| belongs(*c)) {
        text.push(character);
    }
    text
}

fn is_word_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || !character.is_ascii()
}

fn is_word(character: char) -> bool {
    is_word_start(character) || character.is_ascii_digit() || character == '$'
}
