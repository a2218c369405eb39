//! switchover: moves the role of the primary to a node that can take it.
//!
//! Looks before anything is stopped, has Pacemaker move the role by a constraint, and takes that
//! away again whatever comes of it. Pacemaker promotes; nothing is promoted here.

use std::time::{Duration, Instant};

use super::look::Where;
use super::moving::{Moving, Wait};
use crate::ocf::{self, Environment, Failure, Line, NodeName, Style, screen};
use crate::system::interrupts::Interrupts;
use crate::view::{self, Checked, Course, Health, Seen};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Switchover {
    /// Id of the resource (the primitive, not the clone); may be left out where there is one
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// The node that is to be the primary
    #[arg(long, value_name = "NODE")]
    to: String,
    /// Only look, and say whether it could be done
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for the new primary
    #[arg(long, value_name = "SECONDS", default_value = "60",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// Looks, moves, waits, and puts back.
pub fn run(wish: &Switchover, shell: &Environment) -> Result<Health, Failure> {
    // Whatever asks this process to end comes after the constraint is gone. Before any thread, which
    // would be ended by it.
    let interrupts = Interrupts::hold()
        .map_err(|error| Failure::soft(format!("Cannot hold signals: {error}")))?;
    let to = NodeName::new(&wish.to)
        .ok_or_else(|| Failure::soft(format!("{} is no name of a node", wish.to)))?;
    let place = Where {
        resource: wish.resource.clone(),
        cib: None,
    };
    let seen = place.look(shell)?;
    let Some(from) = seen.primary().filter(|from| **from != to).cloned() else {
        return Ok(not_to_itself(&seen, &to));
    };
    let checked = view::before_switchover(&seen, &to);
    tell(&view::checked_lines(&checked));
    if let Some(health) = goes_no_further(wish, &checked, (&from, &to)) {
        return Ok(health);
    }
    if interrupts.wait(Duration::ZERO).is_some() {
        return Ok(untouched("Interrupted", Health::Critical));
    }
    Ok(go(wish, Course::new(from, to), (&seen, shell, &interrupts)))
}

/// Leaves a record of it on this node, and moves the role.
fn go(
    wish: &Switchover,
    course: Course,
    (seen, shell, interrupts): (&Seen, &Environment, &Interrupts),
) -> Health {
    let wait = Wait {
        begun: Instant::now(),
        limit: Duration::from_secs(wish.timeout),
    };
    let resource = &seen.cib.resource;
    let (from, to) = (&course.from, &course.to);
    let record = format!("An admin moves the primary from {from} to {to}");
    ocf::log::record(&resource.id, &record);
    Moving::new(shell, resource, interrupts).run(course, wait, tell)
}

/// Whoever reads it may have seen enough.
fn tell(lines: &[Line]) {
    let _ = screen::show(lines);
}

/// Nothing to do, or nobody to take it from.
fn not_to_itself(seen: &Seen, to: &NodeName) -> Health {
    if seen.primary() == Some(to) {
        let text = format!("{to} is the primary already: there is nothing to do.");
        tell(&[Line::of(Style::Good, text)]);
        return Health::Well;
    }
    let checked = view::before_switchover(seen, to);
    tell(&view::checked_lines(&checked));
    refuse(&checked)
}

fn goes_no_further(
    wish: &Switchover,
    checked: &[Checked],
    (from, to): (&NodeName, &NodeName),
) -> Option<Health> {
    if view::may_move(checked) != Health::Well {
        return Some(refuse(checked));
    }
    if !wish.dry_run {
        return None;
    }
    let text = format!("The primary can move from {from} to {to}. Nothing was touched.");
    tell(&[Line::of(Style::Good, text)]);
    Some(Health::Well)
}

fn refuse(checked: &[Checked]) -> Health {
    untouched("Not moved", view::may_move(checked))
}

fn untouched(why: &str, health: Health) -> Health {
    let text = format!("{why}: nothing was touched.");
    tell(&[Line::of(Style::Bad, text)]);
    health
}
