//! The arrows between files: which file uses what another file defines.

use std::collections::BTreeMap;

use super::methods::{blocks, calls};
use super::paths::{Paths, Use};
use super::source::{Source, room};
use super::tree::{Place, Tree};

/// A file uses what another one defines.
#[derive(Debug, Clone)]
pub struct Arrow {
    /// The file that uses.
    pub from: String,
    /// Where in it.
    pub line: usize,
    /// The file that defines.
    pub to: String,
    /// Whether only tests use it.
    pub is_test: bool,
    /// How.
    pub by: By,
}

/// A name from another crate, written out: `std::fs::read`.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// The file that uses it.
    pub file: String,
    /// Where in it.
    pub line: usize,
    /// The whole path.
    pub path: String,
    /// Whether only tests use it.
    pub is_test: bool,
}

/// How a file uses another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// It names something of it.
    Name,
    /// It only passes a name on to others.
    PassingOn,
    /// It calls a method that a room gives to a type of another room.
    Method,
}

impl Tree<'_> {
    /// All arrows between files, and all names from other crates.
    pub fn arrows(&self) -> (Vec<Arrow>, Vec<Foreign>) {
        let (mut arrows, mut foreign) = (Vec::new(), Vec::new());
        let methods = self.methods_of_types_elsewhere();
        for (source, paths) in self.sources.iter().zip(&self.paths) {
            let uses = paths.uses.iter();
            let uses = uses.map(|leaf| (&leaf.named, by(leaf, paths)));
            for (named, by) in uses.chain(paths.paths.iter().map(|p| (p, By::Name))) {
                match self.place(&source.path, named) {
                    Place::File(to) => arrows.push(self.arrow(source, named.at, to, by)),
                    Place::Foreign(path) => foreign.push(Foreign {
                        file: source.path.clone(),
                        line: source.line(named.at),
                        path: path.join("::"),
                        is_test: self.is_test(source, named.at),
                    }),
                }
            }
            let calls = calls(source, &methods).into_iter();
            arrows.extend(calls.map(|(at, to)| self.arrow(source, at, to, By::Method)));
        }
        arrows.retain(|arrow| arrow.from != arrow.to);
        (arrows, foreign)
    }

    fn arrow(&self, source: &Source, at: usize, to: String, by: By) -> Arrow {
        Arrow {
            from: source.path.clone(),
            line: source.line(at),
            to,
            is_test: self.is_test(source, at),
            by,
        }
    }

    fn is_test(&self, source: &Source, at: usize) -> bool {
        source.is_test(at) || self.is_test_file(&source.path)
    }

    /// By name the file of each method whose type is of another room. A name that
    /// functions of several files have tells nothing, so it is left out.
    fn methods_of_types_elsewhere(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for source in self.sources.iter().filter(|s| !self.is_test_file(&s.path)) {
            for block in blocks(source) {
                let Place::File(file) = self.place(&source.path, &block.of) else {
                    continue;
                };
                let names = block
                    .functions
                    .into_iter()
                    .filter(|_| room(&file) != source.room());
                found.extend(names.map(|name| (name, source.path.clone())));
            }
        }
        found.retain(|name, _| self.files_with(name) == 1);
        found
    }

    /// How many files have a function of that name.
    fn files_with(&self, name: &str) -> usize {
        let has = |paths: &&Paths| paths.functions.contains(name);
        self.paths.iter().filter(has).count()
    }
}

/// A name that a file imports for others alone is passed on.
fn by(leaf: &Use, paths: &Paths) -> By {
    let is_used = |name: &String| paths.words.contains(name);
    if leaf.is_public && !leaf.name.as_ref().is_some_and(is_used) {
        return By::PassingOn;
    }
    By::Name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files
            .iter()
            .map(|(path, text)| Source::new(path, text))
            .collect();
        let (arrows, foreign) = Tree::of("us", &sources).arrows();
        let mut all: Vec<_> = arrows
            .iter()
            .map(|a| format!("{} {}", a.from, a.to))
            .collect();
        all.extend(foreign.iter().map(|f| format!("{} {}", f.file, f.path)));
        all.retain(|arrow| !arrow.starts_with("src/main.rs"));
        all
    }

    const MAIN: (&str, &str) = ("src/main.rs", "mod a;\nmod b;");

    #[test]
    fn a_name_that_is_passed_on_leads_to_where_it_is_defined() {
        let a = ("src/a/mod.rs", "mod deep;\npub use deep::Thing;");
        let deep = ("src/a/deep.rs", "pub struct Thing;");
        let user = ("src/b.rs", "use crate::a::Thing;\nfn f(_: Thing) {}");
        let found = arrows(&[MAIN, a, deep, user]);
        assert_eq!(
            found,
            ["src/a/mod.rs src/a/deep.rs", "src/b.rs src/a/deep.rs"]
        );
    }

    #[test]
    fn every_way_to_write_a_path_is_followed() {
        let a = ("src/a/mod.rs", "mod one;\nmod two;\npub use one::*;");
        let one = ("src/a/one.rs", "pub struct One;");
        for text in [
            "use super::one::One;",
            "use super::{one};\nfn f() { one::One::new() }",
            "fn f(_: super::one::One) {}",
            "fn f(_: self::super::super::a::one::One) {}",
            "use crate::a as x;\nfn f(_: x::one::One) {}",
            "mod inner { use super::super::one::One; }",
            "use super::One;",
        ] {
            let found = arrows(&[MAIN, a, one, ("src/a/two.rs", text)]);
            let wanted = "src/a/two.rs src/a/one.rs".to_owned();
            assert!(found.contains(&wanted), "{text}: {found:?}");
        }
    }

    /// `note` is a module here and a function there.
    #[test]
    fn a_function_may_be_called_as_a_module_that_its_file_uses() {
        let a = ("src/a/mod.rs", "pub mod note;\npub mod say;");
        let note = ("src/a/note.rs", "pub const X: u8 = 1;");
        let say = (
            "src/a/say.rs",
            "use super::note;\npub fn note() { note::X }",
        );
        let user = ("src/b.rs", "use crate::a::say;\nfn f() { say::note() }");
        let found = arrows(&[MAIN, a, note, say, user]);
        let leads_on = found.contains(&"src/b.rs src/a/note.rs".to_owned());
        assert!(!leads_on, "{found:?}");
    }

    #[test]
    fn a_method_leads_to_the_room_that_gives_it_to_a_type_of_another() {
        let a = ("src/a.rs", "pub struct A;\nfn f(a: A) { a.given() }");
        let b = (
            "src/b.rs",
            "use crate::a::A;\nimpl A { fn given(&self) {} }",
        );
        assert!(arrows(&[MAIN, a, b]).contains(&"src/a.rs src/b.rs".to_owned()));
    }

    #[test]
    fn a_name_of_another_crate_is_written_out() {
        let text =
            "use std::{fs, time::{Duration, Instant as Now}};\nfn f() { fs::read(); Now::now() }";
        let found = arrows(&[MAIN, ("src/b.rs", text)]);
        for path in ["std::fs::read", "std::time::Instant::now"] {
            assert!(found.contains(&format!("src/b.rs {path}")), "{found:?}");
        }
    }
}
