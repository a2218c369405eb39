//! docs/reference.md lists all that is remembered, and nothing else.

use std::collections::BTreeSet;

use crate::record::name::{Life, Name};
use crate::record::{ALL, PERMANENT};

const MANUAL: &str = include_str!("../../../docs/reference.md");

/// The rows of the table below a heading, cell by cell.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = MANUAL.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn kind(life: Life) -> &'static str {
    match life {
        Life::Private => "private",
        Life::Transient => "transient",
        Life::Permanent => "permanent",
        Life::File => "file",
    }
}

fn is_file(name: &&Name) -> bool {
    name.life == Life::File
}

#[test]
fn the_manual_lists_every_attribute_and_no_other() {
    let listed: Vec<_> = table("Attributes")
        .into_iter()
        .map(|row| (row[0].to_owned(), row[1], row[3]))
        .collect();
    let known = ALL.iter().filter(|name| !is_file(name));
    let known: Vec<_> = known
        .map(|name| {
            let text = format!("`{}`", name.of("RESOURCE"));
            (text, kind(name.life), name.what)
        })
        .collect();
    assert_eq!(listed, known);
}

/// The table has further files, which are not notes of ours: they belong to
/// PostgreSQL, or to people.
#[test]
fn the_manual_lists_every_note_and_no_other() {
    let note = |row: Vec<&'static str>| {
        let path = row[0].trim_matches('`');
        let ours = path.starts_with("/run/") || path.starts_with("/var/lib/");
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap();
        ours.then(|| (name.to_owned(), row[1]))
    };
    let listed: Vec<_> = table("Files").into_iter().filter_map(note).collect();
    let known = ALL.iter().filter(is_file);
    let known: Vec<_> = known.map(|name| (name.of("RESOURCE"), name.what)).collect();
    assert_eq!(listed, known);
}

#[test]
fn no_two_facts_have_one_name() {
    let names: BTreeSet<_> = ALL.iter().map(|name| name.of("pgsqld")).collect();
    assert_eq!(names.len(), ALL.len());
}

/// Another version of the agent shares the cluster for a while.
#[test]
fn the_names_are_those_that_other_versions_look_for() {
    let names: Vec<_> = ALL.iter().map(|name| name.of("pgsqld")).collect();
    assert_eq!(
        names[..11],
        [
            "master-pgsqld",
            "reign-pgsqld",
            "claim-pgsqld",
            "ended-pgsqld",
            "force-promotion-pgsqld",
            "diverged-pgsqld",
            "lsn_location-pgsqld",
            "vote-pgsqld",
            "shutdown-pgsqld",
            "shutdown-seen-pgsqld",
            "missing-pgsqld",
        ]
    );
}

#[test]
fn what_survives_everything_is_one_list() {
    let permanent = ALL.iter().filter(|name| name.life == Life::Permanent);
    let names = |all: &mut dyn Iterator<Item = &Name>| -> Vec<_> {
        all.map(|name| name.of("pgsqld")).collect()
    };
    assert_eq!(
        names(&mut PERMANENT.iter()),
        names(&mut permanent.into_iter())
    );
}
