//! What was measured, and the table of it.

use anyhow::{Result, bail};

use crate::cluster::agent::Agent;

/// Values of one kind, in seconds (or in pieces).
#[derive(Debug, Clone, Default)]
pub struct Series(pub Vec<f64>);

impl Series {
    /// Median, smallest and largest.
    pub fn summary(&self) -> Option<(f64, f64, f64)> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some((median, first, last))
    }
}

/// What was measured of one agent: rows of name, unit and values.
pub type Results = Vec<(String, &'static str, Series)>;

/// A Markdown table of the results of several agents side by side: median (range).
pub fn table(columns: &[(Agent, Results)]) -> Result<String> {
    let Some((_, first)) = columns.first() else {
        bail!("nothing was measured")
    };
    let heads: Vec<&str> = columns.iter().map(|(agent, _)| agent.name()).collect();
    let mut text = format!(
        "| what | {} |\n|---|{}\n",
        heads.join(" | "),
        "---|".repeat(heads.len())
    );
    for (what, unit, _) in first {
        let of = |results: &Results| {
            let found = results.iter().find(|(name, _, _)| name == what);
            found.map_or_else(|| "–".to_owned(), |(_, _, series)| cell(series, unit))
        };
        let cells: Vec<String> = columns.iter().map(|(_, results)| of(results)).collect();
        text.push_str(&format!("| {what} | {} |\n", cells.join(" | ")));
    }
    Ok(text)
}

fn cell(series: &Series, unit: &str) -> String {
    let Some((median, low, high)) = series.summary() else {
        return "–".to_owned();
    };
    if unit.is_empty() {
        return format!("{median:.0}");
    }
    // Of what takes less than a second nothing finer than a millisecond means anything.
    if unit == "s" && high < 1.0 {
        let [median, low, high] = [median, low, high].map(|seconds| seconds * 1000.0);
        return format!("{median:.0} ms ({low:.0}–{high:.0})");
    }
    format!("{median:.1} {unit} ({low:.1}–{high:.1})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ranges() {
        assert_eq!(Series(vec![3.0, 1.0, 2.0]).summary(), Some((2.0, 1.0, 3.0)));
        assert_eq!(Series(vec![4.0, 1.0]).summary(), Some((2.5, 1.0, 4.0)));
        assert_eq!(Series::default().summary(), None);
    }

    #[test]
    fn less_than_a_second_is_told_in_milliseconds() {
        let told = |values: &[f64]| cell(&Series(values.to_vec()), "s");
        assert_eq!(told(&[0.1795, 0.0057, 0.013]), "13 ms (6–180)");
        assert_eq!(told(&[8.7, 2.2, 14.34]), "8.7 s (2.2–14.3)");
        assert_eq!(cell(&Series(vec![1.0, 32.0, 32.0]), ""), "32");
    }
}
