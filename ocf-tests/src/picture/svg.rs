//! A picture as text: rectangles, lines and words, whose colours are classes of one style.

use std::fmt::{Display, Write};

/// Light and dark, by what the reader's page is.
const STYLE: &str = include_str!("style.css");

/// The width of a usual letter, in parts of its size.
const LETTER: f64 = 0.56;

/// Where a word stands against its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It begins there.
    Begin,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A picture that is being drawn. Lengths are in pixels, from the upper left corner.
#[derive(Debug)]
pub struct Canvas {
    text: String,
}

/// A rectangle: left, top, width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Its left end.
    pub left: f64,
    /// Its upper end.
    pub top: f64,
    /// How wide.
    pub width: f64,
    /// How high.
    pub height: f64,
}

impl Area {
    /// Its right end.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Its lower end.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The same without its edges.
    pub fn within(&self, left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self {
            left: self.left + left,
            top: self.top + top,
            width: self.width - left - right,
            height: self.height - top - bottom,
        }
    }
}

impl Canvas {
    /// An empty picture with a title and a description for those who cannot see it.
    pub fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        let (title, description) = (escaped(title), escaped(description));
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{title}</title>\n\
             <desc>{description}</desc>\n<style>\n{STYLE}</style>\n\
             <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n"
        );
        Self { text }
    }

    /// A rectangle.
    pub fn area(&mut self, class: &str, area: Area, radius: f64) {
        let Area {
            left,
            top,
            width,
            height,
        } = area;
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" rx=\"{radius}\"/>"
        ));
    }

    /// A line through points; those of different parts are not joined.
    pub fn path(&mut self, class: &str, parts: &[Vec<(f64, f64)>]) {
        let mut path = String::new();
        for (index, (x, y)) in parts.iter().flat_map(|part| part.iter().enumerate()) {
            let verb = if index == 0 { 'M' } else { 'L' };
            // A string takes everything.
            let _ = write!(path, "{verb}{x:.1},{y:.1}");
        }
        self.add(format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    /// Words of a class on the base line `y`.
    pub fn words(&mut self, class: &str, side: Side, (x, y): (f64, f64), words: &str) {
        let side = match side {
            Side::Begin => "",
            Side::Middle => " mid",
            Side::End => " end",
        };
        let words = escaped(words);
        self.add(format_args!(
            "<text class=\"{class}{side}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"
        ));
    }

    /// The whole picture.
    pub fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }

    fn add(&mut self, element: impl Display) {
        // A string takes everything.
        let _ = writeln!(self.text, "{element}");
    }
}

/// About how wide words of a size are.
pub fn width_of(words: &str, size: f64) -> f64 {
    words.chars().map(|_| size * LETTER).sum()
}

/// The words, cut where they would be wider than `width`.
pub fn fit(words: &str, size: f64, width: f64) -> String {
    if width_of(words, size) <= width {
        return words.to_owned();
    }
    let mut kept = String::new();
    for letter in words.chars() {
        if width_of(&kept, size) + 2.0 * size * LETTER > width {
            break;
        }
        kept.push(letter);
    }
    kept + "…"
}

fn escaped(words: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    words.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped_and_parts_not_joined() {
        let mut canvas = Canvas::new(10.0, 5.0, "a<b", "");
        canvas.words("", Side::End, (1.0, 2.0), "\"x\" & y");
        canvas.path("line", &[vec![(0.0, 0.0), (1.0, 0.5)], vec![(3.0, 1.0)]]);
        let text = canvas.finish();
        let document = roxmltree::Document::parse(&text).unwrap();
        let words = document
            .descendants()
            .find(|node| node.has_tag_name("text"));
        assert_eq!(words.unwrap().text(), Some("\"x\" & y"));
        assert!(text.contains("d=\"M0.0,0.0L1.0,0.5M3.0,1.0\""), "{text}");
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        assert_eq!(fit("primary", 10.0, 40.0), "primary");
        assert_eq!(fit("primary", 10.0, 30.0), "prim…");
    }
}
