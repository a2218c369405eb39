//! The tree of modules of one crate: which file a path leads to. A name that a
//! `mod.rs` passes on leads to the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{Named, Path, Paths, Use};
use super::source::Source;

/// Where a path leads.
pub enum Place {
    /// The file that defines it.
    File(String),
    /// Out of the crate: the whole path.
    Foreign(Path),
}

#[derive(Debug, Default)]
struct Module {
    file: String,
    names: BTreeMap<String, Path>,
    globs: Vec<Path>,
    items: BTreeSet<String>,
}

/// The crate.
pub struct Tree<'a> {
    /// Its files.
    pub sources: &'a [Source],
    /// What each of them names.
    pub paths: Vec<Paths>,
    modules: BTreeMap<Path, Module>,
    test_files: BTreeSet<String>,
    name: String,
}

/// Aliases that lead in a circle end here.
const DEEPEST: usize = 20;

impl<'a> Tree<'a> {
    /// The tree of a crate that calls itself `name`.
    pub fn of(name: &str, sources: &'a [Source]) -> Self {
        let paths: Vec<_> = sources.iter().map(Paths::of).collect();
        let mut tree = Self {
            sources,
            paths,
            modules: BTreeMap::new(),
            test_files: BTreeSet::new(),
            name: name.to_owned(),
        };
        for index in 0..sources.len() {
            tree.add(index);
        }
        let all = sources.iter().map(|source| source.path.clone());
        tree.test_files = all.filter(|path| tree.only_tests_declare(path)).collect();
        tree
    }

    fn add(&mut self, index: usize) {
        let source = &self.sources[index];
        let own = self.module_of(&source.path);
        let at = |scope: &Path| [own.as_slice(), scope].concat();
        let module = self.modules.entry(own.clone()).or_default();
        module.file.clone_from(&source.path);
        for (scope, name) in &self.paths[index].items {
            let module = self.modules.entry(at(scope)).or_default();
            module.file.clone_from(&source.path);
            module.items.insert(name.clone());
        }
        for Use { named, name, .. } in &self.paths[index].uses {
            let module = self.modules.entry(at(&named.scope)).or_default();
            module.file.clone_from(&source.path);
            match name {
                Some(name) => drop(module.names.insert(name.clone(), named.path.clone())),
                None => module.globs.push(named.path.clone()),
            }
        }
    }

    /// The module that a file is; the program beside a library is another crate.
    fn module_of(&self, path: &str) -> Path {
        let below = path.split_once("src/").map_or(path, |(_, below)| below);
        let is_library = self.sources.iter().any(|s| s.path.ends_with("src/lib.rs"));
        if below == "lib.rs" || (below == "main.rs" && !is_library) {
            return vec![];
        }
        let module = below.trim_end_matches(".rs").trim_end_matches("/mod");
        module.split('/').map(str::to_owned).collect()
    }

    /// Whether the whole file is a test.
    pub fn is_test_file(&self, path: &str) -> bool {
        self.test_files.contains(path)
    }

    fn only_tests_declare(&self, path: &str) -> bool {
        let mut module = self.module_of(path);
        while let Some(name) = module.pop() {
            let Some(parent) = self.modules.get(&module) else {
                return false;
            };
            let index = self.sources.iter().position(|s| s.path == parent.file);
            let declared = index.is_some_and(|index| {
                let mut children = self.paths[index].children.iter();
                children.any(|child| child.path[0] == name && self.sources[index].is_test(child.at))
            });
            if declared {
                return true;
            }
        }
        false
    }

    /// Where something leads that is named in `file`.
    pub fn place(&self, file: &str, named: &Named) -> Place {
        let scope = [self.module_of(file), named.scope.clone()].concat();
        self.resolve(&scope, &named.path, 0)
    }

    fn resolve(&self, scope: &[String], path: &[String], depth: usize) -> Place {
        let Some((first, rest)) = path.split_first() else {
            return self.file(scope);
        };
        match first.as_str() {
            "crate" => self.walk(&[], rest, depth),
            "self" | "super" => {
                let (scope, rest) = climbed(scope, path);
                self.walk(scope, rest, depth)
            }
            name if self.supplies(scope, name, depth) => self.walk(scope, path, depth),
            name if name == self.name => self.walk(&[], rest, depth),
            _ => Place::Foreign(path.to_vec()),
        }
    }

    fn walk(&self, module: &[String], path: &[String], depth: usize) -> Place {
        let (Some((name, rest)), true) = (path.split_first(), depth < DEEPEST) else {
            return self.file(module);
        };
        let child = [module, std::slice::from_ref(name)].concat();
        if self.modules.contains_key(&child) {
            return self.walk(&child, rest, depth + 1);
        }
        let Some(here) = self.modules.get(module) else {
            return Place::Foreign(path.to_vec());
        };
        if rest.is_empty() && here.items.contains(name) {
            return self.file(module);
        }
        if let Some(alias) = here.names.get(name).filter(|alias| alias[..] != path[..1]) {
            let path = [alias.as_slice(), rest].concat();
            return self.resolve(module, &path, depth + 1);
        }
        if let Some(other) = self.glob_with(module, name, depth) {
            return self.walk(&other, path, depth + 1);
        }
        self.file(module)
    }

    fn file(&self, module: &[String]) -> Place {
        match self.modules.get(module) {
            Some(module) => Place::File(module.file.clone()),
            None => Place::Foreign(module.to_vec()),
        }
    }

    /// Whether `name` means something in `module`.
    fn supplies(&self, module: &[String], name: &str, depth: usize) -> bool {
        let child = [module, &[name.to_owned()]].concat();
        let Some(here) = self.modules.get(module) else {
            return false;
        };
        let is_alias = |alias: &Path| alias[..] != [name.to_owned()];
        self.modules.contains_key(&child)
            || here.names.get(name).is_some_and(is_alias)
            || here.items.contains(name)
            || self.glob_with(module, name, depth).is_some()
    }

    /// The module that supplies `name` to `module` by a `*`.
    fn glob_with(&self, module: &[String], name: &str, depth: usize) -> Option<Path> {
        let here = self.modules.get(module)?;
        if depth >= DEEPEST || here.items.contains(name) {
            return None;
        }
        let targets = here.globs.iter().map(|glob| self.module_at(module, glob));
        targets
            .flatten()
            .find(|target| target[..] != *module && self.supplies(target, name, depth + 1))
    }

    fn module_at(&self, scope: &[String], path: &[String]) -> Option<Path> {
        let mut module = scope.to_vec();
        for name in path {
            match name.as_str() {
                "crate" => module.clear(),
                "self" => {}
                "super" => drop(module.pop()),
                name => module.push(name.to_owned()),
            }
        }
        self.modules.contains_key(&module).then_some(module)
    }
}

/// The module that `self` and `super` at the begin of `path` lead to, and the rest.
fn climbed<'p>(mut scope: &'p [String], mut path: &'p [String]) -> (&'p [String], &'p [String]) {
    while let Some((first, rest)) = path.split_first() {
        match first.as_str() {
            "self" => {}
            "super" => scope = &scope[..scope.len().saturating_sub(1)],
            _ => break,
        }
        path = rest;
    }
    (scope, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_only_tests_declare_is_a_test() {
        let main = ("src/main.rs", "#[cfg(test)]\nmod a;\nmod b;");
        let files = [
            main,
            ("src/a/mod.rs", "mod c;"),
            ("src/a/c.rs", ""),
            ("src/b.rs", ""),
        ];
        let sources = files.map(|(path, text)| Source::new(path, text));
        let tree = Tree::of("us", &sources);
        let tests = files.map(|(path, _)| tree.is_test_file(path));
        assert_eq!(tests, [false, true, true, false]);
    }
}
