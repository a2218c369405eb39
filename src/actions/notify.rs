//! notify: votes before a promotion, and remembers the shutdown of a primary.
//!
//! Pacemaker ignores the exit code; only attributes can influence what follows.
//! post-promote does not mean that the promotion succeeded.

use super::Call;
use crate::ocf::notify::{Operation, When};
use crate::ocf::{Failure, OcfExit, Outcome};
use crate::pacemaker::ToolError;
use crate::steps::{aftermath, mute, reign, scores, shutdown, vote};

/// Handles one event.
pub fn run(call: &Call) -> Outcome {
    match call.request.event {
        Some((When::Before, Operation::Promote)) => {
            vote(call)?;
        }
        Some((When::Before, Operation::Start)) => expect_standbys(call)?,
        Some((When::After, Operation::Promote)) => {
            aftermath::put_off(&*call.cluster, &call.notes, is_new_primary(call))?;
        }
        Some((When::After, Operation::Demote)) => await_shutdown(call)?,
        Some((When::After, Operation::Start)) => scores::look_again(&call.notes),
        Some((When::After, Operation::Stop)) => {
            scores::look_again(&call.notes);
            // Where the demotion ended too late, the stop has published it.
            remember_shutdown(call)?;
        }
        _ => {}
    }
    Ok(OcfExit::Success)
}

fn vote(call: &Call) -> Result<(), Failure> {
    let transition = call.request.transition.clone().unwrap_or_default();
    let (server, cluster, notes) = (&*call.server, &*call.cluster, &call.notes);
    // A monitor that comes between this vote and its election must not take it back.
    aftermath::forget(notes);
    let voted = vote::cast(server, cluster, &transition, call.request.deadline);
    match voted {
        Ok(()) => mute::forget(notes),
        Err(_) => mute::remember(notes),
    }
    voted
}

fn is_new_primary(call: &Call) -> bool {
    let (transition, node) = (&call.request.transition, &call.request.node);
    matches!((transition, node), (Some(transition), Some(node))
        if transition.promote.contains(node))
}

/// On the primary.
fn expect_standbys(call: &Call) -> Result<(), ToolError> {
    let (transition, node) = (&call.request.transition, &call.request.node);
    match (transition, node) {
        (Some(transition), Some(node)) if transition.promoted.contains(node) => {
            reign::expect(&*call.server, &*call.cluster, &transition.start)
        }
        _ => Ok(()),
    }
}

/// Where a promotion follows, the votes before it remember the shutdown: each round of notifies is
/// time without a primary.
fn await_shutdown(call: &Call) -> Result<(), ToolError> {
    let (server, cluster) = (&*call.server, &*call.cluster);
    let deadline = call.request.deadline;
    let transition = call.request.transition.as_ref();
    let transition = transition.filter(|transition| transition.promote.is_empty());
    transition.map_or(Ok(()), |transition| {
        shutdown::await_and_remember(server, cluster, transition, deadline)
    })
}

fn remember_shutdown(call: &Call) -> Result<(), ToolError> {
    let (server, cluster) = (&*call.server, &*call.cluster);
    let deadline = call.request.deadline;
    let transition = call.request.transition.as_ref();
    transition.map_or(Ok(()), |transition| {
        shutdown::remember(server, cluster, transition, deadline).map(drop)
    })
}
