//! The environment of a server: what Debian's own start gives it, whoever starts it.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::settings;
use crate::instance::configuration::environment;
use crate::ocf::{Deadline, Parameters};
use crate::system::{SystemUser, plain_file};

/// By this file the server gives its children, which do the work, the usual score again: if
/// memory runs out, a backend is ended and not the postmaster (`fork_process.c`).
const OOM_ADJUST: (&str, &str) = ("PG_OOM_ADJUST_FILE", "/proc/self/oom_score_adj");

/// How long the language of messages may take to be read: a start needs the time more.
const LANGUAGE: Duration = Duration::from_secs(5);

/// The language of its messages. Without it, what the server itself logs in another language has
/// question marks in it.
pub fn language(parameters: &Parameters, user: &SystemUser, deadline: Deadline) -> Option<String> {
    settings::read(parameters, user, "lc_messages", deadline.within(LANGUAGE)).ok()
}

/// The variables for a command that starts the server.
pub fn of_server(
    (parameters, user): (&Parameters, &SystemUser),
    language: Option<&str>,
) -> Vec<(String, String)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let language = language.filter(|language| !language.is_empty());
    let mut variables = vec![owned(OOM_ADJUST)];
    variables.extend(language.map(|language| owned(("LANG", language))));
    variables.extend(of_file(parameters, user));
    variables
}

/// What the admin wrote beside postgresql.conf, where that is not in the data directory:
/// `pg_createcluster` puts a file for it there.
fn of_file(parameters: &Parameters, user: &SystemUser) -> Vec<(String, String)> {
    if parameters.pgdata == parameters.datadir {
        return Vec::new();
    }
    let path = parameters.pgdata.join("environment");
    let (variables, strange) = environment::parse(&text_of(&path, user));
    for line in strange {
        log::warn!("{}, line {line}: not NAME = 'value'", path.display());
    }
    variables
}

fn text_of(path: &Path, user: &SystemUser) -> String {
    user.act(|| plain_file::read(path)).unwrap_or_else(|error| {
        if error.kind() != ErrorKind::NotFound {
            log::warn!("Cannot read {}: {error}", path.display());
        }
        String::new()
    })
}
