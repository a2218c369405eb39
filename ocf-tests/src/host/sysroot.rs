//! Builds the agent once for all releases: against the oldest one's libc.
//!
//! A program runs with any libc that is not older than the one it was linked with. So the
//! linker gets the libraries of the oldest release; compiler, linker and cargo stay the host's,
//! and nothing of that release ever runs. What the lab tests is what the packages contain.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::host::{apt, cache, paths, release, shell};

/// What the linker needs of the oldest release.
const LIBRARIES: &str = "libc6-dev,libgcc-s1";

/// Absolute links would lead the linker out of the folder, to the host's libraries.
const KEEP_LINKS_INSIDE: &str = r#"find "$1"/lib* "$1/usr/lib" -type l -lname '/*' -exec \
    sh -c 'for l; do ln -snfr "$0$(readlink "$l")" "$l"; done' "$1" {} +"#;

/// Where cargo builds for the oldest release, apart from what developers build for themselves.
const FOLDER: &str = "target/packaged";

/// Builds the agent of this workspace and returns where it is.
pub fn build() -> Result<PathBuf> {
    build_from(&paths::workspace(), Path::new(FOLDER))
}

/// Builds the agent whose sources are in `source`, in its folder `made`; returns where it is.
pub fn build_from(source: &Path, made: &Path) -> Result<PathBuf> {
    let root = ensure_libraries().context("cannot get the oldest release's libraries")?;
    let target = target()?;
    let variable = format!(
        "CARGO_TARGET_{}_RUSTFLAGS",
        target.to_uppercase().replace('-', "_")
    );
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--quiet", "--locked", "-p", "pgsqlms"]);
    command
        .args(["--target", &target, "--target-dir"])
        .arg(made);
    let arguments = [link_arguments(&root)?, remapped(source)].join(" ");
    command.env(variable, arguments);
    shell::run(command.current_dir(source)).context("cannot build the agent")?;
    let binary = program(&source.join(made))?;
    let needed = newest_libc(&fs::read(&binary)?);
    let (major, minor) = release::OLDEST_LIBC;
    ensure!(
        needed <= release::OLDEST_LIBC,
        "the agent needs libc {}.{}, but {oldest} has {major}.{minor}; after `rm -r {made}` it is linked again",
        needed.0,
        needed.1,
        oldest = release::OLDEST,
        made = made.display()
    );
    Ok(binary)
}

/// The newest version of libc whose symbols `program` wants: they are named GLIBC_2.NN in it.
fn newest_libc(program: &[u8]) -> (u32, u32) {
    let text = String::from_utf8_lossy(program);
    let version = |part: &str| -> Option<(u32, u32)> {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (major, minor) = part[..end.unwrap_or(part.len())].split_once('.')?;
        Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
    };
    let versions = text.split("GLIBC_").skip(1).filter_map(version);
    versions.max().unwrap_or_default()
}

/// Where [`build`] leaves the agent.
pub fn binary() -> Result<PathBuf> {
    program(&paths::workspace().join(FOLDER))
}

fn program(made: &Path) -> Result<PathBuf> {
    Ok(made.join(target()?).join("release/pgsqlms"))
}

/// The target of the host's compiler, as `x86_64-unknown-linux-gnu`.
fn target() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = shell::run(Command::new(rustc).arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

fn link_arguments(root: &Path) -> Result<String> {
    let libraries = shell::run_words(&["gcc", "-print-multiarch"])?;
    let root = root.display().to_string();
    ensure!(
        !root.contains(' '),
        "{root}: the linker needs a path without spaces"
    );
    Ok([
        format!("--sysroot={root}"),
        // Before gcc's own folders, which are the host's whatever the sysroot is.
        format!("-B{root}/usr/lib/{libraries}/"),
        format!("-B{root}/lib/{libraries}/"),
    ]
    .map(|argument| format!("-Clink-arg={argument}"))
    .join(" "))
}

/// Takes this machine's folders out of the program, as the Makefile does: the same sources make
/// the same program, in whatever folder and by whomever.
fn remapped(source: &Path) -> String {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    let cargo = cargo.map(|cargo| format!("--remap-path-prefix={}=/cargo ", cargo.display()));
    let cargo = cargo.unwrap_or_default();
    format!("{cargo}--remap-path-prefix={}=/pgsqlms", source.display())
}

fn ensure_libraries() -> Result<PathBuf> {
    let oldest = release::OLDEST;
    let folder = paths::base().join("sysroot");
    fs::create_dir_all(&folder)?;
    let ready = folder.join(oldest);
    let _lock = cache::lock(&folder.join("lock"))?;
    if ready.exists() {
        return Ok(ready);
    }
    eprintln!("fetching the libraries of Debian {oldest}, for the agent to be linked with");
    let making = folder.join("making");
    cache::remove_tree(&making)?;
    let mut command = Command::new("mmdebstrap");
    command.args(["--quiet", "--mode=root", "--variant=extract"]);
    command.arg(format!("--include={LIBRARIES}"));
    command.arg(oldest).arg(&making).arg(apt::mirror()?);
    shell::run(&mut command)?;
    shell::run(
        Command::new("sh")
            .args(["-c", KEEP_LINKS_INSIDE, "sh"])
            .arg(&making),
    )?;
    fs::rename(&making, &ready)?;
    Ok(ready)
}

#[test]
fn the_newest_libc_is_found_in_the_symbols() {
    let program = b"\0GLIBC_2.9\0GLIBC_2.30\0GLIBC_2.2.5\0GLIBC_PRIVATE\0";
    assert_eq!(newest_libc(program), (2, 30));
    assert_eq!(newest_libc(b"static"), (0, 0));
}
