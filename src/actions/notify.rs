//! notify: votes before a promotion, remembers a shutdown after a demotion.
//!
//! Pacemaker ignores the exit code; only attributes can influence what
//! follows. post-promote does not mean that the promotion succeeded.

use crate::ocf::notify::{Operation, When, event};
use crate::ocf::{Failure, OcfExit, Outcome};
use crate::pacemaker::tool::ToolError;
use crate::pacemaker::{Permanent, attributes};
use crate::record::{Vote, last_reign};
use crate::steps::{Call, ballot, position, scores, shutdown};
use crate::wal::Position;

/// Handles one event.
pub fn run(call: &Call) -> Outcome {
    match event(&call.environment) {
        Some((When::Before, Operation::Promote)) => vote(call)?,
        Some((When::After, Operation::Promote)) => withdraw(call)?,
        Some((When::After, Operation::Demote)) => shutdown::remember(call)?,
        Some((When::After, Operation::Start)) => scores::look_again(call),
        Some((When::After, Operation::Stop)) => {
            scores::look_again(call);
            // Where the demotion ended too late, the stop has published it.
            shutdown::remember(call)?;
        }
        _ => {}
    }
    Ok(OcfExit::Success)
}

/// A node that cannot vote leaves no older vote behind.
fn vote(call: &Call) -> Result<(), Failure> {
    match position::with_age(call) {
        Ok((position, age)) => Ok(publish(call, position, age)?),
        Err(failure) => {
            withdraw(call)?;
            Err(failure)
        }
    }
}

fn publish(call: &Call, position: Position, age: Option<u64>) -> Result<(), ToolError> {
    let reigns = ballot::reigns(call, &Permanent::read(&call.tools)?);
    let vote = Vote {
        position,
        term: Some(last_reign(&reigns).map_or(0, |reign| reign.term)),
        ends_with_shutdown: None,
        last_commit_age_s: age,
    };
    let held = &vote.position;
    log::info!(
        "This node votes: timeline {} at {}",
        held.timeline,
        held.lsn
    );
    let resource = &call.request.resource;
    attributes::set(&call.tools, &Vote::attribute(resource), &vote.encode())?;
    let shared = Vote::shared_attribute(resource);
    attributes::set(&call.tools, &shared, &vote.encode_shared())
}

fn withdraw(call: &Call) -> Result<(), ToolError> {
    let resource = &call.request.resource;
    attributes::delete(&call.tools, &Vote::attribute(resource))?;
    attributes::delete(&call.tools, &Vote::shared_attribute(resource))
}
