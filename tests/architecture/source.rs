//! A source file in which comments, strings and tests are blanked, so that what
//! is left can be searched as code. Every byte keeps its place.

use std::fs;
use std::path::Path;

/// One file of Rust.
pub struct Source {
    /// The path below the root of the project: `src/steps/state.rs`.
    pub path: String,
    /// The text with comments and the insides of literals blanked.
    pub code: String,
    /// The same, with the tests inside of the file blanked as well.
    pub product: String,
    /// The strings: where each begins, and its text with quotes.
    pub strings: Vec<(usize, String)>,
}

impl Source {
    /// A file with that text.
    pub fn new(path: &str, text: &str) -> Self {
        let (code, strings) = without_comments_and_strings(text);
        let product = without_tests(&code);
        Self {
            path: path.to_owned(),
            code,
            product,
            strings,
        }
    }

    /// Reads all files of Rust in `folder` and below it.
    pub fn all_of(folder: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        for entry in fs::read_dir(root.join(folder)).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            if entry.path().is_dir() {
                found.extend(Self::all_of(&path));
            } else if name.ends_with(".rs") {
                found.push(Self::new(&path, &fs::read_to_string(entry.path()).unwrap()));
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found
    }

    /// The folder or file right below `src` that the file is in: its room.
    pub fn room(&self) -> &str {
        room(&self.path)
    }

    /// The number of the line that has the byte `at`.
    pub fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Whether the byte `at` is in a test inside of the file.
    pub fn is_test(&self, at: usize) -> bool {
        self.product.as_bytes()[at] == b' '
    }
}

/// The room of the file `path`: `steps` of `src/steps/state.rs`.
pub fn room(path: &str) -> &str {
    let below = path.split_once("src/").map_or(path, |(_, below)| below);
    let room = below.split_once('/').map_or(below, |(room, _)| room);
    room.strip_suffix(".rs").unwrap_or(room)
}

/// Whether `c` can be part of a name.
pub fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn without_comments_and_strings(text: &str) -> (String, Vec<(usize, String)>) {
    let mut code = text.as_bytes().to_vec();
    let mut strings = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let begins_word = !text[..at].ends_with(is_of_name);
        let length = no_code(&text[at..], begins_word);
        let no_code = &text[at..at + length];
        if no_code.ends_with(['"', '#']) && !no_code.starts_with('/') {
            strings.push((at, no_code.to_owned()));
        }
        blank(&mut code[at..at + length]);
        at += length.max(if length == 0 { first.len_utf8() } else { 0 });
    }
    (String::from_utf8(code).unwrap(), strings)
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// The length of the comment or literal that `rest` begins with, or 0.
fn no_code(rest: &str, begins_word: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return comment(rest);
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    let bare = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - bare.len();
    if prefix > usize::from(begins_word) {
        return 0;
    }
    if bare.starts_with('"') {
        return prefix + string(bare);
    }
    if begins_word {
        return raw_string(bare).map_or(0, |length| prefix + length);
    }
    0
}

/// Comments of this kind have others inside.
fn comment(rest: &str) -> usize {
    let mut depth = 0;
    for (at, _) in rest.char_indices() {
        if rest[at..].starts_with("/*") {
            depth += 1;
        } else if rest[..at].ends_with("*/") {
            depth -= 1;
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == '"' && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('r')?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let inner = inner[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(inner.find(&end)? + 2 + hashes + end.len())
}

/// A character; a lifetime is code.
fn character(rest: &str) -> usize {
    let mut inner = rest[1..].char_indices();
    let escaped = match inner.next() {
        Some((_, '\\')) => 2,
        Some((_, c)) => c.len_utf8(),
        None => return 0,
    };
    match rest.get(1 + escaped..).and_then(|after| after.find('\'')) {
        Some(0) => 2 + escaped,
        Some(more) if rest[1..].starts_with('\\') => 2 + escaped + more,
        _ => 0,
    }
}

fn without_tests(code: &str) -> String {
    let mut product = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(at) = code[from..].find("#[").map(|at| from + at) {
        let end = at + code[at..].find(']').unwrap_or(2);
        let attribute = code[at + 2..end].trim();
        from = end;
        if attribute == "test" || (attribute.starts_with("cfg(") && attribute.contains("test")) {
            from += item(&code[end..]);
            blank(&mut product[at..from]);
        }
    }
    String::from_utf8(product).unwrap()
}

/// The length of the item that follows an attribute.
fn item(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices().skip(1) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return at,
            ')' | ']' => depth -= 1,
            '}' => depth -= 1,
            ';' | ',' if depth == 0 => return at + 1,
            _ => {}
        }
        if c == '}' && depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let text = r###"a /* b /* c */ " */ "d\"" 'e' '\'' b"f" r#"g"h"# '\u{e9}' x<'i> j // k
l br l"###;
        let source = Source::new("src/a.rs", text);
        let words: Vec<_> = source.code.split_whitespace().collect();
        assert_eq!(words, ["a", "x<'i>", "j", "l", "br", "l"]);
        assert_eq!(source.code.len(), text.len());
        let strings: Vec<_> = source.strings.iter().map(|(_, text)| text).collect();
        assert_eq!(strings, [r#""d\"""#, r#"b"f""#, r##"r#"g"h"#"##]);
    }

    #[test]
    fn tests_inside_of_a_file_are_no_product() {
        let text = "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\n#[x]\npub(super) fn c<T>(d: [T; 2]) {\n\
                    { e }\n}\nf\n#[cfg(test)]\nmod tests { g }\nenum H {\n#[cfg(test)]\nI,\nJ }";
        let source = Source::new("src/a.rs", text);
        let words: Vec<_> = source.product.split_whitespace().collect();
        assert_eq!(words.join(" "), "mod a; f enum H { J }");
        let inside = text.find("g }").unwrap();
        assert!(source.is_test(inside));
        assert_eq!(source.line(inside), 11);
    }

    #[test]
    fn a_room_is_a_folder_or_a_file_below_src() {
        let rooms = [
            "src/main.rs",
            "src/wal/lsn.rs",
            "ocf-tests/src/tests/two.rs",
        ]
        .map(room);
        assert_eq!(rooms, ["main", "wal", "tests"]);
    }
}
