//! history: the elections and promotions that are on record.

use super::look::Where;
use super::status::Format;
use crate::ocf::{Environment, Failure, screen};
use crate::view::{self, Health};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct History {
    #[command(flatten)]
    place: Where,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Shows them, the last one first.
pub fn run(wish: &History, shell: &Environment) -> Result<Health, Failure> {
    let seen = wish.place.look_back(shell)?;
    let past = view::past(&seen);
    // Whoever reads it may have seen enough.
    let _ = match wish.format {
        Format::Text => screen::show(&view::past_lines(&past)),
        Format::Json => {
            let document = view::past_json(&seen, &past);
            screen::print_document(&format!("{document:#}\n"))
        }
    };
    Ok(Health::Well)
}
