//! Settings that the agent gives a server at its start, over those of its configuration.
//! They last until its next start.

use std::fmt;

use super::capacity::TooSmall;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartOption {
    /// As much of a setting as the WAL demands.
    Larger(TooSmall),
    /// No `restore_command`.
    WithoutArchive,
    /// Another upstream, as `primary_conninfo` has it, and no replication slot there.
    Upstream(String),
}

/// As an option of `postgres`.
impl fmt::Display for StartOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Larger(TooSmall { name, needed, .. }) => write!(f, "-c {name}={needed}"),
            Self::WithoutArchive => f.write_str("-c restore_command="),
            Self::Upstream(conninfo) => {
                // pg_ctl passes its options through a shell.
                let quoted = conninfo.replace('\'', "'\\''");
                write!(f, "-c 'primary_conninfo={quoted}' -c primary_slot_name=")
            }
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

    #[test]
    fn a_shell_hands_on_a_connection_string_as_it_is() {
        let conninfo = r"host='srv3' user='it'\''s; $(false)'";
        let words = StartOption::Upstream(conninfo.to_owned()).to_string();
        let script = format!("printf '%s\n' {words}");
        let shell = std::process::Command::new("sh")
            .args(["-c", &script])
            .output();
        let said = String::from_utf8(shell.unwrap().stdout).unwrap();
        let wanted = format!("-c\nprimary_conninfo={conninfo}\n-c\nprimary_slot_name=\n");
        assert_eq!(said, wanted);
    }
}
