//! The whole picture: a head, what was done, and the panels in their places.

use super::axis::Time;
use super::dashboard::{Dashboard, Kind};
use super::frame::Frame;
use super::record::Record;
use super::svg::{Area, Canvas, Side, width_of};
use super::{bands, graph, stat, table};

const WIDTH: f64 = 960.0;
/// Grafana's grid has so many.
const COLUMNS: f64 = 24.0;
/// Height of a row of the grid.
const ROW: f64 = 25.0;
/// Round the picture, and between panels.
const MARGIN: f64 = 12.0;
const GAP: f64 = 6.0;
/// For the title and for what was done.
const HEAD: f64 = 86.0;

/// Draws the dashboard with the answers of a run.
pub fn draw(dashboard: &Dashboard, record: &Record) -> String {
    let ends = dashboard
        .panels
        .iter()
        .map(|panel| panel.place[1] + panel.place[3]);
    let rows = ends.fold(0.0, f64::max);
    let height = HEAD + rows * ROW + MARGIN;
    let mut canvas = Canvas::new(WIDTH, height, &dashboard.title, &description(record));
    head(&mut canvas, dashboard, record);
    let marks = marks(dashboard, record);
    for panel in &dashboard.panels {
        let frame = Frame {
            panel,
            record,
            marks: &marks,
        };
        fill(&frame, &mut canvas, place(panel.place));
    }
    canvas.finish()
}

/// A panel by its kind.
fn fill(frame: &Frame, canvas: &mut Canvas, area: Area) {
    let inside = Frame::inside(area);
    if frame.panel.kind == Kind::Stat {
        stat::draw(frame, canvas, area, inside);
        return;
    }
    canvas.area("panel", area, 4.0);
    frame.title(canvas, area, "head");
    match frame.panel.kind {
        Kind::Table => table::draw(frame, canvas, inside),
        Kind::Bands => bands::draw(frame, canvas, inside),
        Kind::Graph | Kind::Stat => graph::draw(frame, canvas, inside),
    }
}

fn place([left, top, width, height]: [f64; 4]) -> Area {
    let column = (WIDTH - 2.0 * MARGIN + GAP) / COLUMNS;
    Area {
        left: MARGIN + left * column,
        top: HEAD + top * ROW,
        width: width * column - GAP,
        height: height * ROW - GAP,
    }
}

fn description(record: &Record) -> String {
    let acts = record.acts.iter().map(|act| {
        let after = act.from - record.begin;
        format!("after {after:.0} s {}", act.what)
    });
    format!("What was done: {}.", acts.collect::<Vec<_>>().join(", "))
}

/// The moments of all marks that lie within the run, in seconds since 1970, each once.
fn marks(dashboard: &Dashboard, record: &Record) -> Vec<f64> {
    let queries = dashboard.marks.iter().map(|mark| &mark.query);
    let samples = queries.flat_map(|query| record.lines(query));
    let samples = samples.flat_map(|line| &line.samples);
    let mut moments: Vec<_> = samples.map(|(_, value)| value / 1000.0).collect();
    moments.retain(|when| (record.begin..=record.end).contains(when));
    moments.sort_by(f64::total_cmp);
    moments.dedup();
    moments
}

/// The title, and a band with the acts.
fn head(canvas: &mut Canvas, dashboard: &Dashboard, record: &Record) {
    canvas.words("title", Side::Begin, (MARGIN, 24.0), &dashboard.title);
    let titles: Vec<_> = dashboard
        .marks
        .iter()
        .map(|mark| mark.title.as_str())
        .collect();
    let note = format!("- - {}", titles.join(", "));
    canvas.words("red", Side::End, (WIDTH - MARGIN, 24.0), &note);
    let band = Area {
        left: 2.0 * MARGIN,
        top: 40.0,
        width: WIDTH - 4.0 * MARGIN,
        height: 20.0,
    };
    let time = Time::new(record, band);
    time.draw(canvas);
    let ends = record.acts.iter().skip(1).map(|act| act.from);
    let ends = ends.chain([record.end]);
    for (index, (act, end)) in record.acts.iter().zip(ends).enumerate() {
        let (left, right) = (time.x(act.from), time.x(end));
        let area = Area {
            left,
            width: right - left,
            ..band
        };
        canvas.area(&format!("act{}", index % 2), area, 0.0);
        if width_of(&act.what, 11.0) + 4.0 < area.width {
            let place = (left + area.width / 2.0, band.top + 14.0);
            canvas.words("small", Side::Middle, place, &act.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::record::{Act, Line};
    use super::*;

    const OURS: &str = include_str!("../../../packaging/monitoring/pgsqlms-dashboard.json");

    fn run(answers: BTreeMap<String, Vec<Line>>) -> Record {
        let act = |from: f64, what: &str| Act {
            from,
            what: what.to_owned(),
        };
        Record {
            begin: 1000.0,
            end: 1100.0,
            step: 2.0,
            acts: vec![act(1000.0, "quiet"), act(1040.0, "a & b")],
            answers,
        }
    }

    #[test]
    fn every_panel_is_drawn_with_and_without_answers() {
        let ours = Dashboard::read(OURS, "pgsqld").unwrap();
        let line = |node: &str| Line {
            labels: BTreeMap::from([("node".to_owned(), node.to_owned())]),
            samples: vec![(1000.0, 0.0), (1002.0, 1.0), (1098.0, 0.0), (1100.0, 1.0)],
        };
        let lines = vec![line("srv1"), line("srv2")];
        let queries = ours.queries().into_iter();
        let full = run(queries.map(|query| (query, lines.clone())).collect());
        for record in [run(BTreeMap::new()), full] {
            let text = draw(&ours, &record);
            let document = roxmltree::Document::parse(&text).unwrap();
            let words: Vec<_> = document
                .descendants()
                .filter_map(|node| node.text())
                .collect();
            for panel in &ours.panels {
                assert!(words.contains(&panel.title.as_str()), "{}", panel.title);
            }
            assert!(words.contains(&"a & b"));
            assert!(!text.contains("NaN") && !text.contains("inf"));
        }
    }

    #[test]
    fn a_moment_within_the_run_is_marked_once() {
        let ours = Dashboard::read(OURS, "pgsqld").unwrap();
        let samples = vec![
            (1000.0, 900e3),
            (1002.0, 1001e3),
            (1004.0, 1001e3),
            (1006.0, 1005e3),
        ];
        let labels = BTreeMap::new();
        let query = ours.marks[0].query.clone();
        let record = run(BTreeMap::from([(query, vec![Line { labels, samples }])]));
        assert_eq!(marks(&ours, &record), [1001.0, 1005.0]);
    }
}
