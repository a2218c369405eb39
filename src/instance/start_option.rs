//! Settings that the agent gives a server at its start, over those of its configuration.
//! They last until its next start.

use std::fmt;

use super::capacity::TooSmall;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartOption {
    /// As much of a setting as the WAL demands.
    Larger(TooSmall),
    /// No `restore_command`.
    WithoutArchive,
}

/// As an option of `postgres`.
impl fmt::Display for StartOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Larger(TooSmall { name, needed, .. }) => write!(f, "-c {name}={needed}"),
            Self::WithoutArchive => f.write_str("-c restore_command="),
        }
    }
}

/// All of them in one line, as `pg_ctl --options` takes them.
pub fn line(options: &[StartOption]) -> String {
    let each: Vec<_> = options.iter().map(ToString::to_string).collect();
    each.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_words_that_no_shell_changes() {
        let larger = StartOption::Larger(TooSmall {
            name: "max_connections",
            own: 60,
            needed: 200,
        });
        let wanted = "-c max_connections=200 -c restore_command=";
        assert_eq!(line(&[larger, StartOption::WithoutArchive]), wanted);
        assert_eq!(line(&[]), "");
    }
}
