//! validate-all: judges the parameters on this node. Asked by people, by pcs
//! and by start; never of a running instance. Silent when all is well, since
//! pcs shows every line as a warning.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Call;
use crate::ocf::{Failure, OcfExit, Outcome};

const PROGRAMS: [&str; 3] = ["postgres", "pg_ctl", "pg_controldata"];
const OLDEST_VERSION: u32 = 12;

/// Judges everything that can be judged without a running instance.
pub fn run(call: &Call) -> Outcome {
    judge(call)?;
    Ok(OcfExit::Success)
}

/// The first thing that is wrong, if any.
pub fn judge(call: &Call) -> Result<(), Failure> {
    let parameters = &call.parameters;
    for name in PROGRAMS {
        executable(&parameters.program(name))?;
    }
    directory("pgdata", &parameters.pgdata)?;
    directory("datadir", &parameters.datadir)?;
    supported(&parameters.datadir)?;
    no_template(&parameters.recovery_template)
}

fn executable(path: &Path) -> Result<(), Failure> {
    let is = fs::metadata(path)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
    if is {
        return Ok(());
    }
    Err(Failure::new(
        OcfExit::NotInstalled,
        format!("{} is missing (parameter bindir)", path.display()),
    ))
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

fn supported(datadir: &Path) -> Result<(), Failure> {
    let path = datadir.join("PG_VERSION");
    let text = fs::read_to_string(&path)
        .map_err(|error| arguments(format!("Cannot read {}: {error}", path.display())))?;
    let version = text.trim();
    // Before 10 a version is "9.6": its first number is too old as well.
    let major: Option<u32> = version
        .split('.')
        .next()
        .and_then(|first| first.parse().ok());
    match major {
        Some(major) if major >= OLDEST_VERSION => Ok(()),
        _ => Err(Failure::new(
            OcfExit::NotInstalled,
            format!("PostgreSQL {version} is not supported: 12 or later is needed"),
        )),
    }
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

fn arguments(reason: String) -> Failure {
    Failure::new(OcfExit::Arguments, reason)
}
