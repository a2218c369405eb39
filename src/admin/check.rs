//! check: the view as a monitoring plugin (Nagios, Icinga, checkmk and their like).

use super::look::Where;
use crate::ocf::{Environment, Failure, Line, screen};
use crate::view::{self, Health, Judgement, Threshold, View};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Check {
    #[command(flatten)]
    place: Where,
    /// Warn outside of this range, such as lag=16MB or standbys=2:
    #[arg(short, long, value_name = "MEASURE=RANGE")]
    warning: Vec<Threshold>,
    /// Critical outside of this range
    #[arg(short, long, value_name = "MEASURE=RANGE")]
    critical: Vec<Threshold>,
    /// Only these problems count, by their ids
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// These problems do not count
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    ignore: Vec<String>,
}

/// Prints one line and what belongs to it, and says how bad it is.
pub fn run(wish: &Check, shell: &Environment) -> Result<Health, Failure> {
    let judgement = Judgement {
        warning: wish.warning.clone(),
        critical: wish.critical.clone(),
        only: wish.only.clone(),
        ignore: wish.ignore.clone(),
    };
    let (lines, health) = match wish.place.glance(shell) {
        Ok(seen) => view::plugin(&View::of(&seen), &judgement),
        // A plugin says so on standard output.
        Err(failure) => (
            vec![view::plugin_without_view(&failure.reason)],
            Health::Unknown,
        ),
    };
    let lines: Vec<_> = lines.into_iter().map(Line::plain).collect();
    // Whoever reads it may have seen enough.
    let _ = screen::show(&lines);
    Ok(health)
}
