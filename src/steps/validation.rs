//! Judges programs, directories and configuration on this node. Asked by people, by pcs
//! and before a start; never of a running server. Parameters have been read by then.

use std::collections::BTreeMap;
use std::path::Path;

use crate::instance::configuration::{Facts, Finding, SETTINGS, judge as judge_facts};
use crate::ocf::{Deadline, Failure, NodeName, OcfExit, Parameters};
use crate::postgres::{Server, SettingError, installation};

const PROGRAMS: [&str; 3] = ["postgres", "pg_ctl", "pg_controldata"];
const OLDEST_VERSION: u32 = 12;

/// Whether PostgreSQL is installed here at all.
pub fn has_programs(parameters: &Parameters) -> bool {
    installation::exists(&parameters.program("postgres"))
}

/// The first thing that makes a start pointless, if any. What is only doubtful is logged.
pub fn judge(
    server: &dyn Server,
    node: Option<&NodeName>,
    deadline: Deadline,
) -> Result<(), Failure> {
    files(server)?;
    same_version(server, deadline)?;
    nobody_else_starts_it(server);
    configuration(server, node, deadline)
}

/// The same without what only programs tell: it takes no time, and for a server that ran a
/// moment ago it is enough. That had these programs and a configuration to start with; clients
/// wait for it, and `postgres -C` runs once for each setting.
pub fn files(server: &dyn Server) -> Result<(), Failure> {
    let parameters = server.parameters();
    for name in PROGRAMS {
        executable(server, &parameters.program(name))?;
    }
    directory(server, "pgdata", &parameters.pgdata)?;
    directory(server, "datadir", &parameters.datadir)?;
    version(server)?;
    private(server)?;
    table_spaces(server)?;
    no_template(server, &parameters.recovery_template)
}

fn executable(server: &dyn Server, path: &Path) -> Result<(), Failure> {
    if server.is_executable(path) {
        return Ok(());
    }
    Err(not_installed(format!(
        "{} is missing (parameter bindir)",
        path.display()
    )))
}

fn directory(server: &dyn Server, name: &str, path: &Path) -> Result<(), Failure> {
    if server.is_directory(path) {
        return Ok(());
    }
    Err(arguments(format!(
        "{name} {} is not a directory on this node",
        path.display()
    )))
}

/// Without `PG_VERSION` there is no database here: perhaps it is not mounted.
fn version(server: &dyn Server) -> Result<u32, Failure> {
    let parameters = server.parameters();
    let path = parameters.datadir.join("PG_VERSION");
    let path = path.display();
    let version = server
        .data_version()
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
    Ok(data)
}

fn same_version(server: &dyn Server, deadline: Deadline) -> Result<(), Failure> {
    let data = version(server)?;
    match server.program_version(deadline) {
        Some(program) if program != data => Err(not_installed(format!(
            "The data directory is of PostgreSQL {data}, the programs in bindir are of {program}"
        ))),
        _ => Ok(()),
    }
}

/// As PostgreSQL itself demands it (`checkDataDir`). Soft: a mount may be late.
fn private(server: &dyn Server) -> Result<(), Failure> {
    let path = server.parameters().datadir.display();
    let access = server
        .access()
        .map_err(|error| Failure::soft(format!("{path}: {error}")))?;
    if access.uid != server.uid() {
        let name = &server.parameters().system_user;
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

/// Soft: a mount may be late.
fn table_spaces(server: &dyn Server) -> Result<(), Failure> {
    match server.missing_table_space() {
        Ok(None) => Ok(()),
        Ok(Some(place)) => Err(Failure::soft(format!(
            "No table space at {}: is its file system mounted?",
            place.display()
        ))),
        Err(error) => {
            log::warn!("Cannot look for the table spaces: {error}");
            Ok(())
        }
    }
}

fn nobody_else_starts_it(server: &dyn Server) {
    if let Some(file) = server.boot_start() {
        log::warn!(
            "{} has the system start PostgreSQL at boot, a former primary as a primary: leave it \
             to Pacemaker (Debian: \"manual\" in start.conf; else systemctl disable)",
            file.display()
        );
    }
}

fn no_template(server: &dyn Server, path: &Path) -> Result<(), Failure> {
    if !server.exists(path) {
        return Ok(());
    }
    Err(arguments(format!(
        "Recovery template {} is not allowed since PostgreSQL 12: remove it",
        path.display()
    )))
}

/// The server's own settings, read as it would read them.
fn configuration(
    server: &dyn Server,
    node: Option<&NodeName>,
    deadline: Deadline,
) -> Result<(), Failure> {
    let parameters = server.parameters();
    let settings = read_settings(server, deadline)?;
    let hba = settings.get("hba_file");
    let hba = hba.and_then(|path| server.text_of(path));
    let setting = settings.get("data_directory");
    let is_same = |path: &String| server.is_datadir(Path::new(path));
    let control = server.control_data(deadline).ok();
    let facts = Facts {
        settings: &settings,
        node: node.map(NodeName::as_str),
        pghost: &parameters.pghost,
        pgport: parameters.pgport,
        rejoin: parameters.rejoin,
        is_datadir: setting.is_none_or(is_same),
        hints_logged: control.as_ref().map(|control| control.hints_logged),
        needed: control.map(|control| control.needed),
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
    server: &dyn Server,
    deadline: Deadline,
) -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut settings = BTreeMap::new();
    for (name, read) in server.settings(&SETTINGS, deadline) {
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

fn arguments(reason: String) -> Failure {
    Failure::new(OcfExit::Arguments, reason)
}

fn not_installed(reason: String) -> Failure {
    Failure::new(OcfExit::NotInstalled, reason)
}
