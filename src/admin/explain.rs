//! explain: the next election before it is needed.

use std::collections::BTreeSet;

use super::look::Where;
use super::status::Format;
use crate::ocf::{Environment, Failure, NodeName, screen};
use crate::view::{self, Health, Prospect, Seen};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Explain {
    #[command(flatten)]
    place: Where,
    /// As if these nodes were lost now; without it, the node of the primary
    #[arg(long, value_name = "NODE", num_args = 1..)]
    if_lost: Vec<String>,
    /// Whether this node can be stopped now: who takes over, whether commits go on, and whether a
    /// majority is left
    #[arg(long, value_name = "NODE", conflicts_with = "if_lost")]
    if_stopped: Option<String>,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Shows what would happen, and says how good that is.
pub fn run(wish: &Explain, shell: &Environment) -> Result<Health, Failure> {
    let seen = wish.place.look(shell)?;
    if let Some(name) = &wish.if_stopped {
        return Ok(stopped(wish, &seen, &known(&seen, name)?));
    }
    let prospect = Prospect::without(&seen, &lost(wish, &seen)?);
    // Whoever reads it may have seen enough.
    let _ = match wish.format {
        Format::Text => screen::show(&view::explanation(&seen, &prospect)),
        Format::Json => {
            let document = view::explanation_json(&seen, &prospect);
            screen::print_document(&format!("{document:#}\n"))
        }
    };
    Ok(prospect.health())
}

fn lost(wish: &Explain, seen: &Seen) -> Result<BTreeSet<NodeName>, Failure> {
    if wish.if_lost.is_empty() {
        return Ok(seen.primary().cloned().into_iter().collect());
    }
    wish.if_lost.iter().map(|name| known(seen, name)).collect()
}

fn known(seen: &Seen, name: &str) -> Result<NodeName, Failure> {
    let node = NodeName::new(name).filter(|node| seen.cib.nodes.contains_key(node));
    node.ok_or_else(|| Failure::soft(format!("This cluster has no node {name}")))
}

/// What comes of a clean stop.
fn stopped(wish: &Explain, seen: &Seen, node: &NodeName) -> Health {
    let checked = view::before_stop(seen, node);
    // Whoever reads it may have seen enough.
    let _ = match wish.format {
        Format::Text => screen::show(&view::stop_lines(node, &checked)),
        Format::Json => {
            let document = view::stop_json(seen, node, &checked);
            screen::print_document(&format!("{document:#}\n"))
        }
    };
    view::may_stop(&checked)
}
