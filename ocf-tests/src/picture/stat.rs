//! The value at the end, in large letters.

use super::frame::Frame;
use super::svg::{Area, Canvas, Side, fit};
use super::units;

/// Of large letters.
const SIZE: f64 = 20.0;

/// Draws the last values of a panel side by side.
pub fn draw(frame: &Frame, canvas: &mut Canvas, area: Area, inside: Area) {
    let look = frame.look();
    let named = frame.named();
    let last: Vec<_> = named
        .iter()
        .filter_map(|one| Some((one.name.as_str(), frame.record.last(one.line)?)))
        .collect();
    let first = last.first().filter(|_| look.on_background);
    let background = first.map(|(_, value)| format!("b-{}", look.colour(*value)));
    canvas.area(background.as_deref().unwrap_or("panel"), area, 4.0);
    let (head, small) = match background {
        Some(_) => ("head on", "small on"),
        None => ("head", "small"),
    };
    frame.title(canvas, area, head);
    let count = u32::try_from(last.len()).unwrap_or(u32::MAX);
    let width = inside.width / f64::from(count.max(1));
    let base = inside.top + inside.height / 2.0 + SIZE / 3.0;
    if last.is_empty() {
        let middle = inside.left + inside.width / 2.0;
        canvas.words("small", Side::Middle, (middle, base), "no data");
    }
    for (index, (name, value)) in (0_u32..).zip(&last) {
        let text = units::text(*value, look, frame.record.end);
        let (words, below) = match look.shows {
            (true, false) => ((*name).to_owned(), ""),
            (true, true) => (text, *name),
            (false, _) => (text, ""),
        };
        let class = match look.on_background {
            true => "value on".to_owned(),
            false => format!("value {}", look.colour(*value)),
        };
        let middle = inside.left + width * (f64::from(index) + 0.5);
        write(canvas, (middle, base), width, &class, &words);
        canvas.words(small, Side::Middle, (middle, base + 17.0), below);
    }
}

/// A text that does not fit gets smaller letters.
fn write(canvas: &mut Canvas, place: (f64, f64), width: f64, class: &str, words: &str) {
    let fits = fit(words, SIZE, width) == words;
    let class = match fits {
        true => class.to_owned(),
        false => class.replace("value", "head"),
    };
    canvas.words(&class, Side::Middle, place, &fit(words, 13.0, width));
}
