//! The names of series below a plot.

use super::svg::{Area, Canvas, Side, width_of};

/// Height of a legend.
pub const HEIGHT: f64 = 16.0;
/// Length of the line before a name.
const SAMPLE: f64 = 14.0;
/// So many colours has the style.
const COLOURS: usize = 8;

/// The class of the series with this number.
pub fn class(index: usize) -> String {
    format!("s{}", index % COLOURS)
}

/// Writes the names from left to right as long as there is room.
pub fn draw(canvas: &mut Canvas, area: Area, names: &[&str]) {
    let mut x = area.left;
    for (index, name) in names.iter().enumerate() {
        let width = SAMPLE + 5.0 + width_of(name, 11.0) + 14.0;
        if x + width > area.right() + 14.0 {
            let left = names.len() - index;
            canvas.words(
                "small",
                Side::Begin,
                (x, area.bottom()),
                &format!("+{left}"),
            );
            return;
        }
        let y = area.bottom() - 4.0;
        let class = format!("line {}", class(index));
        canvas.path(&class, &[vec![(x, y), (x + SAMPLE, y)]]);
        let place = (x + SAMPLE + 5.0, area.bottom());
        canvas.words("small", Side::Begin, place, name);
        x += width;
    }
}
