//! The parameter `start_opts` as words. `pg_ctl -o` has a shell split it; what
//! is run without a shell has to come to the same words.

/// Splits as a shell does, without expanding anything. `None` where only a
/// shell would know: an open quote, a variable, a command.
pub fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        // A shell splits at these alone.
        if matches!(next, ' ' | '\t') {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match next {
            '\'' => word.push_str(&until_quote(&mut rest)?),
            '"' => word.push_str(&until_double_quote(&mut rest)?),
            // A newline behind it is no character at all.
            '\\' => word.push(rest.next().filter(|c| *c != '\n')?),
            '$' | '`' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '*' | '?' | '~' | '#' | '['
            | '{' | '\n' => {
                return None;
            }
            other => word.push(other),
        }
    }
    words.extend(word);
    Some(words)
}

fn until_quote(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut quoted = String::new();
    loop {
        match rest.next()? {
            '\'' => return Some(quoted),
            other => quoted.push(other),
        }
    }
}

fn until_double_quote(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut quoted = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(quoted),
            '$' | '`' => return None,
            '\\' => match rest.next()? {
                escaped @ ('\\' | '"' | '$' | '`') => quoted.push(escaped),
                other => quoted.extend(['\\', other]),
            },
            other => quoted.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text).unwrap()
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            words("-c config_file=/etc/postgresql/15/main/postgresql.conf"),
            ["-c", "config_file=/etc/postgresql/15/main/postgresql.conf"]
        );
        assert_eq!(
            words(r#" -c 'a b'  -c "c \"d\"" e\ f '' "#),
            ["-c", "a b", "-c", "c \"d\"", "e f", ""]
        );
        assert!(words("  ").is_empty());
    }

    #[test]
    fn what_only_a_shell_knows_is_not_guessed() {
        for text in [
            "-c 'open", "\"open", "$HOME", "`id`", "\"$x\"", "a;b", "\\", "[a]", "{a,b}", "a\nb",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_words_come_back_from_quotes(all in proptest::collection::vec("[^'\0]{0,9}", 0..5)) {
            let quoted: Vec<_> = all.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(split(&quoted.join(" ")), Some(all));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = split(&text);
        }
    }
}
