//! Hands a line to whom an admin has named: a file, or a program.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use super::plain_file;
use super::program::{self, ProgramError};
use crate::ocf::Deadline;

/// The admin's group may read it.
const MODE: u32 = 0o640;

/// Adds a line to a file, which is made if it is not there. No link is followed.
pub fn append(path: &Path, line: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(MODE);
    // One write, so that lines of several events do not mix.
    plain_file::open(&options, path)?.write_all(format!("{line}\n").as_bytes())
}

/// Runs a program with these words, and the line as the last one, which is also in the
/// environment; what it said where it failed.
pub fn run(words: &[String], line: &str, deadline: Deadline) -> Result<(), String> {
    let Some((name, arguments)) = words.split_first() else {
        return Err("no program is named".to_owned());
    };
    let mut command = Command::new(name);
    command.args(arguments).arg(line).env("PGSQLMS_EVENT", line);
    let ended =
        program::run(&mut command, deadline).map_err(|error: ProgramError| error.to_string())?;
    if ended.status.success() {
        return Ok(());
    }
    Err(format!(
        "{name} failed ({}): {}",
        ended.status,
        ended.stderr.trim()
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::in_ms;

    #[test]
    fn lines_are_added_to_the_file_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        for line in ["a", "b"] {
            append(&path, line).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\nb\n");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(append(&link, "c").is_err());
    }

    #[test]
    fn a_program_is_given_the_line_and_not_waited_for_for_ever() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let test = words("/usr/bin/test a =");
        assert_eq!(run(&test, "a", in_ms(5_000)), Ok(()));
        assert!(
            run(&test, "b", in_ms(5_000))
                .unwrap_err()
                .contains("failed")
        );
        assert!(run(&words("/nonexistent/x"), "a", in_ms(5_000)).is_err());
        let late = run(&words("/bin/sleep"), "99", in_ms(50)).unwrap_err();
        assert!(late.contains("did not end in time"), "{late}");
    }
}
