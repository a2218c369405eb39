//! Man pages and completions for the packages, made from the code and its
//! metadata. They are checked in, so that a package needs no generator; a test
//! tells which one is out of date and, where asked, writes it again.
//!
//! No part of the agent: compiled for tests only.

mod agent_page;
mod command_page;
mod roff;

use std::path::Path;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::Arguments;

/// Set to 1 it makes the test write what is out of date.
const WRITE: &str = "PGSQLMS_WRITE_PACKAGED";
const FOLDER: &str = "packaging/generated";

fn completions(shell: Shell) -> String {
    let mut bytes = Vec::new();
    generate(shell, &mut Arguments::command(), "pgsqlms", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn files_of_the_packages_are_up_to_date() {
    let command = Arguments::command();
    for (name, text) in [
        (
            "ocf_heartbeat_pgsqlms.7",
            agent_page::page(include_str!("../../metadata.xml")),
        ),
        ("pgsqlms.8", command_page::page(&command)),
        ("pgsqlms.bash", completions(Shell::Bash)),
        ("_pgsqlms", completions(Shell::Zsh)),
        ("pgsqlms.fish", completions(Shell::Fish)),
    ] {
        check(name, &text);
    }
}

fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(FOLDER)
        .join(name);
    if std::env::var(WRITE).is_ok_and(|value| value == "1") {
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == text,
        "{FOLDER}/{name} is out of date; run: {WRITE}=1 cargo test -p pgsqlms packaged"
    );
}
