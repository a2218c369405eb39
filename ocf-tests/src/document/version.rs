//! A document shows one major version of PostgreSQL; its notes say to write another one on
//! another release. This does what such a reader does. Pure.

use std::collections::BTreeMap;

use super::parse::{Part, Step};

/// What stands before the version in the paths that every document shows.
const BEFORE: &str = "/etc/postgresql/";

/// The major version that `text` shows most often, if it shows paths of Debian's packages: a page
/// about an upgrade has another one too.
pub fn shown(text: &str) -> Option<String> {
    let after = text.split(BEFORE).skip(1);
    let numbers = after.map(|rest| rest.chars().take_while(char::is_ascii_digit));
    let numbers = numbers.map(Iterator::collect::<String>);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for number in numbers.filter(|number| !number.is_empty()) {
        *seen.entry(number).or_default() += 1;
    }
    let most = seen.into_iter().max_by_key(|(_, times)| *times);
    most.map(|(number, _)| number)
}

/// `part` as a reader types it who has the version `here` where the document has `shown`.
pub fn changed(part: &Part, shown: &str, here: &str) -> Part {
    let mut part = part.clone();
    let steps = part.chapters.iter_mut().flat_map(|c| &mut c.steps);
    for step in steps {
        if let Step::Command(command) = step {
            command.text = line(&command.text, shown, here);
            for text in &mut command.output {
                *text = line(text, shown, here);
            }
        }
    }
    part
}

/// Only whole numbers: `/17/`, `postgresql-17`, `17 main`, `17.…`, but neither an address
/// (`10.99.0.17`) nor a part of `2017`.
fn line(text: &str, shown: &str, here: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(shown) {
        let after = &rest[at + shown.len()..];
        let before = made.chars().chain(rest[..at].chars()).last();
        let inside = |c: char| c.is_alphanumeric() || c == '.' || c == '=';
        let ends = !after.starts_with(|c: char| c.is_alphanumeric());
        let whole = ends && !before.is_some_and(inside);
        made.push_str(&rest[..at]);
        made.push_str(if whole { here } else { shown });
        rest = after;
    }
    made + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse::Document;

    #[test]
    fn a_document_shows_its_version_in_paths() {
        let text = "see 9 and /etc/postgresql/17/main";
        assert_eq!(shown(text).as_deref(), Some("17"));
        assert_eq!(shown("PostgreSQL 17"), None);
        let upgrade = "/etc/postgresql/17/a /etc/postgresql/15/b /etc/postgresql/15/c";
        assert_eq!(shown(upgrade).as_deref(), Some("15"));
    }

    #[test]
    fn only_the_version_changes() {
        let of = |text| line(text, "17", "15");
        assert_eq!(
            of("rm /var/lib/postgresql/17/main"),
            "rm /var/lib/postgresql/15/main"
        );
        assert_eq!(of("apt install postgresql-17"), "apt install postgresql-15");
        assert_eq!(
            of("pg_ctlcluster 17 main stop"),
            "pg_ctlcluster 15 main stop"
        );
        assert_eq!(of("PostgreSQL 17.…"), "PostgreSQL 15.…");
        for kept in [
            "10.99.0.17",
            "2017",
            "timeout=17s",
            "interval=17",
            "0/417A0",
        ] {
            assert_eq!(of(kept), kept);
        }
    }

    #[test]
    fn commands_and_what_they_print_change() {
        let text = "## A\n```console\nsrv1# cat /etc/postgresql/17/main\n17\n```\n";
        let document = Document::parse(text).unwrap();
        let part = changed(document.part("A").unwrap(), "17", "15");
        let Some(Step::Command(command)) = part.chapters[0].steps.first() else {
            panic!("{part:?}");
        };
        assert_eq!(command.text, "cat /etc/postgresql/15/main");
        assert_eq!(command.output, ["15"]);
    }
}
