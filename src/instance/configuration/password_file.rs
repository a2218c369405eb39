//! The password for a role in a file in libpq's form, `host:port:database:user:password`
//! (`src/interfaces/libpq/fe-connect.c`, `passwordFromFile`, versions 12 to 18).
//!
//! Bytes, not text: a password may be in any encoding.

/// What a line must be for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Socket directory, host name or address.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: &'a str,
    /// The role.
    pub role: &'a str,
}

/// The password in the first line that fits; `None` if none does, or it is empty.
///
/// In a line for a socket directory stands the directory, or `localhost`: libpq wants the latter
/// where the directory is the one that it was built with, which differs between distributions.
pub fn find(text: &[u8], wanted: &Wanted<'_>) -> Option<Vec<u8>> {
    let lines = text.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut lines = lines.filter(|line| !line.starts_with(b"#"));
    let password = lines.find_map(|line| password_in(line, wanted))?;
    (!password.is_empty()).then_some(password)
}

fn password_in(line: &[u8], wanted: &Wanted<'_>) -> Option<Vec<u8>> {
    let port = wanted.port.to_string();
    let is_directory = wanted.host.starts_with(['/', '@']);
    let local = if is_directory {
        "localhost"
    } else {
        wanted.host
    };
    let rest = after(line, wanted.host).or_else(|| after(line, local))?;
    let rest = after(rest, &port)?;
    let rest = after(rest, wanted.database)?;
    Some(field(after(rest, wanted.role)?).0)
}

/// What follows the first field, if that is `*` or this.
fn after<'a>(line: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let (value, rest) = field(line);
    rest.filter(|_| value == wanted.as_bytes())
}

/// The first field without its escapes, and what follows its colon, if it has one.
fn field(line: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut value = Vec::new();
    let mut bytes = line.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b':' => return (value, line.get(at.saturating_add(1)..)),
            // One at the end of the line stands for itself.
            b'\\' => value.push(bytes.next().map_or(b'\\', |(_, escaped)| *escaped)),
            other => value.push(*other),
        }
    }
    (value, None)
}

/// Why a file with this mode is not used, which libpq does not use either.
pub fn why_not_used(mode: u32) -> Option<String> {
    (mode & 0o077 != 0).then(|| format!("it has mode {mode:o}: chmod 0600"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WANTED: Wanted<'_> = Wanted {
        host: "/run/postgresql",
        port: 5432,
        database: "postgres",
        role: "pgsqlms",
    };

    fn found(text: &str) -> Option<String> {
        find(text.as_bytes(), &WANTED).map(|password| String::from_utf8(password).unwrap())
    }

    #[test]
    fn table_of_lines() {
        for (line, password) in [
            ("*:*:*:pgsqlms:secret", Some("secret")),
            ("localhost:5432:postgres:pgsqlms:secret", Some("secret")),
            ("/run/postgresql:5432:*:pgsqlms:secret", Some("secret")),
            ("/run/postgresql:5433:*:pgsqlms:secret", None),
            ("10.0.0.1:*:*:pgsqlms:secret", None),
            ("*:*:template1:pgsqlms:secret", None),
            ("*:*:*:postgres:secret", None),
            ("*:*:*:pgsqlms2:secret", None),
            ("*:*:*:pgsqlm:secret", None),
            // A star counts alone, and not escaped.
            ("*:*:*:*sqlms:secret", None),
            (r"*:*:*:\*:secret", None),
            (r"*:*:*:pgsql\ms:secret", Some("secret")),
            (r"*:*:*:pgsqlms:a\:b\\c", Some(r"a:b\c")),
            (r"*:*:*:pgsqlms:a\", Some(r"a\")),
            // What follows a colon that is not escaped is no part of it.
            ("*:*:*:pgsqlms:a:b", Some("a")),
            ("*:*:*:pgsqlms: with blanks ", Some(" with blanks ")),
            ("*:*:*:pgsqlms:dos\r", Some("dos")),
            ("*:*:*:pgsqlms:", None),
            ("*:*:*:pgsqlms", None),
            ("#*:*:*:pgsqlms:secret", None),
            (" *:*:*:pgsqlms:secret", None),
            ("", None),
        ] {
            assert_eq!(found(line).as_deref(), password, "{line:?}");
        }
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# for the agent\n\n*:*:*:postgres:no\n*:*:*:pgsqlms:yes\n*:*:*:*:later\n";
        assert_eq!(found(text).as_deref(), Some("yes"));
    }

    #[test]
    fn a_host_that_is_no_directory_is_compared_as_it_is() {
        let wanted = Wanted {
            host: "10.0.0.1",
            ..WANTED
        };
        assert_eq!(find(b"localhost:*:*:pgsqlms:secret", &wanted), None);
        assert!(find(b"10.0.0.1:*:*:pgsqlms:secret", &wanted).is_some());
    }

    #[test]
    fn a_password_may_be_in_any_encoding() {
        let found = find(b"*:*:*:pgsqlms:\xe9\xff", &WANTED);
        assert_eq!(found.as_deref(), Some(&b"\xe9\xff"[..]));
    }

    #[test]
    fn only_a_private_file_is_used() {
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(why_not_used(mode), None);
        }
        for mode in [0o640, 0o604, 0o660, 0o777] {
            assert!(why_not_used(mode).is_some(), "{mode:o}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_escaped_comes_back(password in "[^\r\n]{1,30}") {
            let escaped = password.replace('\\', r"\\").replace(':', r"\:");
            prop_assert_eq!(found(&format!("*:*:*:pgsqlms:{escaped}")), Some(password));
        }

        #[test]
        fn no_text_panics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = find(&text, &WANTED);
        }
    }
}
