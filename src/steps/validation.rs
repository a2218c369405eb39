//! Judges programs, directories and configuration on this node. Asked by people, by pcs
//! and before a start; never of a running server. Parameters have been read by then.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use crate::instance::configuration::{Facts, Finding, SETTINGS, judge as judge_facts};
use crate::ocf::{Deadline, Failure, NodeName, OcfExit, Parameters};
use crate::postgres::{RealServer, Server, SettingError, installation};

const PROGRAMS: [&str; 3] = ["postgres", "pg_ctl", "pg_controldata"];
const OLDEST_VERSION: u32 = 12;

/// Whether PostgreSQL is installed here at all.
pub fn has_programs(parameters: &Parameters) -> bool {
    installation::exists(&parameters.program("postgres"))
}

/// The first thing that makes a start pointless, if any. What is only doubtful is logged.
pub fn judge(
    server: &RealServer,
    node: Option<&NodeName>,
    deadline: Deadline,
) -> Result<(), Failure> {
    let parameters = server.parameters();
    for name in PROGRAMS {
        executable(&parameters.program(name))?;
    }
    directory("pgdata", &parameters.pgdata)?;
    directory("datadir", &parameters.datadir)?;
    version(server, deadline)?;
    private(server)?;
    no_template(&parameters.recovery_template)?;
    configuration(server, node, deadline)
}

fn executable(path: &Path) -> Result<(), Failure> {
    if installation::is_executable(path) {
        return Ok(());
    }
    Err(not_installed(format!(
        "{} is missing (parameter bindir)",
        path.display()
    )))
}

fn directory(name: &str, path: &Path) -> Result<(), Failure> {
    if installation::is_directory(path) {
        return Ok(());
    }
    Err(arguments(format!(
        "{name} {} is not a directory on this node",
        path.display()
    )))
}

/// Without `PG_VERSION` there is no database here: perhaps it is not mounted.
fn version(server: &RealServer, deadline: Deadline) -> Result<(), Failure> {
    let parameters = server.parameters();
    let path = parameters.datadir.join("PG_VERSION");
    let path = path.display();
    let version = installation::data_version(&parameters.datadir)
        .map_err(|error| not_installed(format!("No database here: {path}: {error}")))?;
    let nameless = || {
        not_installed(format!(
            "No database here: {path} does not contain a version"
        ))
    };
    let data = version.ok_or_else(nameless)?;
    if data < OLDEST_VERSION {
        return Err(not_installed(format!(
            "PostgreSQL {data} is not supported: {OLDEST_VERSION} or later is needed"
        )));
    }
    match installation::program_version(parameters, server.user(), deadline) {
        Some(program) if program != data => Err(not_installed(format!(
            "The data directory is of PostgreSQL {data}, the programs in bindir are of {program}"
        ))),
        _ => Ok(()),
    }
}

/// As PostgreSQL itself demands it (`checkDataDir`). Soft: a mount may be late.
fn private(server: &RealServer) -> Result<(), Failure> {
    let path = server.parameters().datadir.display();
    let access = installation::access(&server.parameters().datadir)
        .map_err(|error| Failure::soft(format!("{path}: {error}")))?;
    let user = server.user();
    if access.uid != user.uid.as_raw() {
        let name = &user.name;
        return Err(Failure::soft(format!(
            "{path} belongs to uid {}, not to {name}: chown -R {name} {path}",
            access.uid
        )));
    }
    if access.mode & 0o027 == 0 {
        return Ok(());
    }
    let mode = access.mode;
    Err(Failure::soft(format!(
        "{path} has mode {mode:o}, not 0700 or 0750: chmod 0700 {path}"
    )))
}

fn no_template(path: &Path) -> Result<(), Failure> {
    if !installation::exists(path) {
        return Ok(());
    }
    Err(arguments(format!(
        "Recovery template {} is not allowed since PostgreSQL 12: remove it",
        path.display()
    )))
}

/// The server's own settings, read as it would read them.
fn configuration(
    server: &RealServer,
    node: Option<&NodeName>,
    deadline: Deadline,
) -> Result<(), Failure> {
    let parameters = server.parameters();
    let settings = read_settings(server, deadline)?;
    let hba = settings.get("hba_file");
    let hba = hba.and_then(|path| installation::text_of(path, server.user()));
    let setting = settings.get("data_directory");
    let is_same = |path: &String| installation::is_same(Path::new(path), &parameters.datadir);
    let control = server.control_data(deadline).ok();
    let facts = Facts {
        settings: &settings,
        node: node.map(NodeName::as_str),
        pghost: &parameters.pghost,
        pgport: parameters.pgport,
        rejoin: parameters.rejoin,
        is_datadir: setting.is_none_or(is_same),
        hints_logged: control.map(|control| control.hints_logged),
        hba: hba.as_deref(),
    };
    for finding in judge_facts(&facts) {
        match finding {
            Finding::Error(text) => return Err(arguments(text)),
            Finding::Warning(text) => log::warn!("{text}"),
        }
    }
    Ok(())
}

/// A file with an error in it is one for all settings. Whatever else keeps a setting from
/// being read says nothing against the configuration.
fn read_settings(
    server: &RealServer,
    deadline: Deadline,
) -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut settings = BTreeMap::new();
    for (name, read) in read_at_once(server, deadline) {
        match read {
            Ok(value) => drop(settings.insert(name, value)),
            Err(SettingError::Refused(text)) => return Err(arguments(text)),
            Err(error) => {
                log::warn!("The configuration was not checked: {error}");
                break;
            }
        }
    }
    Ok(settings)
}

type Setting = (&'static str, Result<String, SettingError>);

/// Each is a process of its own, and a start is part of every recovery.
fn read_at_once(server: &RealServer, deadline: Deadline) -> Vec<Setting> {
    let read = |name| server.setting(name, deadline);
    thread::scope(|scope| {
        let ask = |name: &'static str| {
            let asked = thread::Builder::new().spawn_scoped(scope, move || read(name));
            (name, asked.ok())
        };
        let asked: Vec<_> = SETTINGS.into_iter().map(ask).collect();
        let answer = |(name, thread): (_, Option<thread::ScopedJoinHandle<'_, _>>)| {
            let answer = thread.and_then(|thread| thread.join().ok());
            (name, answer.unwrap_or_else(|| read(name)))
        };
        asked.into_iter().map(answer).collect()
    })
}

fn arguments(reason: String) -> Failure {
    Failure::new(OcfExit::Arguments, reason)
}

fn not_installed(reason: String) -> Failure {
    Failure::new(OcfExit::NotInstalled, reason)
}
