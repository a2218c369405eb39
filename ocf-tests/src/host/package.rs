//! The packages: built by the scripts of packaging/, and judged by the distributions' own tools.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::host::deb::Deb;
use crate::host::{apt, paths, shell, sysroot};

/// What building and judging needs beyond the rest of the lab.
const PROGRAMS: &[(&str, &str)] = &[
    ("make", "make"),
    ("lintian", "lintian"),
    ("rpmbuild", "rpm"),
    ("find", "findutils"),
];

/// Two tests may want the package at once, and it is built in one folder.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Where the .deb is: the one that `PGSQLMS_UNDER_TEST` names, else it is built.
pub fn deb() -> Result<PathBuf> {
    match std::env::var("PGSQLMS_UNDER_TEST") {
        Ok(name) if Deb::names(&name) => Ok(Deb::find(&name)?.path().into()),
        _ => build("packaging/build-deb"),
    }
}

/// Builds the .rpm and returns where it is.
pub fn rpm() -> Result<PathBuf> {
    build("packaging/build-rpm")
}

fn build(script: &str) -> Result<PathBuf> {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    apt::need(PROGRAMS)?;
    let agent = sysroot::build()?;
    let mut command = Command::new(script);
    command.current_dir(paths::workspace()).env("AGENT", agent);
    let path = shell::run(&mut command)?;
    Ok(paths::workspace().join(path))
}

/// Lintian finds neither an error nor a warning in the .deb.
pub fn judge_deb() -> Result<()> {
    let deb = deb()?.display().to_string();
    let words = ["lintian", "--allow-root", "--fail-on", "error,warning"];
    let mut command = Command::new(words[0]);
    let out = shell::output(command.args(&words[1..]).arg(&deb))?;
    ensure!(out.success(), "lintian: {}", out.text());
    Ok(())
}

/// rpm itself can read, check, install and remove the .rpm.
pub fn judge_rpm() -> Result<()> {
    let rpm = rpm()?.display().to_string();
    let root = paths::base().join("rpm-root").display().to_string();
    let run = |words: &[&str]| shell::run_words(words).context("the .rpm");
    run(&["rm", "-rf", &root])?;
    run(&["mkdir", "-p", &root])?;
    run(&["rpm", "-K", "--nosignature", &rpm])?;
    let requires = run(&["rpm", "-qp", "--requires", &rpm])?;
    for name in ["pacemaker-cli", "resource-agents"] {
        ensure!(requires.lines().any(|line| line == name), "no {name}");
    }
    let listed = run(&["rpm", "-qlp", &rpm])?;
    run(&["rpm", "--root", &root, "-i", "--nodeps", &rpm])?;
    for file in listed.lines() {
        ensure!(
            std::fs::symlink_metadata(format!("{root}{file}")).is_ok(),
            "{file} is not installed"
        );
    }
    run(&["rpm", "--root", &root, "-e", "resource-agents-pgsqlms"])?;
    let left = run(&["find", &root, "-name", "*pgsqlms*"])?;
    ensure!(left.is_empty(), "left behind: {left}");
    run(&["rm", "-rf", &root]).map(drop)
}
