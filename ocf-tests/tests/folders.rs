//! The folders of the lab stand on floors: a file uses its own folder and those beneath it.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up; folders on one floor do not know each other.
const FLOORS: &[&[&str]] = &[
    &["consistency", "host"],
    &["machine"],
    &["cluster"],
    &["watch"],
    &["run"],
    &["measure", "picture", "document", "prove", "soak"],
    &["tests"],
    &["commands"],
];

fn floor(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|names| names.contains(&folder))
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn names_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// All files of a folder and of those in it.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let names = names_in(folder).into_iter();
    names
        .flat_map(|path| match path.is_dir() {
            true => files_of(&path),
            false => vec![path],
        })
        .collect()
}

/// What follows `crate::` in `text`: names of folders, or the brace of a list.
fn used(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn no_file_uses_a_folder_on_its_own_floor_or_above() {
    for (height, names) in FLOORS.iter().enumerate() {
        for name in *names {
            for file in files_of(&source().join(name)) {
                let text = fs::read_to_string(&file).unwrap();
                for other in used(&text).filter(|other| other != name) {
                    let beneath = floor(other).is_some_and(|below| below < height);
                    assert!(beneath, "{} uses crate::{other}", file.display());
                }
            }
        }
    }
}

#[test]
fn every_folder_has_a_floor() {
    let folders = names_in(&source()).into_iter().filter(|path| path.is_dir());
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert!(floor(name).is_some(), "{name}");
    }
}
