//! What `pg_rewind --dry-run --progress` says it would do (in the C locale,
//! PostgreSQL `src/bin/pg_rewind/pg_rewind.c`).

use crate::wal::Lsn;

/// What a rewind would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    /// Where pg_rewind sees that the two servers diverged.
    pub fork: Lsn,
    /// What it would copy.
    pub megabytes: Option<u64>,
}

impl Preview {
    /// Reads the output; `None` where it sees nothing to rewind, which it also
    /// does while the primary's control file still has the old timeline.
    pub fn parse(output: &str) -> Option<Self> {
        let after = |key: &str| output.lines().find_map(|line| line.split_once(key));
        if after("no rewind required").is_some() {
            return None;
        }
        let (_, place) = after("servers diverged at WAL location ")?;
        let fork = Lsn::from_hex(place.split_whitespace().next()?).ok()?;
        let megabytes = after("need to copy ").and_then(|(_, rest)| {
            let number = rest.split_whitespace().next()?;
            number.parse().ok()
        });
        Some(Self { fork, megabytes })
    }
}

/// The line of a program's output that says why it failed: `pg_rewind: error:
/// could not …`, or the first one there is.
pub fn error_line(output: &str) -> &str {
    let lines = || {
        output
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let words = ["error: ", "fatal: ", "FATAL:  "];
    let said = lines().find_map(|line| {
        let at = |word: &&str| line.split_once(word).map(|(_, text)| text);
        words.iter().find_map(at)
    });
    said.or_else(|| lines().next())
        .unwrap_or("it did not say why")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DRY_RUN: &str = "pg_rewind: connected to server\n\
        pg_rewind: servers diverged at WAL location 0/5000110 on timeline 1\n\
        pg_rewind: rewinding from last common checkpoint at 0/50000D8 on timeline 1\n\
        pg_rewind: need to copy 52 MB (total source directory size is 68 MB)\n\
        pg_rewind: Done!\n";

    #[test]
    fn a_preview_tells_where_and_how_much() {
        let preview = Preview::parse(DRY_RUN).unwrap();
        assert_eq!(preview.fork, Lsn::from(0x500_0110));
        assert_eq!(preview.megabytes, Some(52));
    }

    #[test]
    fn nothing_to_rewind_is_no_preview() {
        let output = "pg_rewind: source and target cluster are on the same timeline\n\
                      pg_rewind: no rewind required\n";
        assert_eq!(Preview::parse(output), None);
        assert_eq!(Preview::parse(&format!("{DRY_RUN}{output}")), None);
        assert_eq!(Preview::parse(""), None);
    }

    #[test]
    fn a_complaint_is_the_error_itself() {
        let output = "pg_rewind: connected to server\npg_rewind: error: could not find\nmore\n";
        assert_eq!(error_line(output), "could not find");
        assert_eq!(error_line("\nodd\n"), "odd");
        assert_eq!(error_line(""), "it did not say why");
    }

    proptest! {
        #[test]
        fn no_output_panics(output in "(?s).*") {
            let _ = Preview::parse(&output);
            let _ = error_line(&output);
        }
    }
}
