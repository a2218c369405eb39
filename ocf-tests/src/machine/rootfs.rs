//! Root file systems: one per Debian release, made once by mmdebstrap and then only read.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::host::progress::Steps;
use crate::host::release::Release;
use crate::host::{apt, cache, paths, shell};
use crate::machine::network;

/// How many nodes a root file system has names for; a larger cluster gets the others when it is
/// prepared.
pub const NAMED: usize = 5;

const PACKAGES: &[&str] = &[
    "systemd",
    "systemd-sysv",
    "dbus",
    "iproute2",
    "iputils-ping",
    "iputils-arping",
    "procps",
    "pacemaker",
    "pacemaker-cli-utils",
    "corosync",
    "pcs",
    "crmsh",
    "resource-agents",
    "resource-agents-paf",
    "postgresql",
    "rsyslog",
    "python3",
    "hostname",
    "xmlstarlet",
    "libxml2-utils",
    "strace",
    "nftables",
    "less",
];

/// Units that only cost time at each boot of a node.
const MASKED: &[&str] = &[
    "systemd-networkd-wait-online.service",
    "getty.target",
    "console-getty.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "man-db.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "logrotate.timer",
    "systemd-tmpfiles-clean.timer",
    "systemd-logind.service",
    "systemd-pstore.service",
    "systemd-resolved.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-update-utmp.service",
    "logd.service",
    "postgresql.service",
    "systemd-timesyncd.service",
];

/// Units that a test starts when it wants them.
const DISABLED: &[&str] = &[
    "corosync.service",
    "pacemaker.service",
    "pcsd.service",
    "pcsd-ruby.service",
];

/// Nodes have no archive to install from; a test puts the Perl agent's package back.
const KEEP_PAF: &str = "mkdir $1/opt/paf && cd $1/opt/paf && \
     chroot $1 sh -c 'cd /opt/paf && apt-get -qq -o APT::Sandbox::User=root download resource-agents-paf'";

const FENCE_AGENT: &str = include_str!("../../files/fence_lab");

const NETWORK_UNIT: &str = "[Unit]
Description=Address of this node in the lab
DefaultDependencies=no
Before=network-pre.target network.target
Wants=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/lab-network %H
";

const NETWORK_SCRIPT: &str = r#"#!/bin/sh
# Gives host0 the address that /etc/hosts has for this node.
set -e
address=$(awk -v name="$1" '$2 == name { print $1 }' /etc/hosts)
ip link set lo up
ip addr add "$address/24" dev host0
ip link set host0 up
"#;

const JOURNAL: &str =
    "[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\nForwardToSyslog=yes\nRateLimitBurst=0\n";

/// The key of what makes a root file system: changes whenever its content would.
pub fn key(release: &Release) -> String {
    let mut hasher = DefaultHasher::new();
    (
        PACKAGES,
        MASKED,
        DISABLED,
        KEEP_PAF,
        FENCE_AGENT,
        NETWORK_UNIT,
        NETWORK_SCRIPT,
        JOURNAL,
    )
        .hash(&mut hasher);
    (
        release.name,
        release.apt_options,
        release.tmpfiles(),
        hosts(NAMED),
    )
        .hash(&mut hasher);
    format!("{}-{:016x}", release.name, hasher.finish())
}

/// The root file system of `release`, made now if it is not there yet.
pub fn ensure(release: &Release, steps: &Steps) -> Result<PathBuf> {
    let folder = paths::rootfs();
    fs::create_dir_all(&folder)?;
    let ready = folder.join(key(release));
    let _lock = cache::lock(&folder.join("lock"))?;
    if ready.exists() {
        return Ok(ready);
    }
    steps.say(&format!(
        "making the root file system of Debian {} (1–3 minutes)",
        release.name
    ));
    let making = folder.join("making");
    cache::remove_tree(&making)?;
    debootstrap(release, &making)?;
    customise(release, &making).context("cannot set up the root file system")?;
    fs::rename(&making, &ready)?;
    steps.say(&format!(
        "root file system of Debian {} is ready",
        release.name
    ));
    Ok(ready)
}

fn debootstrap(release: &Release, target: &Path) -> Result<()> {
    let mut command = Command::new("mmdebstrap");
    command.args(["--quiet", "--mode=root", "--variant=minbase"]);
    command.arg("--aptopt=APT::Install-Recommends \"false\";");
    command.args(
        release
            .apt_options
            .iter()
            .map(|option| format!("--aptopt={option}")),
    );
    // The lab makes its instances itself; without this the package makes one at once.
    command.arg(
        "--essential-hook=mkdir -p $1/etc/postgresql-common && \
         printf \"create_main_cluster = false\\nadd_include_dir = 'conf.d'\\n\" \
         > $1/etc/postgresql-common/createcluster.conf",
    );
    command.arg(format!("--include={}", PACKAGES.join(",")));
    command.arg(format!("--customize-hook={KEEP_PAF}"));
    command.arg(release.name).arg(target).arg(apt::mirror()?);
    shell::run(&mut command).context("cannot make a root file system")?;
    Ok(())
}

fn customise(release: &Release, root: &Path) -> Result<()> {
    let units = root.join("etc/systemd/system");
    for unit in MASKED {
        replace_link(&units.join(unit), "/dev/null")?;
    }
    for unit in DISABLED {
        let _ = fs::remove_file(units.join("multi-user.target.wants").join(unit));
    }
    write(
        root,
        "etc/systemd/system/lab-network.service",
        NETWORK_UNIT,
        0o644,
    )?;
    let wanted = units.join("sysinit.target.wants");
    fs::create_dir_all(&wanted)?;
    replace_link(
        &wanted.join("lab-network.service"),
        "../lab-network.service",
    )?;
    write(root, "usr/sbin/lab-network", NETWORK_SCRIPT, 0o755)?;
    write(root, "usr/sbin/fence_lab", FENCE_AGENT, 0o755)?;
    write(root, "etc/systemd/journald.conf.d/lab.conf", JOURNAL, 0o644)?;
    write(root, "etc/tmpfiles.d/lab.conf", &release.tmpfiles(), 0o644)?;
    write(root, "etc/hosts", &hosts(NAMED), 0o644)?;
    // mmdebstrap copies these from the host; nodes get their names from nspawn.
    let _ = fs::remove_file(root.join("etc/hostname"));
    let _ = fs::remove_file(root.join("etc/resolv.conf"));
    let _ = fs::remove_file(root.join("etc/corosync/corosync.conf"));
    Ok(())
}

/// `/etc/hosts` of a cluster of so many nodes.
pub fn hosts(nodes: usize) -> String {
    let mut text = String::from("127.0.0.1 localhost\n");
    for index in 1..=nodes {
        text.push_str(&format!("{} srv{index}\n", network::address(index)));
    }
    text + &format!("{} pgsql-vip\n{} pgsql-vip2\n", network::VIP, network::VIP2)
}

fn replace_link(link: &Path, target: &str) -> Result<()> {
    let _ = fs::remove_file(link);
    symlink(target, link).with_context(|| format!("cannot link {}", link.display()))
}

fn write(root: &Path, path: &str, text: &str, mode: u32) -> Result<()> {
    let path = root.join(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    Ok(())
}
