//! history: the elections and promotions that are on record.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::look::Where;
use super::status::Format;
use crate::ocf::{Environment, Failure, screen};
use crate::system::{clock, host_name, plain_file};
use crate::view::{self, Health, Later};

/// The end of the log that is read, in bytes: a busy cluster fills it in days.
const LONGEST: u64 = 64 * 1024 * 1024;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct History {
    #[command(flatten)]
    place: Where,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Show the course of the last promotion, as the log of Pacemaker on this node has it
    #[arg(long)]
    last: bool,
    /// The log that is read for --last
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/var/log/pacemaker/pacemaker.log"
    )]
    log: PathBuf,
}

/// Shows them, the last one first.
pub fn run(wish: &History, shell: &Environment) -> Result<Health, Failure> {
    if wish.last {
        return last(wish, shell);
    }
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

/// The course of the last promotion.
fn last(wish: &History, shell: &Environment) -> Result<Health, Failure> {
    let seen = wish.place.glance(shell)?;
    let resource = &seen.cib.resource.id;
    let log = end_of_log(wish)?;
    let course = view::last_course(&log, resource);
    let later = Later::of(&seen, &course, clock::as_in_logs);
    let here = host_name::get();
    let node = here.as_deref().unwrap_or("this node");
    // Whoever reads it may have seen enough.
    let _ = match wish.format {
        Format::Text => {
            let mut lines = view::last_lines(&course, node);
            lines.extend(later.map(|later| later.line()));
            screen::show(&lines)
        }
        Format::Json => {
            let mut document = view::last_json(&course, (resource, node));
            document["later_election"] = later.map_or(Value::Null, |later| later.json());
            screen::print_document(&format!("{document:#}\n"))
        }
    };
    Ok(Health::Well)
}

fn end_of_log(wish: &History) -> Result<String, Failure> {
    let skipped = fs::metadata(&wish.log).map(|file| file.len().saturating_sub(LONGEST));
    let bytes = skipped.and_then(|skipped| plain_file::read_behind(&wish.log, skipped, LONGEST));
    let bytes = bytes
        .map_err(|error| Failure::soft(format!("Cannot read {}: {error}", wish.log.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
