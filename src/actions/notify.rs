//! notify: votes before a promotion, remembers a shutdown after a demotion.
//!
//! Pacemaker ignores the exit code; only attributes can influence what follows.
//! post-promote does not mean that the promotion succeeded.

use super::Call;
use crate::ocf::notify::{Operation, When};
use crate::ocf::{Failure, OcfExit, Outcome};
use crate::pacemaker::ToolError;
use crate::steps::{fencing, mute, reign, scores, shutdown, vote};

/// Handles one event.
pub fn run(call: &Call) -> Outcome {
    match call.request.event {
        Some((When::Before, Operation::Promote)) => {
            vote(call).inspect_err(|_| mute::remember(&call.notes))?;
        }
        Some((When::Before, Operation::Start)) => expect_standbys(call)?,
        Some((When::After, Operation::Promote)) => {
            vote::withdraw(&*call.cluster)?;
            warn_without_fencing(call);
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
    let transition = call.request.transition.as_ref();
    let candidates = transition.map(|transition| transition.promote.clone());
    let candidates: Vec<_> = candidates.into_iter().flatten().collect();
    let (server, cluster) = (&*call.server, &*call.cluster);
    vote::cast(server, cluster, &candidates, call.request.deadline)
}

/// On the new primary, once its clients are served.
fn warn_without_fencing(call: &Call) {
    let (transition, node) = (&call.request.transition, &call.request.node);
    let is_new_primary = matches!((transition, node), (Some(transition), Some(node))
        if transition.promote.contains(node));
    if is_new_primary {
        fencing::warn_if_disabled(&*call.cluster);
    }
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

fn await_shutdown(call: &Call) -> Result<(), ToolError> {
    let (server, cluster) = (&*call.server, &*call.cluster);
    let deadline = call.request.deadline;
    let transition = call.request.transition.as_ref();
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
