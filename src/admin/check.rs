//! check: the view as a monitoring plugin (Nagios, Icinga, checkmk and their like).

use std::collections::BTreeSet;

use clap::builder::PossibleValuesParser;

use super::look::Where;
use super::setup;
use super::status::Format;
use crate::ocf::{Environment, Failure, Line, screen};
use crate::view::setup::{SETUP, check_setup, setup_json};
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
    /// Look at how this machine and the cluster are set up instead: also before the first start
    #[arg(long, conflicts_with_all = ["warning", "critical"])]
    setup: bool,
    /// Text for people, or JSON for programs, of --setup
    #[arg(long, value_enum, default_value = "text", requires = "setup")]
    format: Format,
    /// Only these problems count, by their ids
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = ids())]
    only: Vec<String>,
    /// These problems do not count
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = ids())]
    ignore: Vec<String>,
}

/// A typo would make a check well for ever.
fn ids() -> PossibleValuesParser {
    let all: BTreeSet<_> = view::PROBLEMS.into_iter().chain(SETUP).collect();
    PossibleValuesParser::new(all)
}

/// How it is set up.
fn setup(wish: &Check, shell: &Environment) -> Health {
    let is_in = |list: &[String], id: &str| list.iter().any(|one| one == id);
    let mut all = check_setup(&setup::look(&wish.place, shell));
    all.retain(|one| wish.only.is_empty() || is_in(&wish.only, one.id));
    all.retain(|one| !is_in(&wish.ignore, one.id));
    // Whoever reads it may have seen enough.
    let _ = match wish.format {
        Format::Text => screen::show(&view::checked_lines(&all)),
        Format::Json => screen::print_document(&format!("{:#}\n", setup_json(&all))),
    };
    view::worst_checked(&all)
}

/// Prints one line and what belongs to it, and says how bad it is.
pub fn run(wish: &Check, shell: &Environment) -> Result<Health, Failure> {
    if wish.setup {
        return Ok(setup(wish, shell));
    }
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
