//! One question to the server on a new connection, within a deadline that
//! also holds against a stopped server.
//!
//! `connect_timeout` bounds connect(2) only, and dropping a client of a
//! stopped server blocks. So the client lives in a thread that may be left
//! behind: the process ends soon after.

use std::io::ErrorKind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use ::postgres::error::SqlState;
use ::postgres::{Client, Config, NoTls};

use super::SystemUser;
use crate::instance::answer::Refusal;
use crate::ocf::{Deadline, Parameters};

/// Asks `question` as the system user on the database `postgres`.
pub fn ask<T: Send + 'static>(
    parameters: &Parameters,
    user: &SystemUser,
    deadline: Deadline,
    question: impl FnOnce(&mut Client) -> Result<T, postgres::Error> + Send + 'static,
) -> Result<T, Refusal> {
    let config = config(parameters, user, deadline);
    let (sender, receiver) = mpsc::channel();
    let worn = user
        .wear()
        .map_err(|error| Refusal::Other(error.to_string()))?;
    let spawned = thread::Builder::new().spawn(move || {
        let mut client = match config.connect(NoTls) {
            Ok(client) => client,
            Err(error) => return drop(sender.send(Err(error))),
        };
        let _ = sender.send(question(&mut client));
        let _ = client.close();
    });
    let answer = receiver.recv_timeout(deadline.left());
    drop(worn);
    // The limit of processes is reached: that says nothing of the server.
    spawned.map_err(|error| Refusal::Other(format!("no thread to ask it: {error}")))?;
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(refusal(&error)),
        Err(RecvTimeoutError::Timeout) => Err(Refusal::Silent),
        Err(RecvTimeoutError::Disconnected) => Err(Refusal::CutOff),
    }
}

fn config(parameters: &Parameters, user: &SystemUser, deadline: Deadline) -> Config {
    let mut config = Config::new();
    config
        .host(&parameters.pghost)
        .port(parameters.pgport)
        .user(&user.name)
        .dbname("postgres")
        .application_name("pgsqlms")
        .connect_timeout(deadline.left())
        .tcp_user_timeout(deadline.left());
    config
}

/// Codes are compared, never texts: texts follow the server's `lc_messages`.
fn refusal(error: &postgres::Error) -> Refusal {
    if let Some(db) = error.as_db_error() {
        let text = db.message().to_owned();
        return match db.code() {
            code if *code == SqlState::CANNOT_CONNECT_NOW => Refusal::NotYet(text),
            code if *code == SqlState::TOO_MANY_CONNECTIONS => Refusal::Full,
            code if *code == SqlState::ADMIN_SHUTDOWN => Refusal::CutOff,
            code if code.code().starts_with("28") => Refusal::Login(text),
            code => Refusal::Other(format!("{text} ({})", code.code())),
        };
    }
    if error.is_closed() {
        return Refusal::CutOff;
    }
    match io_kind(error) {
        Some(ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Refusal::NotListening,
        Some(ErrorKind::PermissionDenied) => Refusal::Denied,
        Some(ErrorKind::TimedOut) => Refusal::Silent,
        Some(ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe) => {
            Refusal::CutOff
        }
        _ => Refusal::Other(error.to_string()),
    }
}

fn io_kind(error: &postgres::Error) -> Option<ErrorKind> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        source = cause.source();
    }
    None
}
