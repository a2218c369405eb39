//! `make install` and `make uninstall`, into a folder of their own.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const AGENT: &str = "usr/lib/ocf/resource.d/heartbeat/pgsqlms";

fn make(target: &str, root: &Path) {
    let mut command = Command::new("make");
    command.arg(target).args(["--silent", "-C"]);
    command.arg(env!("CARGO_MANIFEST_DIR"));
    command.arg(format!("DESTDIR={}", root.display()));
    command.arg(format!("AGENT={}", env!("CARGO_BIN_EXE_pgsqlms")));
    assert!(command.status().unwrap().success(), "make {target}");
}

/// Files and links below `folder`.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.insert(entry.path());
        }
    }
    found
}

#[test]
fn what_is_installed_works_and_goes_again() {
    let root = tempfile::tempdir().unwrap();
    make("install", root.path());
    let agent = root.path().join(AGENT);
    // Pacemaker's tools call it as nobody.
    let mode = fs::metadata(&agent).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    let command = fs::canonicalize(root.path().join("usr/sbin/pgsqlms")).unwrap();
    assert_eq!(command, fs::canonicalize(&agent).unwrap());
    for part in [
        "man7/ocf_heartbeat_pgsqlms.7",
        "man8/pgsqlms.8",
        "man8/pgsqlms-status.8",
        "ocft/configs/pgsqlms",
        "completions/pgsqlms",
        "site-functions/_pgsqlms",
        "fish/vendor_completions.d/pgsqlms.fish",
        "systemd/system/pgsqlms-metrics.timer",
        "systemd/system/pgsqlms-role.socket",
        "systemd/system/pgsqlms-role@.service",
        "pgsqlms/pgsqlms-alerts.yml",
        "pgsqlms/pgsqlms-dashboard.json",
        "pacemaker/alerts/alert_pgsqlms",
        "resource-agents-pgsqlms/LICENSE",
        "docs/pictures/topology.svg",
    ] {
        let there = files(root.path()).iter().any(|path| path.ends_with(part));
        assert!(there, "{part}");
    }
    let state = fs::metadata(root.path().join("var/lib/pgsqlms")).unwrap();
    assert_eq!(state.permissions().mode() & 0o777, 0o700);
    make("uninstall", root.path());
    assert_eq!(files(root.path()), BTreeSet::new());
}

/// Targets of links in an installed page that are not there.
fn dead_links(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let after = text.split("](").skip(1);
    let targets = after.filter_map(|rest| rest.split([')', '#']).next());
    let local = targets.filter(|to| !to.is_empty() && !to.contains(':') && !to.contains('\n'));
    let missing = local.filter(|to| !page.with_file_name(to).exists());
    missing
        .map(|to| format!("{}: {to}", page.display()))
        .collect()
}

#[test]
fn links_of_installed_pages_lead_to_installed_files() {
    let root = tempfile::tempdir().unwrap();
    make("install", root.path());
    let all = files(root.path());
    let pages: Vec<_> = all.iter().filter(|path| is_page(path)).collect();
    assert!(pages.len() > 15, "only {pages:?}");
    let dead: Vec<_> = pages.iter().flat_map(|page| dead_links(page)).collect();
    assert!(dead.is_empty(), "{dead:#?}");
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}
