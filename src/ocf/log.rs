//! The lines that admins read, where Pacemaker's environment asks for them.
//!
//! The format is that of `ocf_log` (resource-agents, `ocf-shellfuncs`):
//! `pgsqlms(pgsqld)[PID]: INFO: text`. A dead or stuck logger never holds up
//! an action: the socket does not block, and no error of a sink is an error.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Mutex;

use log::{Level, LevelFilter, Log, Metadata, Record};
use syslog::{Facility, LogFormat, Logger, LoggerBackend, Severity};

use super::journal::{Entry, Journal};
use super::values::boolean;
use super::{Environment, ids, line};

/// Longest piece of a message in one datagram, in bytes.
const LONGEST_PIECE: usize = 900;
/// Longest message, in characters.
const LONGEST_LINE: usize = 8_000;
const OUR_TARGET: &str = "pgsqlms";

/// Installs the logger of this call.
pub fn install(environment: &Environment, resource: &str) {
    let sinks = Sinks::asked_for(environment, resource);
    let level = if debug_wanted(environment.get("HA_debug")) {
        LevelFilter::Debug
    } else {
        LevelFilter::Info
    };
    if log::set_boxed_logger(Box::new(sinks)).is_ok() {
        log::set_max_level(level);
    }
}

/// Prints the exit reason for Pacemaker: the last line of stderr that begins
/// with the prefix, once.
pub fn exit_reason(environment: &Environment, reason: &str) {
    let prefix = environment
        .get("OCF_EXIT_REASON_PREFIX")
        .unwrap_or("ocf-exit-reason:");
    let line = format!("{prefix}{}\n", one_line(reason));
    let _ = io::stderr().write_all(line.as_bytes());
}

/// `HA_debug` is "0" on a quiet cluster, never unset; it may also be a list
/// of daemons (Pacemaker 2.1.5 `lib/common/logging.c`).
fn debug_wanted(value: Option<&str>) -> bool {
    let Some(value) = value else { return false };
    boolean(value).unwrap_or_else(|| {
        let mut daemons = value.split(',').map(|one| one.trim().to_ascii_lowercase());
        daemons.any(|daemon| matches!(daemon.as_str(), "pacemaker-execd" | "lrmd"))
    })
}

/// Hands a line for programs to this node's system log, as it is: whole to the journal, in pieces
/// where there is none.
pub fn hand_over(resource: &str, line: &str) {
    if let Some(journal) = open_journal("daemon", resource) {
        let severity = Severity::LOG_NOTICE as u8;
        return journal.write(Entry {
            severity,
            text: line,
            id: None,
        });
    }
    let Some(mut logger) = open_syslog("daemon", &tag(resource)) else {
        return;
    };
    for piece in pieces(line) {
        let _ = logger.notice(piece);
    }
}

/// Records in this node's system log what a person did by hand, besides the
/// usual sinks: a person's shell asks for none, and a terminal keeps nothing.
pub fn record(resource: &str, text: &str) {
    let tag = tag(resource);
    let Some(mut logger) = open_syslog("daemon", &tag) else {
        log::error!("Cannot write to the system log of this node: keep a record of this yourself");
        return;
    };
    let text = one_line(text);
    let line = format!(
        "{}: {}",
        priority(Level::Warn),
        with_id(&text, ids::of(&text))
    );
    for piece in pieces(&line) {
        let _ = logger.warning(piece);
    }
}

/// Tells the person who called a command. Names in it may be anybody's: `SyncRule` has those
/// that a database superuser wrote.
pub fn say(text: &str) {
    let line = format!("{}\n", one_line(text));
    let _ = io::stdout().write_all(line.as_bytes());
}

fn tag(resource: &str) -> String {
    format!("pgsqlms({resource})[{}]", std::process::id())
}

struct Sinks {
    tag: String,
    terminal: bool,
    journal: Option<Journal>,
    syslog: Option<Mutex<Logger<LoggerBackend, OcfFormat>>>,
    file: Option<PathBuf>,
    debug_file: Option<PathBuf>,
}

impl Sinks {
    fn asked_for(environment: &Environment, resource: &str) -> Self {
        let tag = tag(resource);
        let terminal = io::stderr().is_terminal();
        let asked = |name: &str| environment.get(name).filter(|value| *value != "none");
        let facility = asked("HA_LOGFACILITY").filter(|_| !terminal);
        let journal = facility.and_then(|facility| open_journal(facility, resource));
        let syslog = facility.filter(|_| journal.is_none());
        let syslog = syslog.and_then(|facility| open_syslog(facility, &tag));
        let path = |name| asked(name).filter(|_| !terminal).map(PathBuf::from);
        let (file, debug_file) = (path("HA_LOGFILE"), path("HA_DEBUGLOG"));
        Self {
            tag,
            terminal,
            journal,
            syslog: syslog.map(Mutex::new),
            file,
            debug_file,
        }
    }

    fn to_journal(&self, level: Level, text: &str, id: Option<&'static str>) {
        let severity = match level {
            Level::Error => Severity::LOG_ERR,
            Level::Warn => Severity::LOG_WARNING,
            Level::Info => Severity::LOG_INFO,
            Level::Debug | Level::Trace => Severity::LOG_DEBUG,
        } as u8;
        if let Some(journal) = &self.journal {
            journal.write(Entry { severity, text, id });
        }
    }

    fn to_syslog(&self, level: Level, text: &str) {
        let Some(logger) = &self.syslog else { return };
        let Ok(mut logger) = logger.lock() else {
            return;
        };
        for piece in pieces(text) {
            let _ = match level {
                Level::Error => logger.err(piece),
                Level::Warn => logger.warning(piece),
                Level::Info => logger.info(piece),
                Level::Debug | Level::Trace => logger.debug(piece),
            };
        }
    }

    /// One write a line, so that lines of several daemons do not mix.
    fn to_file(&self, path: Option<&PathBuf>, text: &str) {
        let Some(path) = path else { return };
        let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .custom_flags(nonblocking)
            .open(path);
        if let Ok(mut file) = file {
            let line = format!("{} {}:    {text}\n", timestamp(), self.tag);
            let _ = file.write_all(line.as_bytes());
        }
    }
}

impl Log for Sinks {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(OUR_TARGET)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = one_line(&record.args().to_string());
        let id = ids::of(&message);
        let text = format!("{}: {}", priority(record.level()), with_id(&message, id));
        if self.terminal {
            let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
            return;
        }
        self.to_journal(record.level(), &text, id);
        self.to_syslog(record.level(), &text);
        let is_debug = record.level() > Level::Info;
        if !is_debug {
            self.to_file(self.file.as_ref(), &text);
        }
        if is_debug || self.debug_file != self.file {
            self.to_file(self.debug_file.as_ref(), &text);
        }
    }

    fn flush(&self) {}
}

/// A message, and the id by which programs know it.
fn with_id(message: &str, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{message} [{id}]"),
        None => message.to_owned(),
    }
}

fn priority(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARNING",
        Level::Info => "INFO",
        Level::Debug | Level::Trace => "DEBUG",
    }
}

/// Facilities of syslog are numbers, three bits to the left.
fn open_journal(facility: &str, resource: &str) -> Option<Journal> {
    Journal::open(
        &format!("pgsqlms({resource})"),
        facility_of(facility) as u8 >> 3,
    )
}

fn facility_of(name: &str) -> Facility {
    Facility::from_str(name).unwrap_or(Facility::LOG_DAEMON)
}

/// Our own socket: the syslog crate's would block once the reader stands
/// still, and a stuck journald must not time out a monitor.
fn open_syslog(facility: &str, tag: &str) -> Option<Logger<LoggerBackend, OcfFormat>> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect("/dev/log").ok()?;
    let format = OcfFormat {
        facility: facility_of(facility),
        tag: tag.to_owned(),
    };
    Some(Logger::new(LoggerBackend::Unix(socket), format))
}

/// RFC 3164 without a time stamp: the daemon's own receive time is right,
/// the crate's would be in UTC.
struct OcfFormat {
    facility: Facility,
    tag: String,
}

impl<T: std::fmt::Display> LogFormat<T> for OcfFormat {
    fn format<W: Write>(&self, out: &mut W, severity: Severity, message: T) -> syslog::Result<()> {
        let priority = self.facility as u8 | severity as u8;
        // Versions 6 and 7 of the crate both make their error of this one.
        Ok(write!(out, "<{priority}>{}: {message}", self.tag)?)
    }
}

/// As long as any message may be.
pub fn one_line(text: &str) -> String {
    line::one_line(text, LONGEST_LINE)
}

/// A message in the pieces that a datagram holds.
pub fn pieces(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while rest.len() > LONGEST_PIECE {
        let mut cut = LONGEST_PIECE;
        while !rest.is_char_boundary(cut) {
            cut -= 1;
        }
        let (piece, tail) = rest.split_at(cut);
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}

/// Local time, as every other line of Pacemaker's log.
fn timestamp() -> String {
    chrono::Local::now().format("%b %d %T").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_follows_the_cluster() {
        for quiet in [None, Some("0"), Some("no"), Some("pacemaker-based")] {
            assert!(!debug_wanted(quiet), "{quiet:?}");
        }
        for loud in ["1", "yes", "pacemaker-based,pacemaker-execd"] {
            assert!(debug_wanted(Some(loud)), "{loud}");
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let text = "é".repeat(1_000);
        assert!(
            pieces(&text)
                .iter()
                .all(|piece| piece.len() <= LONGEST_PIECE)
        );
        assert_eq!(pieces(&text).concat(), text);
    }
}
