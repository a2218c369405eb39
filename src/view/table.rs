//! Columns under each other.

use crate::ocf::{Line, Style};

/// A table as lines: the first row is its heading. Each cell has its style.
pub fn table(rows: &[Vec<(Style, String)>]) -> Vec<Line> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(|column| width(rows, column)).collect();
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn width(rows: &[Vec<(Style, String)>], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column));
    cells
        .map(|(_, text)| text.chars().count())
        .max()
        .unwrap_or(0)
}

fn line(row: &[(Style, String)], widths: &[usize]) -> Line {
    let cells = row.iter().zip(widths).enumerate();
    cells.fold(Line::default(), |line, (index, ((style, text), width))| {
        let gap = if index == 0 { "" } else { "  " };
        let padding = " ".repeat(width.saturating_sub(text.chars().count()));
        line.and(Style::Plain, gap)
            .and(*style, text.as_str())
            .and(Style::Plain, padding)
    })
}

#[test]
fn columns_are_as_wide_as_their_widest_cell() {
    let cell = |text: &str| (Style::Plain, text.to_owned());
    let rows = [
        vec![cell("node"), cell("behind"), cell("")],
        vec![cell("srv1"), cell("-"), cell("x")],
    ];
    let shown: Vec<_> = table(&rows).iter().map(Line::text).collect();
    assert_eq!(shown, ["node  behind", "srv1  -       x"]);
}
