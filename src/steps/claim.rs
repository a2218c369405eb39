//! This node's claim to be primary: written before PostgreSQL leaves recovery,
//! ended once it is known whether it did.

use std::time::Duration;

use super::{Call, ballot, position, state};
use crate::election::Ballot;
use crate::instance::{Role, State};
use crate::ocf::{Failure, NodeName};
use crate::pacemaker::{Permanent, permanent};
use crate::postgres::session;
use crate::record::Reign;

/// How often a daemon that does not answer is asked before a start: a claim that
/// outlives it looks true once this node follows another primary.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Says in the CIB who was elected, before PostgreSQL leaves recovery: from
/// then on there may be commits on a new branch, which the cluster must know
/// of even if all nodes lose power the next moment.
pub fn publish(call: &Call, ballot: &Ballot) -> Result<(), Failure> {
    let Some(own) = ballot.votes.get(&ballot.candidate) else {
        return Err(Failure::soft("This node's own vote is missing"));
    };
    let (parameters, deadline) = (&call.parameters, call.request.deadline);
    let setting = session::ask(parameters, &call.user, deadline, |client| {
        client
            .query_one(
                "SELECT pg_catalog.current_setting('synchronous_standby_names')",
                &[],
            )?
            .try_get::<_, String>(0)
    })
    .map_err(|refusal| Failure::soft(format!("synchronous_standby_names: {refusal}")))?;
    let sync = ballot::sync_rule(&setting);
    let held = own.position.clone();
    let claim = Reign::claim(ballot.candidate.clone(), held, sync, &ballot.reigns);
    let name = Reign::claim_attribute(&call.request.resource);
    let claimed = permanent::set(&call.tools, &claim.primary, &name, &claim.encode());
    Ok(claimed?)
}

/// A claim that did not come true would forbid others. But in doubt it stays:
/// what cannot be asked may have left recovery.
pub fn withdraw(call: &Call, node: &NodeName) {
    let still_standby = state::state(call, call.request.deadline);
    if !matches!(still_standby, Ok(State::Running(Role::Standby))) {
        return;
    }
    if let Err(error) = delete(call, node) {
        log::warn!("Cannot withdraw the claim of this promotion: {error}");
    }
}

/// Before a start: ends the claim that an interrupted promotion of this node
/// left, by what the control file says. It came true and is a reign, or it never
/// did.
pub fn end_before_start(call: &Call) {
    for left in (0..TRIES).rev() {
        let Err(failure) = try_end_before_start(call) else {
            return;
        };
        log::warn!("Cannot see whether this node left a claim: {failure}");
        if left > 0 && !call.request.deadline.sleep(PAUSE) {
            return;
        }
    }
}

fn try_end_before_start(call: &Call) -> Result<(), Failure> {
    let (node, resource) = (call.node()?, &call.request.resource);
    let stored = Permanent::read(&call.tools)?;
    let name = Reign::claim_attribute(resource);
    let Some(text) = stored.values(&name).get(&node).copied() else {
        return Ok(());
    };
    let held = position::by_control_file(call)?;
    let reign = ballot::reign_of(call, &stored, &node);
    match Reign::decode(node.clone(), text).map(|claim| claim.ended_by(&held, reign.as_ref())) {
        Ok(Some(reign)) => {
            let name = Reign::attribute(resource);
            permanent::set(&call.tools, &node, &name, &reign.encode())?;
        }
        Ok(None) => log::info!("The claim of this node never came true"),
        Err(error) => log::warn!("The claim of this node is unreadable: {error}"),
    }
    delete(call, &node)
}

fn delete(call: &Call, node: &NodeName) -> Result<(), Failure> {
    let name = Reign::claim_attribute(&call.request.resource);
    Ok(permanent::delete(&call.tools, node, &name)?)
}
