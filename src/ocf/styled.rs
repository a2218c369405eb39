//! Lines for people, in colours where there is a terminal.
//!
//! A line is what it says and how that is shown; `screen` prints it, and takes care that no
//! text of others does more to a terminal than to be read.

/// How a piece of a line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// What leads the eye: headings, the primary.
    Strong,
    /// All is well.
    Good,
    /// Somebody should look at it.
    Warn,
    /// Service is down, or would be.
    Bad,
    /// Beside the point.
    Faint,
}

/// One line: its pieces from left to right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(Vec<(Style, String)>);

impl Line {
    /// A line in one style.
    pub fn of(style: Style, text: impl Into<String>) -> Self {
        Self::default().and(style, text)
    }

    /// A line as it is.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::of(Style::Plain, text)
    }

    /// The line with another piece at its end.
    pub fn and(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    /// Its pieces.
    pub fn pieces(&self) -> &[(Style, String)] {
        &self.0
    }

    /// What it says.
    pub fn text(&self) -> String {
        let pieces = self.0.iter().map(|(_, text)| text.as_str());
        pieces.collect::<String>().trim_end().to_owned()
    }
}

#[test]
fn a_line_says_the_same_in_every_style() {
    let line = Line::plain("srv1  ")
        .and(Style::Bad, "gone")
        .and(Style::Plain, "   ");
    assert_eq!(line.text(), "srv1  gone");
    assert_eq!(line.pieces().len(), 3);
}
