//! `packaging/release`: its dry run passes with every commit, and it makes no release that nobody
//! answers for or that nobody signs.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the script looks at before it makes anything.
const JUDGED: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "SECURITY.md",
    "metadata.xml",
    "packaging/contact",
    "packaging/debian/changelog",
    "packaging/debian/control",
    "packaging/generated/ocf_heartbeat_pgsqlms.7",
    "packaging/generated/pgsqlms.8",
    "packaging/release",
    "packaging/rpm/resource-agents-pgsqlms.spec",
    "packaging/versions",
];

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn release(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(folder.join("packaging/release"));
    command
        .args(words)
        .env("CARGO", env!("CARGO"))
        .output()
        .unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A copy of what is judged, in which `file` has `new` in the place of `old`.
fn changed(file: &str, old: &str, new: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in JUDGED {
        let to = copy.path().join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(workspace().join(name), to).unwrap();
    }
    let path = copy.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{file} has no {old}");
    fs::write(&path, text.replace(old, new)).unwrap();
    copy
}

#[test]
fn the_dry_run_passes() {
    let output = release(&workspace(), &["--dry-run"]);
    assert!(output.status.success(), "{}", errors(&output));
    let made = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = env!("CARGO_PKG_VERSION");
    for file in [".cdx.json", "-third-party.txt"] {
        assert!(made.contains(&format!("pgsqlms-{version}{file}")), "{made}");
    }
}

#[test]
fn files_that_name_another_version_are_a_contradiction() {
    let version = env!("CARGO_PKG_VERSION");
    for file in [
        "metadata.xml",
        "packaging/debian/changelog",
        "packaging/rpm/resource-agents-pgsqlms.spec",
        "packaging/generated/pgsqlms.8",
        "packaging/generated/ocf_heartbeat_pgsqlms.7",
    ] {
        let copy = changed(file, version, "0.0.9");
        let output = release(copy.path(), &["--dry-run"]);
        assert_eq!(output.status.code(), Some(1), "{file}");
        let errors = errors(&output);
        let named = errors
            .lines()
            .any(|line| line.starts_with("wrong:") && line.contains(file));
        assert!(named, "{file}: {errors}");
    }
}

#[test]
fn no_release_without_contact_and_key() {
    for name in ["contact", "signing_key"] {
        // Empty, whatever it holds.
        let (from, to) = (format!("\n{name}="), format!("\n{name}=\n#"));
        let copy = changed("packaging/contact", &from, &to);
        let output = release(copy.path(), &[]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let missing = format!("packaging/contact names no {name}");
        assert!(errors(&output).contains(&missing), "{}", errors(&output));
        assert!(!copy.path().join("target").exists());
    }
}
