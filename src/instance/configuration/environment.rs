//! Debian's file `environment` beside postgresql.conf: variables that the server and its
//! commands (archive_command, TLS passphrases, extensions) find in their environment.
//!
//! It has the same syntax as postgresql.conf: `NAME = value`, with a value in single
//! quotes where it is more than letters, digits, `-`, `_` and `.`.

/// The variables of the file, in its order, and the numbers of the lines that are none.
pub fn parse(text: &str) -> (Vec<(String, String)>, Vec<usize>) {
    let (mut variables, mut strange) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match variable(line) {
            Some(pair) => variables.push(pair),
            None => strange.push(number + 1),
        }
    }
    (variables, strange)
}

fn variable(line: &str) -> Option<(String, String)> {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (name, rest) = line.split_at(end);
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let (value, rest) = match rest.strip_prefix('\'') {
        Some(quoted) => unquoted(quoted)?,
        None => plain(rest),
    };
    let rest = rest.trim_start();
    let is_whole = begins_well && (rest.is_empty() || rest.starts_with('#'));
    // The system refuses a command with such a value.
    (is_whole && !value.contains('\0')).then(|| (name.to_owned(), value))
}

/// The text before the closing quote, and what follows it. Two quotes are one, and a
/// backslash takes the next character as it is.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '\\' => value.push(rest.next()?),
            '\'' if rest.as_str().starts_with('\'') => value.extend(rest.next()),
            '\'' => return Some((value, rest.as_str())),
            other => value.push(other),
        }
    }
}

fn plain(text: &str) -> (String, &str) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = text.find(|c| !is_plain(c)).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    (value.to_owned(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<(String, String)>, Vec<usize>) {
        parse(text)
    }

    #[test]
    fn variables_are_read_as_debian_writes_them() {
        let text = "# comment\n\nLANG = de_DE.UTF-8\nA='x y'  # why\nB 'it''s \\'q\\''\nEMPTY=\n";
        let (variables, strange) = parsed(text);
        let expected = [
            ("LANG", "de_DE.UTF-8"),
            ("A", "x y"),
            ("B", "it's 'q'"),
            ("EMPTY", ""),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables, expected);
        assert!(strange.is_empty());
    }

    #[test]
    fn lines_that_are_no_variable_are_named() {
        let text = "1A = x\nA = 'open\nB = $(date)\nC = 'x' y\n= x\nD='a\0b'\nGOOD = 1";
        let (variables, strange) = parsed(text);
        assert_eq!(variables, [("GOOD".to_owned(), "1".to_owned())]);
        assert_eq!(strange, [1, 2, 3, 4, 5, 6]);
    }
}
