//! Words of man pages: text in, roff out.

/// The heading of a page.
pub fn title(name: &str, section: &str, manual: &str) -> String {
    format!(
        ".TH {name} {section} \"\" \"pgsqlms {}\" \"{manual}\"\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// A section with its text.
pub fn section(name: &str, text: &str) -> String {
    format!(".SH {name}\n{text}")
}

/// A term, already marked up, and its explanation.
pub fn item(term: &str, text: &str) -> String {
    format!(".TP\n{term}\n{text}")
}

/// Lines as they are: commands to type.
pub fn verbatim(lines: &str) -> String {
    format!(".PP\n.nf\n.RS 4\n{}.RE\n.fi\n", plain(lines))
}

/// Text in bold.
pub fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escaped(text))
}

/// Text in italics.
pub fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escaped(text))
}

/// Paragraphs of text, parted by empty lines.
pub fn paragraphs(text: &str) -> String {
    let all = text.trim().split("\n\n");
    all.map(plain).collect::<Vec<_>>().join(".PP\n")
}

fn plain(text: &str) -> String {
    let lines = text.trim().lines();
    lines.map(|line| escaped(line) + "\n").collect()
}

/// A hyphen is one that can be copied into a shell, and no line begins a request.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        return format!("\\&{text}");
    }
    text
}

#[test]
fn text_never_turns_into_requests() {
    assert_eq!(escaped("a-b\\c"), "a\\-b\\ec");
    assert_eq!(escaped(".so /etc/passwd"), "\\&.so /etc/passwd");
    assert_eq!(paragraphs("a\nb\n\nc\n"), "a\nb\n.PP\nc\n");
}
