//! Text of others (servers, tools, files, attributes) as one line that people can read.
//!
//! Every log line, exit reason and published word passes here, so that nobody has to
//! remember it where a text comes in.

/// A line of at most `longest` characters. Newlines inside would make several records of
/// one; other control characters, and those that turn the direction of text around, may come
/// from anybody's file or server: a terminal obeys them.
pub fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let parts = text.split(BREAKS).map(str::trim);
    for part in parts.filter(|part| !part.is_empty()) {
        let between = if count == 0 { "" } else { " | " };
        for c in between.chars().chain(part.chars()) {
            if count == longest {
                return line;
            }
            line.push(if is_plain(c) { c } else { ' ' });
            count += 1;
        }
    }
    line
}

/// The text with its blanks as they are, for a place in a table: what ends a line or moves a
/// terminal is a blank.
pub fn plain(text: &str, longest: usize) -> String {
    let ends = |c: &char| BREAKS.contains(c) || !is_plain(*c);
    let shown = text.chars().take(longest);
    shown.map(|c| if ends(&c) { ' ' } else { c }).collect()
}

/// What ends a line, here or where it is shown.
const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Whether a terminal shows it as a character and does nothing else for it.
fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_one_record() {
        let of = |text| one_line(text, 100);
        assert_eq!(
            of("FATAL:  no\nDETAIL:  why\n"),
            "FATAL:  no | DETAIL:  why"
        );
        assert_eq!(of("\n\r\n a \u{2028} b"), "a | b");
        assert_eq!(of(""), "");
    }

    #[test]
    fn what_a_terminal_would_obey_is_blank() {
        assert_eq!(one_line("red \u{1b}[31m\ttext", 100), "red  [31m text");
        assert_eq!(one_line("a\u{202e}b\u{7f}c\u{9b}d", 100), "a b c d");
    }

    #[test]
    fn its_length_is_bounded() {
        assert_eq!(one_line(&"é".repeat(9_000), 100).chars().count(), 100);
        assert_eq!(one_line(&"a\n".repeat(9_000), 5), "a | a");
    }
}
