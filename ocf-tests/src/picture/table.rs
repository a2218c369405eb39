//! Labels and values at the end, a row for each series or for each value of the label that joins.

use std::collections::{BTreeMap, BTreeSet};

use super::frame::Frame;
use super::svg::{Area, Canvas, Side, fit};
use super::units;

const ROW: f64 = 19.0;
/// Of letters.
const SIZE: f64 = 11.0;

/// A row: its cells by the names of columns.
type Row = BTreeMap<String, String>;

/// Draws the table of a panel.
pub fn draw(frame: &Frame, canvas: &mut Canvas, area: Area) {
    let (columns, rows) = content(frame);
    if rows.is_empty() {
        let middle = (
            area.left + area.width / 2.0,
            area.top + area.height / 2.0 - 6.0,
        );
        canvas.words(
            "small",
            Side::Middle,
            middle,
            "no data: nothing at the end of the run",
        );
        return;
    }
    let count = u32::try_from(columns.len()).unwrap_or(u32::MAX).max(1);
    let width = area.width / f64::from(count);
    let mut write = |class: &str, line: f64, column: u32, words: &str| {
        let place = (
            area.left + width * f64::from(column),
            area.top + ROW * line + 12.0,
        );
        canvas.words(class, Side::Begin, place, &fit(words, SIZE, width - 2.0));
    };
    for (column, name) in (0_u32..).zip(&columns) {
        let shown = frame.look().renamed.get(name).unwrap_or(name);
        write("small", 0.0, column, shown);
    }
    let room = (area.height / ROW - 1.0).floor();
    for (line, row) in (1_u32..).zip(&rows) {
        let line = f64::from(line);
        if line > room {
            break;
        }
        for (column, name) in (0_u32..).zip(&columns) {
            let words = row.get(name).map_or("", String::as_str);
            write("cell", line, column, words);
        }
    }
}

/// The columns that are shown, labels first, and the rows.
fn content(frame: &Frame) -> (Vec<String>, Vec<Row>) {
    let targets = &frame.panel.targets;
    let mut labels = BTreeSet::new();
    let mut values = Vec::new();
    let mut rows: BTreeMap<Vec<&str>, Row> = BTreeMap::new();
    for target in targets {
        let value = match targets.len() {
            1 => "Value".to_owned(),
            _ => format!("Value #{}", target.id),
        };
        for line in frame.record.lines(&target.query) {
            let Some(last) = frame.record.last(line) else {
                continue;
            };
            let key = line.labels.values().map(String::as_str).collect();
            let row: &mut Row = rows.entry(key).or_default();
            labels.extend(line.labels.keys().cloned());
            row.extend(line.labels.clone());
            let text = units::text(last, frame.look(), frame.record.end);
            row.insert(value.clone(), text);
        }
        values.push(value);
    }
    let columns = labels.into_iter().chain(values);
    let columns = columns.filter(|name| !frame.look().hidden.contains(name));
    (columns.collect(), rows.into_values().collect())
}
