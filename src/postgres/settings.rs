//! A setting as the server would have it if it started now, from its own
//! configuration files: `postgres -C`. Starts nothing, and says which line of
//! which file is wrong.

use std::process::Command;
use std::thread;

use thiserror::Error;

use crate::instance::configuration::words;
use crate::ocf::{Deadline, Parameters};
use crate::system::SystemUser;
use crate::system::program::{self, ProgramError};
use crate::system::user::IdentityError;

/// Why there is no value.
#[derive(Debug, Error)]
pub enum SettingError {
    /// postgres did not run or end.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// It cannot run as the system user.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Only a shell could tell what the options are.
    #[error("start_opts has characters that only a shell can interpret")]
    Options,
    /// The configuration is wrong, in the server's words.
    #[error("{0}")]
    Refused(String),
}

/// The value of the setting `name`.
pub fn read(
    parameters: &Parameters,
    user: &SystemUser,
    name: &str,
    deadline: Deadline,
) -> Result<String, SettingError> {
    let mut command = postgres(parameters, &["-C", name])?;
    user.dress_with_groups(&mut command);
    let ended = program::run(&mut command, deadline)?;
    if ended.status.success() {
        return Ok(ended.stdout.trim_end_matches('\n').to_owned());
    }
    Err(SettingError::Refused(error_line(&ended.stderr).to_owned()))
}

/// Reads several settings, each by `read`, which is a process of its own: a start is part
/// of every recovery.
pub fn read_at_once(
    names: &[&'static str],
    read: impl Fn(&str) -> Result<String, SettingError> + Sync,
) -> Vec<(&'static str, Result<String, SettingError>)> {
    let read = &read;
    thread::scope(|scope| {
        let ask = |name: &'static str| {
            let asked = thread::Builder::new().spawn_scoped(scope, move || read(name));
            (name, asked.ok())
        };
        let asked: Vec<_> = names.iter().copied().map(ask).collect();
        let answer = |(name, thread): (_, Option<thread::ScopedJoinHandle<'_, _>>)| {
            let answer = thread.and_then(|thread| thread.join().ok());
            (name, answer.unwrap_or_else(|| read(name)))
        };
        asked.into_iter().map(answer).collect()
    })
}

/// The server's program on this instance's configuration. The first word says
/// what it is to be.
pub fn postgres(parameters: &Parameters, first: &[&str]) -> Result<Command, SettingError> {
    let options = parameters.start_opts.as_deref().unwrap_or_default();
    let options = words::split(options).ok_or(SettingError::Options)?;
    let mut command = Command::new(parameters.program("postgres"));
    command.args(first).arg("-D").arg(&parameters.pgdata);
    command.args(options);
    Ok(command)
}

/// The first line that the server logged, without its prefix: for a bad
/// configuration it names file and line.
pub fn error_line(output: &str) -> &str {
    let text = |line| {
        let after = |level| str::split_once(line, level).map(|(_, text)| text);
        after("LOG:  ").or_else(|| after("FATAL:  "))
    };
    let logged = output.lines().find_map(text);
    let first = || output.lines().find(|line| !line.trim().is_empty());
    logged.or_else(first).unwrap_or("it did not say why").trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_line_that_is_wrong_is_named() {
        let output = "2026-11-24 19:00:00 UTC [7] LOG:  syntax error in file \"/etc/x.conf\" \
                      line 3, near token \"=\"\n\
                      2026-11-24 19:00:00 UTC [7] FATAL:  configuration file \"/etc/x.conf\" \
                      contains errors\n";
        let wanted = "syntax error in file \"/etc/x.conf\" line 3, near token \"=\"";
        assert_eq!(error_line(output), wanted);
        assert_eq!(error_line("postgres: odd\n"), "postgres: odd");
        assert_eq!(error_line(""), "it did not say why");
    }

    proptest! {
        #[test]
        fn no_output_panics(text in "(?s).*") {
            let _ = error_line(&text);
        }
    }
}
