//! Holds that the crates in Cargo.lock can be built with the Rust that Cargo.toml names, which is
//! Debian 13's. `cargo update` keeps to it (resolver 3).

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::process::Command;

const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// What cargo knows about the locked crates, as JSON.
fn metadata() -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--locked", "--offline"]);
    cargo.args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let output = cargo.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The versions of Rust that crates say they need.
fn needed(metadata: &str) -> Vec<&str> {
    let fields = metadata.split(r#""rust_version":""#).skip(1);
    fields.filter_map(|rest| rest.split('"').next()).collect()
}

fn number(version: &str) -> [u32; 2] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap());
    [parts.next().unwrap(), parts.next().unwrap_or(0)]
}

#[test]
fn no_crate_needs_a_newer_rust() {
    let metadata = metadata();
    let needed = needed(&metadata);
    assert!(needed.len() > 20, "only {} crates say so", needed.len());
    let newer = needed.iter().filter(|rust| number(rust) > number(OLDEST));
    let newer: Vec<_> = newer.collect();
    assert!(
        newer.is_empty(),
        "crates need Rust {newer:?}, Cargo.toml says {OLDEST}"
    );
}
