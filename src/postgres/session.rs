//! Questions to the server, each within a deadline that also holds against a stopped server.
//!
//! `connect_timeout` bounds connect(2) only, and dropping a client of a
//! stopped server blocks. So the client is used in a thread that may be left
//! behind: the process ends soon after.
//!
//! An action asks all of its questions on one connection: for each new one PostgreSQL forks a
//! process, and clients wait for those of a promotion.
//!
//! The session is the agent's own. What a role, a database or the configuration
//! set as defaults is for applications; the agent would fail by it
//! (`default_transaction_isolation=serializable` forbids every query on a hot
//! standby) or run functions of somebody else (`search_path`). Settings in the
//! startup packet beat them all (`PGC_S_CLIENT`, `src/include/utils/guc.h`).

use std::cell::RefCell;
use std::io::ErrorKind;
use std::mem::ManuallyDrop;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use ::postgres::error::SqlState;
use ::postgres::{Client, Config, Error, NoTls};

use super::secrets::Secrets;
use super::version_file;
use crate::instance::answer::NoAnswer;
use crate::ocf::{Deadline, Parameters};
use crate::system::SystemUser;

const PAUSE: Duration = Duration::from_millis(50);

/// Databases to ask in: nothing that is asked depends on which. The second one is for a
/// server on which the first was dropped, renamed or closed; initdb makes both.
const DATABASES: [&str; 2] = ["postgres", "template1"];

/// Settings that could make a question fail, wait or mean something else, since
/// which version, and what the agent has instead. From the list of all that a role or
/// database can set (`src/backend/utils/misc/guc_tables.c`, versions 12 to 18).
const PINNED: [(&str, u32, &str); 20] = [
    // Under these a standby answers nothing, a primary waits for a safe snapshot, or
    // the write probe is refused.
    ("default_transaction_isolation", 12, "read committed"),
    ("default_transaction_read_only", 12, "off"),
    ("default_transaction_deferrable", 12, "off"),
    // The agent's own deadlines say how long is waited.
    ("statement_timeout", 12, "0"),
    ("lock_timeout", 12, "0"),
    ("idle_in_transaction_session_timeout", 12, "0"),
    ("idle_session_timeout", 14, "0"),
    ("transaction_timeout", 17, "0"),
    ("post_auth_delay", 12, "0"),
    // Whose functions and views are meant, and with whose rights.
    ("search_path", 12, "pg_catalog"),
    ("role", 12, "none"),
    ("row_security", 12, "on"),
    // Code of others at the begin of a session; a library may be missing on a node.
    ("event_triggers", 17, "off"),
    ("session_replication_role", 12, "origin"),
    ("session_preload_libraries", 12, ""),
    ("local_preload_libraries", 12, ""),
    // Work that a short question is not worth.
    ("jit", 12, "off"),
    ("max_parallel_workers_per_gather", 12, "0"),
    ("ignore_system_indexes", 12, "off"),
    ("client_min_messages", 12, "warning"),
];

/// Those of them that only a superuser may set: for any other the server would refuse the session.
const OF_SUPERUSERS: [&str; 3] = [
    "event_triggers",
    "session_replication_role",
    "session_preload_libraries",
];

/// The connection of one action, from its first question on.
#[derive(Default)]
pub struct Session(RefCell<Option<Client>>);

/// What a thread comes back with.
type Answered<T> = (Result<T, Error>, Option<Client>);

impl Session {
    /// Asks `question` as the system user, who logs in under its own name or as `db_role`. Where a
    /// connection of before fails by it, it is asked once more on a new one: the server may have
    /// been restarted since.
    pub fn ask<T: Send + 'static>(
        &self,
        (parameters, user): (&Parameters, &SystemUser),
        deadline: Deadline,
        question: impl Fn(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        if deadline.passed() {
            return Err(NoAnswer::NotAsked);
        }
        let secrets = Secrets::of(parameters, user);
        let configs = DATABASES.map(|name| {
            let mut config = config(parameters, user, deadline);
            secrets.add_to(config.dbname(name), parameters, name);
            config
        });
        let (sender, receiver) = mpsc::channel();
        let worn = user
            .wear()
            .map_err(|error| NoAnswer::Unknown(error.to_string()))?;
        let kept = self.0.take().map(ManuallyDrop::new);
        let spawned = thread::Builder::new().spawn(move || {
            let kept = kept.map(ManuallyDrop::into_inner);
            let answered = on_kept(kept, &question);
            drop(sender.send(answered.unwrap_or_else(|| on_new(&configs, deadline, &question))));
        });
        let answer = receiver.recv_timeout(deadline.left());
        drop(worn);
        // The limit of processes is reached: that says nothing of the server.
        spawned.map_err(|error| {
            NoAnswer::Busy(format!("cannot start a thread for the query: {error}"))
        })?;
        match answer {
            Ok((answer, client)) => {
                self.0.replace(client);
                answer.map_err(|error| {
                    // It may be of a connection that is broken.
                    self.end();
                    secrets.explain(refusal(&error))
                })
            }
            Err(RecvTimeoutError::Timeout) => Err(NoAnswer::Silent),
            Err(RecvTimeoutError::Disconnected) => Err(NoAnswer::CutOff),
        }
    }

    /// Ends the connection.
    pub fn end(&self) {
        if let Some(client) = self.0.take() {
            leave(client);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

/// To say good bye to a server that does not answer would take for ever, so nobody waits for that.
/// Where no thread can be had for it, the end of this process does it.
fn leave(client: Client) {
    let client = ManuallyDrop::new(client);
    drop(thread::Builder::new().spawn(move || drop(ManuallyDrop::into_inner(client))));
}

fn on_kept<T>(
    kept: Option<Client>,
    question: &impl Fn(&mut Client) -> Result<T, Error>,
) -> Option<Answered<T>> {
    let mut client = kept?;
    match question(&mut client) {
        Ok(answer) => Some((Ok(answer), Some(client))),
        Err(_) => {
            leave(client);
            None
        }
    }
}

fn on_new<T>(
    configs: &[Config; 2],
    deadline: Deadline,
    question: &impl Fn(&mut Client) -> Result<T, Error>,
) -> Answered<T> {
    match connect(configs, deadline) {
        Ok(mut client) => {
            let answer = question(&mut client);
            (answer, Some(client))
        }
        Err(error) => (Err(error), None),
    }
}

/// To the first database that takes us in. If none does, what the first one said.
fn connect([usual, other]: &[Config; 2], deadline: Deadline) -> Result<Client, Error> {
    connect_patiently(usual, deadline).or_else(|error| {
        if !is_of_database(&error) {
            return Err(error);
        }
        connect_patiently(other, deadline).map_err(|_| error)
    })
}

/// A socket whose queue is full refuses at once (EAGAIN). A busy postmaster takes from it
/// within moments; a frozen one never does, and is silent.
fn connect_patiently(config: &Config, deadline: Deadline) -> Result<Client, Error> {
    loop {
        match config.connect(NoTls) {
            Err(error)
                if io_kind(&error) == Some(ErrorKind::WouldBlock) && deadline.sleep(PAUSE) => {}
            connected => return connected,
        }
    }
}

/// Whether the server refused this database: it is not there, takes no connections,
/// or pg_hba.conf or a privilege keeps us out of it.
fn is_of_database(error: &Error) -> bool {
    let Some(code) = error.code() else {
        return false;
    };
    let of_database = [
        SqlState::INVALID_CATALOG_NAME,
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        SqlState::INSUFFICIENT_PRIVILEGE,
    ];
    of_database.contains(code) || code.code().starts_with("28")
}

fn config(parameters: &Parameters, user: &SystemUser, deadline: Deadline) -> Config {
    let mut config = Config::new();
    let version = version_file::major(&parameters.datadir);
    let role = parameters.db_role.as_ref();
    config
        .host(&parameters.pghost)
        .port(parameters.pgport)
        .user(role.unwrap_or(&user.name))
        .options(&pinned(version.unwrap_or_default(), role.is_none()))
        .application_name("pgsqlms")
        .connect_timeout(deadline.left())
        .tcp_user_timeout(deadline.left());
    config
}

/// The settings that a server of this major version knows, as the startup packet wants
/// them: one that it does not know would refuse the session.
fn pinned(version: u32, as_superuser: bool) -> String {
    let known = PINNED.iter().filter(|(name, since, _)| {
        *since <= version.max(12) && (as_superuser || !OF_SUPERUSERS.contains(name))
    });
    let options = known.map(|(name, _, value)| format!("-c {name}={}", value.replace(' ', "\\ ")));
    options.collect::<Vec<_>>().join(" ")
}

fn refusal(error: &Error) -> NoAnswer {
    if let Some(db) = error.as_db_error() {
        return NoAnswer::of_code(db.code().code(), db.message());
    }
    if error.is_closed() {
        return NoAnswer::CutOff;
    }
    match io_kind(error) {
        Some(ErrorKind::NotFound | ErrorKind::ConnectionRefused) => NoAnswer::NotListening,
        Some(ErrorKind::PermissionDenied) => NoAnswer::Denied,
        // Its queue is full and nobody takes from it, all the time that we tried.
        Some(ErrorKind::TimedOut | ErrorKind::WouldBlock) => NoAnswer::Silent,
        Some(ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe) => {
            NoAnswer::CutOff
        }
        _ => NoAnswer::Unknown(error.to_string()),
    }
}

fn io_kind(error: &Error) -> Option<ErrorKind> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        source = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_the_server_knows_are_pinned() {
        let old = pinned(12, true);
        assert!(old.starts_with("-c default_transaction_isolation=read\\ committed -c "));
        assert!(!old.contains("event_triggers") && !old.contains("idle_session_timeout"));
        assert!(pinned(17, true).contains("-c event_triggers=off"));
        assert_eq!(pinned(0, true), old);
    }

    #[test]
    fn what_only_a_superuser_may_set_another_role_does_not() {
        let all = pinned(18, true);
        let few = pinned(18, false);
        for name in OF_SUPERUSERS {
            assert!(all.contains(name) && !few.contains(name), "{name}");
        }
        assert!(few.contains("-c search_path=pg_catalog") && few.contains("transaction_timeout"));
    }
}
