//! notify: votes before a promotion, remembers a shutdown after a demotion.
//!
//! Pacemaker ignores the exit code; only attributes can influence what
//! follows. post-promote does not mean that the promotion succeeded.

use std::time::Duration;

use super::{Call, names, observe};
use crate::election::Vote;
use crate::instance::{Role, State};
use crate::ocf::notify::{Operation, When, event};
use crate::ocf::{Deadline, Environment, Failure, OcfExit, Outcome};
use crate::pacemaker::attributes;
use crate::postgres::{session, wal_position};
use crate::wal::{Lsn, Timeline};

/// How long a standby may take to replay its local WAL before it votes.
const LONGEST_REPLAY: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// Handles one event.
pub fn run(call: &Call, environment: &Environment) -> Outcome {
    match event(environment) {
        Some((When::Before, Operation::Promote)) => vote(call)?,
        Some((When::After, Operation::Promote)) => withdraw(call)?,
        Some((When::After, Operation::Demote)) => remember_shutdown(call)?,
        _ => {}
    }
    Ok(OcfExit::Success)
}

fn vote(call: &Call) -> Result<(), Failure> {
    withdraw(call)?;
    let vote = position(call)?;
    log::info!("This node holds {vote}");
    let name = call.request.attribute(names::VOTE);
    Ok(attributes::set(&call.tools, &name, &vote.encode())?)
}

fn withdraw(call: &Call) -> Result<(), Failure> {
    let name = call.request.attribute(names::VOTE);
    Ok(attributes::delete(&call.tools, &name)?)
}

/// What this standby holds, once its local WAL is used up. A smaller position
/// would let another node win that holds less.
fn position(call: &Call) -> Result<Vote, Failure> {
    let deadline = call.request.deadline.within(LONGEST_REPLAY);
    if observe::state(call, deadline)? != State::Running(Role::Standby) {
        return Err(Failure::soft("Only a running standby votes"));
    }
    loop {
        match complete_position(call, deadline)? {
            Some(vote) => return Ok(vote),
            None if deadline.sleep(POLL) => {}
            None => {
                return Err(Failure::soft(
                    "Still replaying local WAL: this node does not vote",
                ));
            }
        }
    }
}

fn complete_position(call: &Call, deadline: Deadline) -> Result<Option<Vote>, Failure> {
    let wal = session::ask(&call.parameters, &call.user, deadline, wal_position::query)
        .map_err(|refusal| Failure::soft(format!("Cannot read the WAL position: {refusal}")))?;
    if !wal.complete {
        return Ok(None);
    }
    let known = observe::control(call, deadline)?.timeline();
    let received = wal.received_timeline.and_then(Timeline::new);
    Ok(Some(Vote {
        timeline: received.map_or(known, |received| received.max(known)),
        lsn: Lsn::from(wal.end),
    }))
}

fn remember_shutdown(call: &Call) -> Result<(), Failure> {
    let published =
        attributes::of_all_nodes(&call.tools, &call.request.attribute(names::SHUTDOWN))?;
    let latest = published
        .values()
        .filter_map(|value| value.parse::<Vote>().ok())
        .max();
    let Some(shutdown) = latest else {
        return Ok(());
    };
    let name = call.request.attribute(names::FLOOR);
    Ok(attributes::set(&call.tools, &name, &shutdown.encode())?)
}
