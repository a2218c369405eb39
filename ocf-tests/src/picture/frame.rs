//! The box of a panel with its title; what is in it is drawn by its kind.

use super::axis::Time;
use super::dashboard::{Look, Panel, Target};
use super::record::{Line, Record};
use super::svg::{Area, Canvas, Side, fit};

/// Between the edge of a panel and what is in it.
const MARGIN: f64 = 10.0;
/// For the title.
const HEAD: f64 = 26.0;

/// A panel and what was answered to it.
pub struct Frame<'a> {
    /// The panel.
    pub panel: &'a Panel,
    /// The run.
    pub record: &'a Record,
    /// Where marks are on its time axis, in seconds since 1970.
    pub marks: &'a [f64],
}

/// A series with its name.
pub struct Named<'a> {
    /// By the legend of its query.
    pub name: String,
    /// The series.
    pub line: &'a Line,
}

impl<'a> Frame<'a> {
    /// What is left of its area for what is in it.
    pub fn inside(area: Area) -> Area {
        area.within(MARGIN, HEAD, MARGIN, MARGIN)
    }

    /// Writes the title.
    pub fn title(&self, canvas: &mut Canvas, area: Area, class: &str) {
        let title = fit(&self.panel.title, 12.6, area.width - 2.0 * MARGIN);
        let place = (area.left + MARGIN, area.top + 18.0);
        canvas.words(class, Side::Begin, place, &title);
    }

    /// What its values look like.
    pub fn look(&self) -> &'a Look {
        &self.panel.look
    }

    /// All series of the panel in the order of their names.
    pub fn named(&self) -> Vec<Named<'a>> {
        let of = |target: &'a Target| {
            let lines = self.record.lines(&target.query).iter();
            lines.map(|line| Named {
                name: target.name(line),
                line,
            })
        };
        let mut all: Vec<_> = self.panel.targets.iter().flat_map(of).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// The time axis of a plot in `area`.
    pub fn time(&self, area: Area) -> Time {
        Time::new(self.record, area)
    }
}

impl Record {
    /// The value of a series at the end; none where it has ended before.
    pub fn last(&self, line: &Line) -> Option<f64> {
        let (when, value) = line.samples.last()?;
        (*when > self.end - self.step / 2.0).then_some(*value)
    }
}
