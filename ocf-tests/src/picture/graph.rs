//! Lines over time.

use super::frame::{Frame, Named};
use super::legend;
use super::record::{Line, Record};
use super::svg::{Area, Canvas, Side};
use super::units;

/// For the names of values.
const VALUES: f64 = 58.0;
/// For the names of minutes.
const TIMES: f64 = 20.0;

/// Draws the series of a panel.
pub fn draw(frame: &Frame, canvas: &mut Canvas, area: Area) {
    let named = frame.named();
    let plot = area.within(VALUES, 2.0, 8.0, TIMES + legend::HEIGHT);
    let values = Values::new(frame, &named, plot);
    let time = frame.time(plot);
    time.draw(canvas);
    values.draw(canvas, frame);
    for (index, one) in named.iter().enumerate() {
        let class = format!("line {}", legend::class(index));
        let place = |(when, value): &(f64, f64)| (time.x(*when), values.y(*value));
        let parts = parts(one.line, frame.record).map(|part| {
            let points: Vec<_> = part.iter().map(place).collect();
            match frame.look().stepped {
                true => stairs(&points),
                false => points,
            }
        });
        canvas.path(&class, &parts.collect::<Vec<_>>());
    }
    for when in frame.marks {
        time.mark(canvas, *when);
    }
    let names: Vec<_> = named.iter().map(|one| one.name.as_str()).collect();
    legend::draw(canvas, area.within(VALUES, 0.0, 0.0, 0.0), &names);
}

/// The axis of values.
struct Values {
    ticks: Vec<f64>,
    area: Area,
}

impl Values {
    fn new(frame: &Frame, named: &[Named], area: Area) -> Self {
        let look = frame.look();
        let samples = named.iter().flat_map(|one| &one.line.samples);
        let values: Vec<f64> = samples.map(|(_, value)| *value).collect();
        let least = values.iter().copied().fold(f64::MAX, f64::min);
        let most = values.iter().copied().fold(f64::MIN, f64::max);
        let least = look.least.unwrap_or(least.min(most));
        let most = look.most.unwrap_or(most.max(least));
        let most = if most > least { most } else { least + 1.0 };
        Self {
            ticks: units::ticks(least, most, look),
            area,
        }
    }

    fn y(&self, value: f64) -> f64 {
        let first = self.ticks.first().copied().unwrap_or_default();
        let last = self.ticks.last().copied().unwrap_or_default();
        let part = ((value - first) / (last - first)).clamp(0.0, 1.0);
        self.area.bottom() - self.area.height * part
    }

    fn draw(&self, canvas: &mut Canvas, frame: &Frame) {
        for tick in &self.ticks {
            let y = self.y(*tick);
            canvas.path("grid", &[vec![(self.area.left, y), (self.area.right(), y)]]);
            let text = units::text(*tick, frame.look(), frame.record.end);
            let place = (self.area.left - 6.0, y + 4.0);
            canvas.words("small", Side::End, place, &text);
        }
    }
}

/// The samples of a series between its gaps: no line goes where nothing was known.
pub fn parts<'a>(line: &'a Line, record: &Record) -> impl Iterator<Item = &'a [(f64, f64)]> {
    let gap = record.step * 1.5;
    line.samples.chunk_by(move |one, next| next.0 - one.0 < gap)
}

fn stairs(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut stairs: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        if let Some((_, before)) = stairs.last().copied() {
            stairs.push((*x, before));
        }
        stairs.push((*x, *y));
    }
    stairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_ends_a_line_and_stairs_keep_the_value() {
        let line = Line {
            samples: vec![(0.0, 1.0), (2.0, 0.0), (8.0, 1.0)],
            ..Line::default()
        };
        let record = Record {
            begin: 0.0,
            end: 8.0,
            step: 2.0,
            acts: Vec::new(),
            answers: std::collections::BTreeMap::new(),
        };
        let parts: Vec<_> = parts(&line, &record).collect();
        assert_eq!(parts, [&line.samples[..2], &line.samples[2..]]);
        assert_eq!(stairs(parts[0]), [(0.0, 1.0), (2.0, 1.0), (2.0, 0.0)]);
    }
}
