//! Medians and ranges of a table of the bench as a picture: a row for each disturbance, in it a bar
//! from the least to the most and a dot for the median of each agent.

use super::dashboard::Look;
use super::legend;
use super::svg::{Area, Canvas, Side, fit};
use super::units;

const WIDTH: f64 = 850.0;
const MARGIN: f64 = 16.0;
/// For the names of rows.
const NAMES: f64 = 250.0;
/// For the numbers behind bars.
const NUMBERS: f64 = 130.0;
const HEAD: f64 = 58.0;
/// Height of an agent in a row, and what is between two rows.
const LINE: f64 = 20.0;
const GAP: f64 = 14.0;
/// What begins with this is no disturbance.
const OTHERS: &str = "monitor";

/// A cell: its text, and median, least and most in seconds.
type Cell = (String, [f64; 3]);

/// What a table says of the times of disturbances.
#[derive(Debug, PartialEq)]
struct Ranges {
    agents: Vec<String>,
    /// Names, and a cell for each agent, where there is one.
    rows: Vec<(String, Vec<Option<Cell>>)>,
}

/// Draws the times of disturbances of a table that `lab bench` made; rows of anything else are
/// left out.
pub fn draw(table: &str) -> String {
    let ranges = Ranges::read(table);
    let agents = f64::from(u32::try_from(ranges.agents.len()).unwrap_or(u32::MAX));
    let row = agents * LINE + GAP;
    let count = u32::try_from(ranges.rows.len()).unwrap_or(u32::MAX);
    let height = HEAD + f64::from(count) * row + 34.0;
    let title = "How long clients could not write";
    let mut canvas = Canvas::new(
        WIDTH,
        height,
        title,
        "The numbers are in the table beside it.",
    );
    canvas.words("title", Side::Begin, (MARGIN, 26.0), title);
    let plot = Area {
        left: MARGIN + NAMES,
        top: HEAD,
        width: WIDTH - 2.0 * MARGIN - NAMES - NUMBERS,
        height: f64::from(count) * row,
    };
    let names: Vec<_> = ranges.agents.iter().map(String::as_str).collect();
    let area = plot.within(0.0, -24.0, 0.0, plot.height + 8.0);
    legend::draw(&mut canvas, area, &names);
    let scale = Scale::new(&ranges, plot);
    scale.draw(&mut canvas);
    for (index, (name, cells)) in (0_u32..).zip(&ranges.rows) {
        let top = plot.top + f64::from(index) * row + GAP / 2.0;
        let middle = top + agents * LINE / 2.0 + 4.0;
        let name = fit(name, 11.5, NAMES);
        canvas.words("", Side::Begin, (MARGIN, middle), &name);
        for (agent, cell) in cells.iter().enumerate() {
            let below = f64::from(u32::try_from(agent).unwrap_or(u32::MAX)) * LINE;
            if let Some(cell) = cell {
                scale.cell(&mut canvas, agent, top + below + LINE / 2.0, cell);
            }
        }
    }
    canvas.finish()
}

/// From seconds to places.
struct Scale {
    ticks: Vec<f64>,
    look: Look,
    plot: Area,
}

impl Scale {
    fn new(ranges: &Ranges, plot: Area) -> Self {
        let look = Look {
            unit: "s".to_owned(),
            ..Look::default()
        };
        let cells = ranges.rows.iter().flat_map(|(_, cells)| cells).flatten();
        let most = cells.map(|(_, [_, _, most])| *most).fold(1.0, f64::max);
        Self {
            ticks: units::ticks(0.0, most, &look),
            look,
            plot,
        }
    }

    fn x(&self, seconds: f64) -> f64 {
        let last = self.ticks.last().copied().unwrap_or(1.0);
        self.plot.left + self.plot.width * seconds / last
    }

    fn draw(&self, canvas: &mut Canvas) {
        for tick in &self.ticks {
            let (x, bottom) = (self.x(*tick), self.plot.bottom());
            canvas.path("grid", &[vec![(x, self.plot.top), (x, bottom)]]);
            let text = units::text(*tick, &self.look, 0.0);
            canvas.words("small", Side::Middle, (x, bottom + 16.0), &text);
        }
    }

    fn cell(&self, canvas: &mut Canvas, agent: usize, y: f64, (text, times): &Cell) {
        let [median, least, most] = times.map(|seconds| self.x(seconds));
        let colour = legend::class(agent);
        let bar = vec![(least, y), (most, y)];
        canvas.path(&format!("bar {colour}"), &[bar]);
        canvas.path(&format!("dot {colour}"), &[vec![(median, y), (median, y)]]);
        canvas.words(
            "small",
            Side::Begin,
            (self.plot.right() + 10.0, y + 4.0),
            text,
        );
    }
}

impl Ranges {
    /// Reads a Markdown table.
    fn read(table: &str) -> Self {
        let lines = table.lines().filter(|line| line.starts_with('|'));
        let mut rows = lines.map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        });
        let head: Vec<String> = rows.next().unwrap_or_default();
        let row = |cells: Vec<String>| {
            let (name, cells) = cells.split_first()?;
            let cells: Vec<_> = cells.iter().map(|text| cell(text)).collect();
            let is_wanted = !name.starts_with(OTHERS) && cells.iter().any(Option::is_some);
            is_wanted.then(|| (name.clone(), cells))
        };
        Self {
            rows: rows.filter_map(row).collect(),
            agents: head.into_iter().skip(1).collect(),
        }
    }
}

/// `2.0 s (1.9–3.7)`, `845 ms (684–952)`; anything else is no range.
fn cell(text: &str) -> Option<Cell> {
    let (median, rest) = text.split_once(' ')?;
    let (unit, range) = rest.split_once(" (")?;
    let (least, most) = range.split_once(')')?.0.split_once('–')?;
    let factor = match unit {
        "s" => 1.0,
        "ms" => 0.001,
        _ => return None,
    };
    let mut times = [0.0; 3];
    for (time, text) in times.iter_mut().zip([median, least, most]) {
        *time = text.parse::<f64>().ok()? * factor;
    }
    Some((text.to_owned(), times))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
| what | paf | ours |
|---|---|---|
| monitor of a standby, wall | 98 ms (94–103) | 14 ms (4–22) |
| switchover (`pcs resource move`) | 2.0 s (1.9–3.7) | 500 ms (250–750) |
| its interruptions | 1 | 1 |
| power cut | – | 5.4 s (4.4–5.6) |
";

    #[test]
    fn times_of_disturbances_are_read_and_nothing_else() {
        let ranges = Ranges::read(TABLE);
        assert_eq!(ranges.agents, ["paf", "ours"]);
        let rows: Vec<_> = ranges.rows.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(rows, ["switchover (pcs resource move)", "power cut"]);
        let times =
            |row: usize, agent: usize| ranges.rows[row].1[agent].as_ref().map(|(_, times)| *times);
        assert_eq!(times(0, 0), Some([2.0, 1.9, 3.7]));
        assert_eq!(times(0, 1), Some([0.5, 0.25, 0.75]));
        assert_eq!(times(1, 0), None);
    }

    #[test]
    fn each_range_has_a_dot() {
        assert_eq!(draw(TABLE).matches("class=\"dot ").count(), 3);
        assert_eq!(draw("").matches("class=\"dot ").count(), 0);
    }
}
