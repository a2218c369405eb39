//! The time axis: minutes since the run began.

use super::record::Record;
use super::svg::{Area, Canvas, Side};

const MINUTE: f64 = 60.0;

/// The time axis of a plot.
pub struct Time {
    begin: f64,
    end: f64,
    area: Area,
}

impl Time {
    /// The axis below `area`.
    pub fn new(record: &Record, area: Area) -> Self {
        Self {
            begin: record.begin,
            end: record.end,
            area,
        }
    }

    /// Where a moment is, from the left; those outside are at the edges.
    pub fn x(&self, when: f64) -> f64 {
        let part = (when - self.begin) / (self.end - self.begin);
        self.area.left + self.area.width * part.clamp(0.0, 1.0)
    }

    /// Draws a line for each minute and names it.
    pub fn draw(&self, canvas: &mut Canvas) {
        let mut minute = 0_u32;
        loop {
            let when = self.begin + f64::from(minute) * MINUTE;
            if when > self.end {
                return;
            }
            let (x, bottom) = (self.x(when), self.area.bottom());
            canvas.path("grid", &[vec![(x, self.area.top), (x, bottom)]]);
            canvas.words(
                "small",
                Side::Middle,
                (x, bottom + 14.0),
                &format!("{minute}:00"),
            );
            minute += 1;
        }
    }

    /// Draws a mark over the whole height.
    pub fn mark(&self, canvas: &mut Canvas, when: f64) {
        let x = self.x(when);
        let (top, bottom) = (self.area.top, self.area.bottom());
        canvas.path("mark", &[vec![(x, top), (x, bottom)]]);
    }
}
