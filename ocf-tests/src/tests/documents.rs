//! The documents tell the truth: their commands do on a cluster what the text says.

use anyhow::Result;

use crate::document::play;
use crate::run::scene::Scene;

macro_rules! plays {
    ($($name:ident plays $part:literal of $file:literal),* $(,)?) => {
        $(
            #[doc = concat!("Plays \"", $part, "\" of ", $file, ".")]
            pub fn $name(scene: &mut Scene) -> Result<()> {
                play::part(scene, $file, $part)
            }
        )*
        /// Each test with the document and the part that it plays.
        #[cfg(test)]
        pub const PLAYED: &[(&str, &str, &str)] = &[$((stringify!($name), $file, $part)),*];
    };
}

plays![
    quick_start_pcs plays "Three nodes" of "quick-start-pcs.md",
    quick_start_crmsh plays "Three nodes" of "quick-start-crmsh.md",
    migration plays "Change over" of "migration.md",
    cookbook_every_day plays "Every day" of "cookbook.md",
    cookbook_start_and_stop plays "Start and stop" of "cookbook.md",
    cookbook_software plays "Change software" of "cookbook.md",
    cookbook_nodes plays "Change nodes" of "cookbook.md",
    cookbook_slots plays "Replication slots" of "cookbook.md",
    cookbook_synchronous plays "Synchronous replication" of "cookbook.md",
    cookbook_least_privilege plays "Least privilege" of "cookbook.md",
    cookbook_failure plays "After a failure" of "cookbook.md",
    cookbook_refusal plays "A refused promotion" of "cookbook.md",
    cookbook_time plays "Back to an earlier time" of "cookbook.md",
    cookbook_second_site plays "A second site" of "cookbook.md",
    cookbook_addresses plays "Addresses" of "cookbook.md",
];

/// The quick start, by a reader who has only two nodes.
pub fn quick_start_with_two_nodes(scene: &mut Scene) -> Result<()> {
    play::part_without(scene, "srv3", "quick-start-pcs.md", "Three nodes")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::PLAYED;
    use crate::document::{parse::Document, parse::Part};
    use crate::host::paths;

    /// Every document with its name; reading one fails on a command that is neither to be run
    /// nor says why not.
    fn documents() -> Vec<(String, Document)> {
        let files = fs::read_dir(paths::workspace().join("docs")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(".md")).collect();
        names.sort();
        names
            .into_iter()
            .map(|name| {
                let text = fs::read_to_string(paths::workspace().join("docs").join(&name)).unwrap();
                match Document::parse(&text) {
                    Ok(document) => (name, document),
                    Err(error) => panic!("docs/{name}: {error:#}"),
                }
            })
            .collect()
    }

    fn is_in_table(file: &str, part: &Part) -> bool {
        let mut rows = PLAYED.iter();
        rows.any(|(_, of, title)| *of == file && *title == part.title)
    }

    #[test]
    fn every_command_of_the_documents_is_run_or_says_why_not() {
        let documents = documents();
        assert!(documents.len() > 3, "only {} documents", documents.len());
        for (file, document) in &documents {
            let played = document.parts.iter().filter(|part| part.is_played());
            let forgotten: Vec<_> = played.filter(|part| !is_in_table(file, part)).collect();
            assert!(
                forgotten.is_empty(),
                "docs/{file}: no test plays {forgotten:#?}"
            );
        }
    }

    #[test]
    fn every_test_of_a_document_has_a_part() {
        let documents = documents();
        for (_, file, title) in PLAYED {
            let document = documents.iter().find(|(name, _)| name == file);
            let (_, document) = document.unwrap_or_else(|| panic!("no docs/{file}"));
            assert!(document.part(title).unwrap().is_played(), "{file}: {title}");
        }
    }
}
