//! Man pages and completions for the packages, made from the code and its
//! metadata. They are checked in, so that a package needs no generator; a test
//! tells which one is out of date and, where asked, writes it again.
//!
//! No part of the agent: compiled for tests only.

mod agent_page;
mod command_page;
mod page;

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
    let about_agent = agent_page::page(include_str!("../../metadata.xml"));
    check("ocf_heartbeat_pgsqlms.7", &about_agent);
    for (name, text) in command_page::pages(Arguments::command()) {
        check(&name, &text);
    }
    for (name, shell) in [
        ("pgsqlms.bash", Shell::Bash),
        ("_pgsqlms", Shell::Zsh),
        ("pgsqlms.fish", Shell::Fish),
    ] {
        check(name, &completions(shell));
    }
}

/// A page of a command that is gone would be installed for ever.
#[test]
fn no_page_is_of_a_command_that_is_gone() {
    let made = command_page::pages(Arguments::command());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let there = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let there = there.map(|entry| entry.file_name().into_string().unwrap());
    let is_stray =
        |name: &String| name.ends_with(".8") && !made.iter().any(|(page, _)| page == name);
    assert_eq!(there.filter(is_stray).collect::<Vec<_>>(), [""; 0]);
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
