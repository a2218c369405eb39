//! What a file says about modules: which it declares, what it imports, which
//! paths its code names, which items it defines.

use std::collections::BTreeSet;

use super::source::{Source, is_of_name};

/// A path: its segments.
pub type Path = Vec<String>;

/// Something that is named by a path.
#[derive(Debug, Clone)]
pub struct Named {
    /// The modules inside of the file in which it is named.
    pub scope: Path,
    /// The path as it is written.
    pub path: Path,
    /// Where.
    pub at: usize,
}

/// One leaf of a `use`.
#[derive(Debug, Clone)]
pub struct Use {
    /// The path.
    pub named: Named,
    /// The name that it has from here on; `None` for `*`.
    pub name: Option<String>,
    /// Whether others see it here.
    pub is_public: bool,
}

/// What is found in a file.
#[derive(Debug, Default)]
pub struct Paths {
    /// Modules that have files of their own.
    pub children: Vec<Named>,
    /// What is imported.
    pub uses: Vec<Use>,
    /// Paths of two segments and more in the code.
    pub paths: Vec<Named>,
    /// Items by scope and name, without those of blocks.
    pub items: BTreeSet<(Path, String)>,
    /// The names of all functions.
    pub functions: BTreeSet<String>,
    /// Every word outside of `use` that belongs to the product.
    pub words: BTreeSet<String>,
}

impl Paths {
    /// Reads the code of `source`, tests included.
    pub fn of(source: &Source) -> Self {
        let tokens = tokens(&source.code);
        let mut reader = Reader {
            source,
            tokens: &tokens,
            scope: Vec::new(),
            found: Self::default(),
        };
        let mut at = 0;
        while at < tokens.len() {
            at += reader.read(at);
        }
        reader.found
    }
}

/// A word, `::` or one sign, and where it begins.
pub type Token<'a> = (&'a str, usize);

/// The words and signs of `code`.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let length = if is_of_name(c) {
            rest.find(|c| !is_of_name(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if !c.is_whitespace() {
            found.push((&rest[..length], at));
        }
        at += length;
    }
    found
}

/// Whether `token` is a name or a keyword.
pub fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| is_of_name(c) && !c.is_numeric())
}

struct Reader<'a> {
    source: &'a Source,
    tokens: &'a [Token<'a>],
    /// For each open brace the module that it opens, if it opens one.
    scope: Vec<Option<&'a str>>,
    found: Paths,
}

impl<'a> Reader<'a> {
    fn token(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |(text, _)| text)
    }

    fn named(&self, path: Path, at: usize) -> Named {
        let modules = self.scope.iter().flatten();
        Named {
            scope: modules.map(|name| (*name).to_owned()).collect(),
            path,
            at: self.tokens[at].1,
        }
    }

    /// Reads what begins at the token `at` and says how many tokens it has.
    fn read(&mut self, at: usize) -> usize {
        match self.token(at) {
            "mod" if self.token(at + 2) == "{" => {
                self.scope.push(Some(self.token(at + 1)));
                return 3;
            }
            "mod" if self.token(at + 2) == ";" => {
                let child = self.named(vec![self.token(at + 1).to_owned()], at);
                self.found.children.push(child);
                return 3;
            }
            "use" if self.token(at + 1) != "<" => return self.read_use(at),
            "{" => self.scope.push(None),
            "}" => drop(self.scope.pop()),
            word if is_word(word) => return self.read_word(at),
            _ => {}
        }
        1
    }

    fn read_word(&mut self, at: usize) -> usize {
        let word = self.token(at);
        let is_item = matches!(
            word,
            "fn" | "struct" | "enum" | "const" | "static" | "type" | "trait" | "union"
        );
        let is_in_no_block = self.scope.iter().all(Option::is_some);
        if is_item && is_in_no_block && is_word(self.token(at + 1)) {
            let item = self.named(vec![], at);
            let name = self.token(at + 1).to_owned();
            self.found.items.insert((item.scope, name));
        }
        if word == "fn" {
            self.found.functions.insert(self.token(at + 1).to_owned());
        }
        if !self.source.is_test(self.tokens[at].1) {
            self.found.words.insert(word.to_owned());
        }
        let mut path = vec![word.to_owned()];
        let mut end = at + 1;
        while self.token(end) == "::" && is_word(self.token(end + 1)) {
            path.push(self.token(end + 1).to_owned());
            end += 2;
        }
        let goes_on = at > 0 && self.token(at - 1) == "::";
        if path.len() > 1 && !goes_on {
            let path = self.named(path, at);
            self.found.paths.push(path);
        }
        end - at
    }

    fn read_use(&mut self, at: usize) -> usize {
        let is_public = at > 0 && matches!(self.token(at - 1), "pub" | ")");
        let mut end = at + 1;
        self.read_tree(&mut end, vec![], is_public);
        end - at
    }

    /// Reads the tree of a `use` below `prefix`; `at` is left behind it.
    fn read_tree(&mut self, at: &mut usize, prefix: Path, is_public: bool) {
        let begin = *at;
        let mut path = prefix.clone();
        loop {
            match self.token(*at) {
                "{" => return self.read_group(at, &path, is_public),
                "*" => {
                    self.add_use(begin, path, None, is_public);
                    *at += 1;
                    return;
                }
                "::" => {}
                "as" => {
                    let name = self.token(*at + 1).to_owned();
                    self.add_use(begin, path, Some(name), is_public);
                    *at += 2;
                    return;
                }
                // `self` at the end of a path is the module before it.
                "self" if !path.is_empty() => {}
                word if is_word(word) => path.push(word.to_owned()),
                _ => {
                    let name = path.last().cloned();
                    return self.add_use(begin, path, name, is_public);
                }
            }
            *at += 1;
        }
    }

    fn read_group(&mut self, at: &mut usize, prefix: &Path, is_public: bool) {
        *at += 1;
        while !matches!(self.token(*at), "}" | "") {
            self.read_tree(at, prefix.clone(), is_public);
            if self.token(*at) == "," {
                *at += 1;
            }
        }
        *at += 1;
    }

    fn add_use(&mut self, at: usize, path: Path, name: Option<String>, is_public: bool) {
        let named = self.named(path, at);
        self.found.uses.push(Use {
            named,
            name,
            is_public,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Paths {
        Paths::of(&Source::new("src/a.rs", text))
    }

    #[test]
    fn a_use_is_taken_apart() {
        let found = read("pub(super) use a::{self, b::{c as d, *}, e};\nuse super::f;");
        let leaves = found.uses.iter().map(|leaf| {
            let name = leaf.name.as_deref().unwrap_or("*");
            format!("{} {name} {}", leaf.named.path.join("::"), leaf.is_public)
        });
        let leaves: Vec<_> = leaves.collect();
        let wanted = ["a a true", "a::b::c d true", "a::b * true", "a::e e true"];
        assert_eq!(leaves[..4], wanted);
        assert_eq!(leaves[4..], ["super::f f false"]);
    }

    #[test]
    fn paths_are_found_in_code_with_the_module_they_are_in() {
        let found = read("mod x { fn y() { a::b::<C>(d.e, <F as g::H>::i) } }\nmod z;");
        let paths: Vec<_> = found.paths.iter().map(|p| p.path.join("::")).collect();
        assert_eq!(paths, ["a::b", "g::H"]);
        assert_eq!(found.paths[0].scope, ["x"]);
        assert!(
            found
                .items
                .contains(&(vec!["x".to_owned()], "y".to_owned()))
        );
        assert_eq!(found.children[0].path, ["z"]);
    }
}
