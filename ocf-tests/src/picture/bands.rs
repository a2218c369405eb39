//! A band over time for each series, coloured by its value.

use super::frame::{Frame, Named};
use super::graph::parts;
use super::svg::{Area, Canvas, Side, fit, width_of};
use super::{legend, units};

/// For the names of series, at least, and the part of the width that they get at most.
const NAMES: f64 = 58.0;
const MOST_NAMES: f64 = 0.4;
/// For the names of minutes.
const TIMES: f64 = 18.0;
/// The part of its row that a band fills.
const FILLED: f64 = 0.7;
/// No row is higher.
const HIGHEST: f64 = 40.0;

/// Draws the series of a panel.
pub fn draw(frame: &Frame, canvas: &mut Canvas, area: Area) {
    let named = frame.named();
    let widths = named.iter().map(|one| width_of(&one.name, 11.0) + 10.0);
    let names = widths.fold(NAMES, f64::max).min(area.width * MOST_NAMES);
    let below = match frame.look().silent {
        true => TIMES + legend::HEIGHT,
        false => TIMES,
    };
    let plot = area.within(names, 2.0, 8.0, below);
    frame.time(plot).draw(canvas);
    // Below the bands, which have words in them.
    for when in frame.marks {
        frame.time(plot).mark(canvas, *when);
    }
    let count = u32::try_from(named.len()).unwrap_or(u32::MAX).max(1);
    let height = (plot.height / f64::from(count)).min(HIGHEST);
    for (index, one) in (0_u32..).zip(&named) {
        let row = Area {
            top: plot.top + height * (f64::from(index) + (1.0 - FILLED) / 2.0),
            height: height * FILLED,
            ..plot
        };
        let name = fit(&one.name, 11.0, names - 8.0);
        let place = (row.left - 8.0, row.top + row.height / 2.0 + 4.0);
        canvas.words("small", Side::End, place, &name);
        band(frame, canvas, one, plot, row);
    }
    if frame.look().silent {
        colours(frame, canvas, area.within(names, 0.0, 0.0, 0.0));
    }
}

fn band(frame: &Frame, canvas: &mut Canvas, one: &Named, plot: Area, row: Area) {
    let time = frame.time(plot);
    for part in parts(one.line, frame.record) {
        for same in part.chunk_by(|one, next| one.1 == next.1) {
            let (Some((from, value)), Some((last, _))) = (same.first(), same.last()) else {
                continue;
            };
            let (left, right) = (time.x(*from), time.x(last + frame.record.step));
            let area = Area {
                left,
                width: right - left,
                ..row
            };
            let class = format!("b-{}", frame.look().colour(*value));
            canvas.area(&class, area, 2.0);
            let text = units::text(*value, frame.look(), frame.record.end);
            if !frame.look().silent && width_of(&text, 12.0) + 6.0 < area.width {
                let place = (left + area.width / 2.0, row.top + row.height / 2.0 + 4.0);
                canvas.words("on", Side::Middle, place, &text);
            }
        }
    }
}

/// What the colours mean, below the bands.
fn colours(frame: &Frame, canvas: &mut Canvas, area: Area) {
    let mut left = area.left;
    for (text, colour) in frame.look().texts.values() {
        let sample = Area {
            left,
            top: area.bottom() - 9.0,
            width: 10.0,
            height: 10.0,
        };
        let class = format!("b-{}", colour.as_deref().unwrap_or("text"));
        canvas.area(&class, sample, 2.0);
        canvas.words("small", Side::Begin, (left + 15.0, area.bottom()), text);
        left += width_of(text, 11.0) + 30.0;
    }
}
