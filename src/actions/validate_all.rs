//! validate-all: judges parameters, programs, directories and configuration on
//! this node. Asked by people, by pcs and by start; never of a running
//! instance. Silent when all is well, since pcs shows every line as a warning.
//!
//! pcs asks on whichever node it runs on, perhaps one without PostgreSQL: at
//! `OCF_CHECK_LEVEL` 0 a node without its programs has nothing to judge.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::{fs, thread};

use crate::instance::configuration::{Facts, Finding, SETTINGS, judge as judge_facts, major};
use crate::ocf::{Environment, Failure, OcfExit, Outcome, Parameters, clone, request};
use crate::postgres::settings::{self, SettingError};
use crate::postgres::version_file;
use crate::steps::{Call, state};
use crate::system::program;

const PROGRAMS: [&str; 3] = ["postgres", "pg_ctl", "pg_controldata"];
const OLDEST_VERSION: u32 = 12;
/// From this level on everything must be there.
const THOROUGH: u32 = 10;

/// Judges everything that can be judged without a running instance.
pub fn run(environment: &Environment) -> Outcome {
    let parameters = Parameters::from_environment(environment)?;
    let thorough = request::check_level(environment) >= THOROUGH;
    if !thorough && !parameters.program("postgres").exists() {
        return Ok(OcfExit::Success);
    }
    let call = Call::prepare(environment)?;
    if thorough {
        clone::judge(environment)?;
    }
    judge(&call)?;
    Ok(OcfExit::Success)
}

/// The first thing that makes a start pointless, if any. What is only doubtful
/// is logged.
pub fn judge(call: &Call) -> Result<(), Failure> {
    let parameters = &call.parameters;
    for name in PROGRAMS {
        executable(&parameters.program(name))?;
    }
    directory("pgdata", &parameters.pgdata)?;
    directory("datadir", &parameters.datadir)?;
    version(call)?;
    private(call)?;
    no_template(&parameters.recovery_template)?;
    configuration(call)
}

fn executable(path: &Path) -> Result<(), Failure> {
    if is_executable(path) {
        return Ok(());
    }
    Err(not_installed(format!(
        "{} is missing (parameter bindir)",
        path.display()
    )))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn directory(name: &str, path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    Err(arguments(format!(
        "{name} {} is not a directory on this node",
        path.display()
    )))
}

/// Without `PG_VERSION` there is no database here: perhaps it is not mounted.
fn version(call: &Call) -> Result<(), Failure> {
    let path = call.parameters.datadir.join("PG_VERSION");
    let path = path.display();
    let version = version_file::read(&call.parameters.datadir)
        .map_err(|error| not_installed(format!("No database here: {path}: {error}")))?;
    let data = version
        .ok_or_else(|| not_installed(format!("No database here: {path} names no version")))?;
    if data < OLDEST_VERSION {
        return Err(not_installed(format!(
            "PostgreSQL {data} is not supported: {OLDEST_VERSION} or later is needed"
        )));
    }
    match program_version(call) {
        Some(program) if program != data => Err(not_installed(format!(
            "The data are of PostgreSQL {data}, bindir has {program}"
        ))),
        _ => Ok(()),
    }
}

fn program_version(call: &Call) -> Option<u32> {
    let mut command = Command::new(call.parameters.program("postgres"));
    command.arg("--version");
    call.user.dress(&mut command);
    let ended = program::run(&mut command, call.request.deadline).ok()?;
    major(&ended.stdout)
}

/// As PostgreSQL itself demands it (`checkDataDir`). Soft: a mount may be late.
fn private(call: &Call) -> Result<(), Failure> {
    let path = call.parameters.datadir.display();
    let data = fs::metadata(&call.parameters.datadir)
        .map_err(|error| Failure::soft(format!("{path}: {error}")))?;
    let user = &call.user;
    if data.uid() != user.uid.as_raw() {
        let name = &user.name;
        return Err(Failure::soft(format!(
            "{path} belongs to uid {}, not to {name}: chown -R {name} it",
            data.uid()
        )));
    }
    if data.mode() & 0o027 == 0 {
        return Ok(());
    }
    let mode = data.mode() & 0o777;
    Err(Failure::soft(format!(
        "{path} has mode {mode:o}: chmod 0700 (or 0750) it"
    )))
}

fn no_template(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        return Ok(());
    }
    Err(arguments(format!(
        "Recovery template {} is forbidden since PostgreSQL 12: remove it",
        path.display()
    )))
}

/// The server's own settings, read as it would read them.
fn configuration(call: &Call) -> Result<(), Failure> {
    let parameters = &call.parameters;
    let settings = read_settings(call)?;
    let hba = settings.get("hba_file").and_then(|path| {
        // It may be a secret of the system user's.
        call.user.act(|| fs::read_to_string(path)).ok()
    });
    let setting = settings.get("data_directory");
    let control = state::control(call, call.request.deadline).ok();
    let node = call.request.node.as_ref();
    let facts = Facts {
        settings: &settings,
        node: node.map(|node| node.as_str()),
        pghost: &parameters.pghost,
        pgport: parameters.pgport,
        rejoin: parameters.rejoin,
        is_datadir: setting.is_none_or(|path| is_same(Path::new(path), &parameters.datadir)),
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

/// A file with an error in it is one for all settings. Whatever else keeps a
/// setting from being read says nothing against the configuration.
fn read_settings(call: &Call) -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut settings = BTreeMap::new();
    for (name, read) in read_at_once(call) {
        match read {
            Ok(value) => drop(settings.insert(name, value)),
            Err(SettingError::Refused(text)) => return Err(arguments(text)),
            Err(error) => {
                log::warn!("The configuration is not judged: {error}");
                break;
            }
        }
    }
    Ok(settings)
}

type Setting = (&'static str, Result<String, SettingError>);

/// Each is a process of its own, and a start is part of every recovery.
fn read_at_once(call: &Call) -> Vec<Setting> {
    let read = |name| settings::read(&call.parameters, &call.user, name, call.request.deadline);
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

fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
    identity(one).is_some() && identity(one) == identity(other)
}

fn arguments(reason: String) -> Failure {
    Failure::new(OcfExit::Arguments, reason)
}

fn not_installed(reason: String) -> Failure {
    Failure::new(OcfExit::NotInstalled, reason)
}
