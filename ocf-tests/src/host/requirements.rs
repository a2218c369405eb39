//! What the machine must have: root, namespaces, and a few Debian packages.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::host::{apt, paths, shell};

/// A program the lab calls, and the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("nsenter", "util-linux"),
    ("gcc", "gcc"),
    ("mkfs.ext4", "e2fsprogs"),
];

/// Checks the host and installs missing packages; the error says in one sentence what is wrong.
pub fn check() -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("the cluster lab needs root: it makes namespaces, mounts and nodes");
    }
    apt::need(PROGRAMS)?;
    check_namespaces()?;
    let base = paths::base();
    std::fs::create_dir_all(&base)
        .with_context(|| format!("the cluster lab cannot make its folder {}", base.display()))
}

fn check_namespaces() -> Result<()> {
    let words = [
        "unshare", "--fork", "--pid", "--mount", "--net", "--", "mount", "-t", "tmpfs",
    ];
    shell::run(
        Command::new(words[0])
            .args(&words[1..])
            .args(["lab", "/tmp"]),
    )
    .context("the cluster lab needs pid, mount and network namespaces, which fail here")?;
    Ok(())
}
