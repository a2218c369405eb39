//! What a machine is set up with, besides PostgreSQL and the cluster: by files alone, so that
//! nothing is run and nothing is changed. `root` is `/`.

use std::fs;
use std::io;
use std::net::ToSocketAddrs;
use std::path::Path;

use super::plain_file;

/// Programs that keep a clock right, as the kernel names processes.
const CLOCKS: [&str; 6] = [
    "chronyd",
    "ntpd",
    "ntpsec",
    "systemd-timesyn",
    "openntpd",
    "phc2sys",
];
/// Where programs are.
const PATH: [&str; 4] = ["usr/sbin", "usr/bin", "sbin", "bin"];
/// What starts the lines that say so in ufw's file.
const UFW_ON: &str = "ENABLED=yes";

/// What a name leads to here, by whatever way names are looked up.
pub fn addresses(name: &str) -> Vec<String> {
    let found = (name, 0).to_socket_addrs();
    let found = found.into_iter().flatten().map(|one| one.ip().to_string());
    found.collect()
}

/// corosync's configuration, if there is one.
pub fn corosync(root: &Path) -> io::Result<Option<String>> {
    match plain_file::read_behind_links(&root.join("etc/corosync/corosync.conf")) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether something that keeps the clock right runs. A guest may have that of its host.
pub fn has_clock(root: &Path) -> bool {
    runs(root, |name| CLOCKS.contains(&name))
}

/// The firewalls that are on and have no rule for PostgreSQL on this port.
pub fn firewalls(root: &Path, port: u16) -> Vec<&'static str> {
    let mut found = Vec::new();
    let zones = "etc/firewalld/zones";
    let opens = ["\"postgresql\"".to_owned(), format!("\"{port}\"")];
    if runs(root, |name| name == "firewalld") && !has_word(&root.join(zones), &opens) {
        found.push("firewalld");
    }
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let is_on = text("etc/ufw/ufw.conf")
        .lines()
        .any(|line| line.trim() == UFW_ON);
    let rules = text("etc/ufw/user.rules");
    let port = port.to_string();
    let is_open = |line: &str| line.starts_with("### tuple ###") && line.contains(&port);
    if is_on && !rules.lines().any(is_open) {
        found.push("ufw");
    }
    found
}

/// Whether packages are upgraded by themselves (Debian's `unattended-upgrades`).
pub fn upgrades(root: &Path) -> bool {
    let file = root.join("etc/apt/apt.conf.d/20auto-upgrades");
    let text = fs::read_to_string(file).unwrap_or_default();
    let says = |line: &str| line.contains("Unattended-Upgrade") && !line.contains("\"0\"");
    let is_said = text
        .lines()
        .any(|line| !line.trim_start().starts_with("//") && says(line));
    is_said && has_program(root, "unattended-upgrade")
}

/// Whether a program is installed.
pub fn has_program(root: &Path, name: &str) -> bool {
    PATH.iter()
        .any(|folder| root.join(folder).join(name).exists())
}

/// Debian's instances, as version and name.
pub fn instances_of_debian(root: &Path) -> Vec<(String, String)> {
    let below = |path: &Path| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.collect::<Vec<_>>()
    };
    let top = root.join("etc/postgresql");
    let versions = below(&top).into_iter();
    let all = versions.flat_map(|version| {
        let names = below(&top.join(&version)).into_iter();
        names
            .map(move |name| (version.clone(), name))
            .collect::<Vec<_>>()
    });
    all.collect()
}

fn runs(root: &Path, is_it: impl Fn(&str) -> bool) -> bool {
    let processes = fs::read_dir(root.join("proc"))
        .into_iter()
        .flatten()
        .flatten();
    let names = processes.filter_map(|one| fs::read_to_string(one.path().join("comm")).ok());
    names.into_iter().any(|name| is_it(name.trim()))
}

fn has_word(folder: &Path, words: &[String]) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let has = |text: &String| words.iter().any(|word| text.contains(word.as_str()));
    texts.into_iter().any(|text| has(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_firewall_counts_where_it_is_on_and_lets_nobody_in() {
        let ufw = ("etc/ufw/ufw.conf", "# x\nENABLED=yes\n");
        let rule = (
            "etc/ufw/user.rules",
            "### tuple ### allow tcp 5432 0.0.0.0/0 any\n",
        );
        let fire = ("proc/7/comm", "firewalld\n");
        let zone = (
            "etc/firewalld/zones/public.xml",
            "<service name=\"postgresql\"/>",
        );
        for (files, wanted) in [
            (vec![], vec![]),
            (vec![ufw], vec!["ufw"]),
            (vec![ufw, rule], vec![]),
            (vec![("etc/ufw/ufw.conf", "ENABLED=no")], vec![]),
            (vec![fire], vec!["firewalld"]),
            (vec![fire, zone], vec![]),
            (vec![zone], vec![]),
        ] {
            let root = root(&files);
            assert_eq!(firewalls(root.path(), 5432), wanted, "{files:?}");
        }
    }

    #[test]
    fn clocks_and_upgrades_and_instances_are_seen() {
        let with = root(&[
            ("proc/9/comm", "chronyd\n"),
            (
                "etc/apt/apt.conf.d/20auto-upgrades",
                "APT::Periodic::Unattended-Upgrade \"1\";\n",
            ),
            ("usr/bin/unattended-upgrade", ""),
            ("etc/postgresql/17/main/start.conf", "manual"),
        ]);
        assert!(has_clock(with.path()) && upgrades(with.path()));
        let instances = instances_of_debian(with.path());
        assert_eq!(instances, [("17".to_owned(), "main".to_owned())]);
        let without = root(&[("proc/9/comm", "bash\n")]);
        assert!(!has_clock(without.path()) && !upgrades(without.path()));
        assert!(instances_of_debian(without.path()).is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_one_that_is_missing() {
        let file = "etc/corosync/corosync.conf";
        let there = root(&[(file, "ring0_addr: x")]);
        assert_eq!(
            corosync(there.path()).unwrap().as_deref(),
            Some("ring0_addr: x")
        );
        assert_eq!(corosync(root(&[]).path()).unwrap(), None);
        let unreadable = root(&[("etc/corosync/corosync.conf/x", "")]);
        assert!(corosync(unreadable.path()).is_err());
    }

    #[test]
    fn the_own_address_is_found_by_name() {
        assert!(
            addresses("localhost")
                .iter()
                .any(|one| one == "127.0.0.1" || one == "::1")
        );
        assert!(addresses("no-such-name.invalid").is_empty());
    }
}
