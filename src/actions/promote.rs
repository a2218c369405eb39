//! promote: holds the election, and opens the instance for writing if this
//! node wins it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Call, names, observe, start};
use crate::election::ballot::elect;
use crate::election::heirs::heirs;
use crate::election::ranking::BEST_STANDBY;
use crate::election::{Ballot, Verdict, Vote};
use crate::instance::{Role, State};
use crate::ocf::notify::{Nodes, Transition};
use crate::ocf::{Deadline, Environment, Failure, OcfExit, Outcome};
use crate::pacemaker::tool::ToolError;
use crate::pacemaker::{NodeName, attributes, scores};
use crate::postgres::server;

const POLL: Duration = Duration::from_millis(50);
/// How long mute voters are waited for: each voted before this action began,
/// so only the attribute may still be on its way.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// What a node gets that lost an election.
const LOST: i32 = 1;

/// Promotes the instance.
pub fn run(call: &Call, environment: &Environment) -> Outcome {
    let deadline = call.request.deadline;
    match observe::state(call, deadline)? {
        State::Running(Role::Primary) => return Ok(OcfExit::Success),
        State::Running(Role::Standby) => {}
        State::Stopped(_) | State::Crashed(_) => {
            start::start_as_standby(call, deadline)?;
        }
        other => return other.monitor(false),
    }
    let Some(transition) = Transition::from_environment(environment) else {
        log::warn!("No notify lists: promoting by hand, without an election");
        server::promote(&call.parameters, &call.user, deadline)?;
        return until_primary(call, deadline);
    };
    let ballot = win(call, transition.active_after())?;
    server::promote(&call.parameters, &call.user, deadline)?;
    // PostgreSQL takes a while: time that costs nobody anything.
    if let Err(error) = offer_heirs(call, &ballot) {
        log::warn!("Standbys may have no promotion score until the next monitor: {error}");
    }
    until_primary(call, deadline)
}

/// Returns the ballot, only if this node may be promoted.
fn win(call: &Call, voters: Nodes) -> Result<Ballot, Failure> {
    let candidate = call.node()?;
    let patience = call.request.deadline.within(LONGEST_WAIT);
    loop {
        let ballot = ballot(call, &candidate, &voters, patience.passed())?;
        match elect(&ballot) {
            Verdict::Promote { mute } => {
                log_victory(&ballot, &mute);
                return Ok(ballot);
            }
            Verdict::Yield { to, reason } => return Err(give_way(call, &candidate, &to, reason)),
            Verdict::Refuse(reason) => return Err(Failure::soft(reason)),
            Verdict::Wait(_) => drop(patience.sleep(POLL)),
        }
    }
}

fn ballot(
    call: &Call,
    candidate: &NodeName,
    voters: &Nodes,
    wait_over: bool,
) -> Result<Ballot, Failure> {
    let votes = attributes::of_all_nodes(&call.tools, &call.request.attribute(names::VOTE))?;
    let floors = attributes::of_all_nodes(&call.tools, &call.request.attribute(names::FLOOR))?;
    let parsed = |value: &String| value.parse::<Vote>().ok();
    Ok(Ballot {
        candidate: candidate.clone(),
        voters: voters.clone(),
        votes: votes
            .into_iter()
            .filter_map(|(node, value)| Some((node, parsed(&value)?)))
            .collect(),
        floor: floors.get(candidate).and_then(parsed),
        wait_over,
    })
}

fn offer_heirs(call: &Call, ballot: &Ballot) -> Result<(), ToolError> {
    let resource = &call.request.resource;
    let mut stored = BTreeMap::new();
    for node in ballot.votes.keys() {
        if let Some(score) = scores::get(&call.tools, resource, node)? {
            stored.insert(node.clone(), score);
        }
    }
    let maxlag = call.parameters.maxlag;
    for (node, score) in heirs(&ballot.candidate, &ballot.votes, &stored, maxlag) {
        log::info!("Promotion score of {node}: {score}, by its vote");
        scores::set(&call.tools, resource, &node, score)?;
    }
    Ok(())
}

fn log_victory(ballot: &Ballot, mute: &Nodes) {
    for (node, vote) in &ballot.votes {
        log::info!("Election: {node} holds {vote}");
    }
    for node in mute {
        log::warn!(
            "Election: {node} did not vote; it may hold more than {}",
            ballot.candidate
        );
    }
    log::info!("Election: {} is promoted", ballot.candidate);
}

fn give_way(call: &Call, candidate: &NodeName, to: &NodeName, reason: String) -> Failure {
    let write = |node, score| scores::set(&call.tools, &call.request.resource, node, score);
    if let Err(error) = write(to, BEST_STANDBY).and_then(|()| write(candidate, LOST)) {
        log::error!("Cannot give way to {to}: {error}");
    }
    Failure::soft(reason)
}

/// The role is verified: the instance really is out of recovery.
fn until_primary(call: &Call, deadline: Deadline) -> Outcome {
    loop {
        let state = observe::state(call, deadline)?;
        match state {
            State::Running(Role::Primary) => return Ok(OcfExit::Success),
            State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_) => {
                return Err(Failure::soft(
                    "PostgreSQL ended while it was promoted; see its log",
                ));
            }
            _ if deadline.sleep(POLL) => {}
            _ => {
                return Err(Failure::soft(
                    "PostgreSQL is still in recovery after pg_ctl promote",
                ));
            }
        }
    }
}
