//! A man page, part by part. The crate `roff` escapes what would be a request.

use roff::{Inline, Roff, bold, roman};

/// A page, or what is added to one.
#[derive(Default)]
pub struct Page(Roff);

impl Page {
    /// A page with its heading.
    pub fn titled(name: &str, section: &str, manual: &str) -> Self {
        let mut page = Self::default();
        let heading = [name, section, NO_DATE, SOURCE, manual];
        page.0.control("TH", heading);
        page
    }

    /// Begins a section.
    pub fn section(&mut self, name: &str) -> &mut Self {
        self.0.control("SH", [name]);
        self
    }

    /// A term and its explanation.
    pub fn item(&mut self, term: Vec<Inline>, text: &str) -> &mut Self {
        self.0.control("TP", []).text(term);
        self.paragraphs(text)
    }

    /// Paragraphs of text, parted by empty lines.
    pub fn paragraphs(&mut self, text: &str) -> &mut Self {
        for (index, paragraph) in text.trim().split("\n\n").enumerate() {
            if index > 0 {
                self.0.control("PP", []);
            }
            self.lines(paragraph);
        }
        self
    }

    /// What comes next is a paragraph of its own.
    pub fn paragraph(&mut self) -> &mut Self {
        self.0.control("PP", []);
        self
    }

    /// Lines as they are: commands to type.
    pub fn verbatim(&mut self, lines: &str) -> &mut Self {
        self.0.control("PP", []).control("nf", []);
        self.0.control("RS", ["4"]);
        self.lines(lines);
        self.0.control("RE", []).control("fi", []);
        self
    }

    /// A line of text.
    pub fn line(&mut self, words: Vec<Inline>) -> &mut Self {
        self.0.text(words);
        self
    }

    fn lines(&mut self, text: &str) {
        for line in text.trim().lines() {
            self.0.text([roman(line)]);
        }
    }

    /// As a formatter of man pages reads it.
    pub fn render(&self) -> String {
        self.0.to_roff()
    }
}

/// What each page says it belongs to.
pub const SOURCE: &str = concat!("pgsqlms ", env!("CARGO_PKG_VERSION"));

/// In the place of a date, which only a release has: nothing at all would be left out, and what
/// follows taken for it.
pub const NO_DATE: &str = " ";

/// A name in bold and nothing else.
pub fn name(text: &str) -> Vec<Inline> {
    vec![bold(text)]
}

#[test]
fn text_never_turns_into_requests() {
    let mut page = Page::default();
    page.paragraphs("a-b\\c\n.so /etc/passwd\n\n'c\n");
    assert_eq!(
        page.render(),
        "a\\-b\\\\c\n\\&.so /etc/passwd\n.PP\n\\&'c\n"
    );
}
