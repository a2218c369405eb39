//! status: who is what, how far, what is wrong, and what would happen; from any node, also
//! where PostgreSQL or Pacemaker is down.

use std::io;
use std::thread;
use std::time::Duration;

use super::look::Where;
use crate::ocf::{Environment, Failure, screen};
use crate::view::{self, Health, View};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Status {
    #[command(flatten)]
    place: Where,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Show it again every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
          value_parser = clap::value_parser!(u64).range(1..))]
    watch: Option<u64>,
}

impl Status {
    /// Whether it is shown again and again.
    pub fn goes_on(&self) -> bool {
        self.watch.is_some()
    }
}

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Shows it, and says how all of it is.
pub fn run(wish: &Status, shell: &Environment) -> Result<Health, Failure> {
    loop {
        let view = View::of(&wish.place.look(shell)?);
        if show(wish, &view).is_err() {
            // Whoever read it has seen enough.
            return Ok(view.health);
        }
        let Some(seconds) = wish.watch else {
            return Ok(view.health);
        };
        thread::sleep(Duration::from_secs(seconds));
    }
}

fn show(wish: &Status, view: &View) -> io::Result<()> {
    match (wish.format, wish.watch) {
        (Format::Json, _) => screen::print_document(&format!("{:#}\n", view::document(view))),
        (Format::Text, Some(_)) => screen::show_instead(&view::lines(view)),
        (Format::Text, None) => screen::show(&view::lines(view)),
    }
}
