//! Programs of Debian's packages that are unpacked into the lab's folder: nothing is installed on
//! this machine, and no service is started.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{cache, paths, shell};

/// The folder with the contents of `package`, and of what it depends on and this machine lacks.
pub fn folder(package: &str) -> Result<PathBuf> {
    let folder = paths::base().join(package);
    let _lock = cache::lock(&paths::base().join(format!("{package}.lock")))?;
    let done = folder.join("unpacked");
    if done.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&folder)?;
    let mut wanted = vec![package.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if seen.insert(name.clone()) {
            let archive = download(&name, &folder)?;
            unpack(&archive, &folder)?;
            wanted.extend(missing(&archive)?);
        }
    }
    fs::write(&done, "")?;
    Ok(folder)
}

/// A command for a server of a test, which the kernel ends with the thread that started it: also
/// where the lab itself is killed.
pub fn server(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

/// The libraries among the contents of a folder, for `LD_LIBRARY_PATH`.
pub fn libraries(folder: &Path) -> PathBuf {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    folder.join("usr/lib").join(triplet)
}

fn download(name: &str, folder: &Path) -> Result<PathBuf> {
    let mut command = Command::new("apt-get");
    command.args(["download", "-qq", name]).current_dir(folder);
    shell::run(&mut command)?;
    let begins = format!("{name}_");
    let archives = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let mut archives = archives.filter(|path| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        file.starts_with(&begins) && file.ends_with(".deb")
    });
    archives
        .next()
        .with_context(|| format!("{name}: no package"))
}

/// Unpacks a package into a folder, which is made.
pub fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let mut command = Command::new("dpkg-deb");
    command.arg("-x").arg(archive).arg(folder);
    shell::run(&mut command).map(drop)
}

/// The libraries that a package depends on and that are not installed here. The first of several
/// that would do is taken.
fn missing(archive: &Path) -> Result<Vec<String>> {
    let mut command = Command::new("dpkg-deb");
    let depends = shell::run(command.arg("--field").arg(archive).arg("Depends"))?;
    let first = |all: &str| Some(all.split(['|', '(', ':']).next()?.trim().to_owned());
    let names = depends.split(',').filter_map(first);
    let mut missing = Vec::new();
    for name in names.filter(|name| name.starts_with("lib")) {
        if !is_installed(&name)? {
            missing.push(name);
        }
    }
    Ok(missing)
}

fn is_installed(name: &str) -> Result<bool> {
    let said = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", name])
        .output()
        .context("dpkg-query")?;
    match said.status.code() {
        Some(0 | 1) => Ok(said.stdout == b"installed"),
        code => bail!("dpkg-query ends with {code:?}"),
    }
}
