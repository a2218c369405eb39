//! The package manager of this machine: missing programs are installed with it, and nodes come
//! from the mirror that it uses.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::host::shell;

/// Installs the packages whose programs are missing here.
pub fn need(programs: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, _)| !installed(program))
        .map(|(_, deb)| *deb)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !installed("apt-get") {
        bail!(
            "the cluster lab needs a Debian host: {} missing, no apt-get",
            missing.join(", ")
        );
    }
    println!("installing on this machine: {}", missing.join(" "));
    apt_get(&["update", "-qq"]).and_then(|()| {
        let mut words = vec!["install", "-qq", "-y", "--no-install-recommends"];
        words.extend(&missing);
        apt_get(&words)
    })
}

fn apt_get(words: &[&str]) -> Result<()> {
    shell::run(
        Command::new("apt-get")
            .args(words)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
    .context("the cluster lab cannot install the packages it needs")?;
    Ok(())
}

fn installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin"]
        .iter()
        .any(|folder| Path::new(folder).join(program).exists())
}

/// The Debian mirror: `PGSQLMS_LAB_MIRROR`, else the one this host installs from.
pub fn mirror() -> Result<String> {
    if let Ok(mirror) = std::env::var("PGSQLMS_LAB_MIRROR") {
        return Ok(mirror);
    }
    if let Some(mirror) = configured_mirror()? {
        return Ok(mirror);
    }
    // Without downloaded lists apt cannot tell whose archive a source is.
    apt_get(&["update", "-qq"])?;
    configured_mirror()?.context(
        "no Debian archive in this host's apt configuration: set PGSQLMS_LAB_MIRROR to a mirror",
    )
}

fn configured_mirror() -> Result<Option<String>> {
    let words = ["apt-get", "indextargets", "--format", "$(SITE)"];
    let filters = ["Created-By: Packages", "Origin: Debian", "Label: Debian"];
    let sites = shell::run(Command::new(words[0]).args(&words[1..]).args(filters))?;
    Ok(sites.lines().next().map(str::to_owned))
}
