//! Prints what a command for people shows: in colours where standard output is a terminal,
//! plain in a pipe, and without control characters of others in both.

use std::io::{self, IsTerminal, Write};

use super::line::plain;
use super::styled::{Line, Style};

/// Longest line, in characters.
const LONGEST: usize = 8_000;
/// Longest line that another one takes the place of: it must not go on in a second row.
const LONGEST_FOR_NOW: usize = 78;
/// Blanks the terminal and goes to its first line.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";

/// Prints the lines.
pub fn show(lines: &[Line]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let colours = out.is_terminal();
    let text: String = lines.iter().map(|line| rendered(line, colours)).collect();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The same, in the place of what was shown before, where there is a terminal.
pub fn show_instead(lines: &[Line]) -> io::Result<()> {
    if io::stdout().is_terminal() {
        io::stdout().write_all(CLEAR.as_bytes())?;
    }
    show(lines)
}

/// Prints one line. Whoever reads it may have seen enough: that it cannot be printed is no failure.
pub fn tell(style: Style, text: impl Into<String>) {
    let _ = show(&[Line::of(style, text)]);
}

/// Whether a person sees it at once, and not a file or a pipe.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Prints a line that the next one takes the place of; only for a terminal.
pub fn show_for_now(text: &str) {
    let line = format!("\r\u{1b}[K{}", plain(text, LONGEST_FOR_NOW));
    let mut out = io::stdout().lock();
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// Takes such a line away.
pub fn clear_line() {
    show_for_now("");
}

/// Prints a document that another program reads.
pub fn print_document(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Says on standard error why a command for people shows nothing.
pub fn complain(reason: &str) {
    let line = format!("pgsqlms: {}\n", plain(reason, LONGEST));
    let _ = io::stderr().write_all(line.as_bytes());
}

fn rendered(line: &Line, colours: bool) -> String {
    if !colours {
        return plain(&line.text(), LONGEST) + "\n";
    }
    let pieces = line.pieces().iter();
    let pieces = pieces.map(|(style, text)| {
        let text = plain(text, LONGEST);
        match code(*style) {
            Some(code) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            None => text,
        }
    });
    pieces.collect::<String>() + "\n"
}

fn code(style: Style) -> Option<&'static str> {
    Some(match style {
        Style::Plain => return None,
        Style::Strong => "1",
        Style::Good => "32",
        Style::Warn => "33",
        Style::Bad => "1;31",
        Style::Faint => "2",
    })
}

#[test]
fn colours_are_ours_alone_and_only_where_asked_for() {
    let line = Line::plain("a\u{1b}[31mb ").and(Style::Bad, "c\nd");
    assert_eq!(rendered(&line, false), "a [31mb c d\n");
    assert_eq!(rendered(&line, true), "a [31mb \u{1b}[1;31mc d\u{1b}[0m\n");
}
