//! promote: holds the election, and opens the instance for writing if this
//! node wins it.

use std::time::Duration;

use super::start;
use crate::election::scores::{ELECTED, FIRST_STANDBY};
use crate::election::{
    Ballot, Outvoted, Refusal, Verdict, asks_for_last_record, elect, explain, scores_of_winner,
};
use crate::instance::{Role, State};
use crate::ocf::notify::Transition;
use crate::ocf::{Deadline, Failure, NodeName, OcfExit, Outcome, clone};
use crate::pacemaker::tool::ToolError;
use crate::pacemaker::{Permanent, permanent};
use crate::postgres::{history_file, last_record, server, session};
use crate::record::{elected_instead_of, taken_timelines};
use crate::steps::{Call, ballot, claim, position, state};
use crate::wal::Timeline;

const POLL: Duration = Duration::from_millis(50);
/// How long mute voters are waited for: each voted before this action began,
/// so only the attribute may still be on its way.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long the scores may take: the look whether PostgreSQL has left recovery comes
/// after them, and must not run out of time.
const LONGEST_SCORES: Duration = Duration::from_secs(3);

/// How long a standby may refuse connections before the promotion fails:
/// a crowd of readers leaves a place free sooner.
const LONGEST_BUSY: Duration = Duration::from_secs(10);

/// Promotes the instance.
pub fn run(call: &Call) -> Outcome {
    let deadline = call.request.deadline;
    match state::settled_state(call, deadline.within(LONGEST_BUSY))? {
        State::Running(Role::Primary) | State::Busy(Role::Primary, _) => {
            return already_primary(call);
        }
        State::Running(Role::Standby) => {}
        State::Stopped(_) | State::Crashed(_) => {
            start::start_as_standby(call, deadline)?;
        }
        // Its monitor calls it well, which is not what was asked for here.
        State::Busy(Role::Standby, refusal) => {
            return Err(Failure::soft(format!("Cannot promote now: {refusal}")));
        }
        other => return other.monitor(false),
    }
    // Not 2: the standby runs well, and the setting is the same everywhere.
    clone::judge(&call.environment).map_err(|failure| Failure::soft(failure.reason))?;
    match Transition::from_environment(&call.environment) {
        Some(transition) => promote_elected(call, &transition),
        None => {
            log::warn!("No notify lists: promoting by hand, without an election");
            server::promote(&call.parameters, &call.user, deadline)?;
            until_primary(call, deadline)
        }
    }
}

/// A promotion that is asked for again has come true. But one by hand was past all
/// elections: that node lacks what the elected primary wrote since.
fn already_primary(call: &Call) -> Outcome {
    if Transition::from_environment(&call.environment).is_none() {
        return Ok(OcfExit::Success);
    }
    let node = call.node()?;
    let reigns = ballot::reigns(call, &Permanent::read(&call.tools)?);
    match elected_instead_of(&node, &reigns) {
        None => Ok(OcfExit::Success),
        Some(elected) => Err(Failure::soft(format!(
            "A primary that nobody elected (promoted by hand?): the last one was {elected}"
        ))),
    }
}

fn promote_elected(call: &Call, transition: &Transition) -> Outcome {
    let ballot = win(call, transition)?;
    claim::publish(call, &ballot)?;
    resume_replay(call);
    reserve_timelines(call, &ballot);
    if let Err(error) = server::promote(&call.parameters, &call.user, call.request.deadline) {
        claim::withdraw(call, &ballot.candidate);
        return Err(error.into());
    }
    // From here on the claim stays: PostgreSQL may leave recovery after our time
    // is over. The next start or monitor of this node settles it.
    open(call, &ballot)
}

/// Those that others may have opened while this node was not connected to them:
/// PostgreSQL would take the same number again.
fn reserve_timelines(call: &Call, ballot: &Ballot) {
    let Some(own) = ballot.votes.get(&ballot.candidate) else {
        return;
    };
    let own = own.position.timeline;
    match taken_timelines(own, &ballot.reigns) {
        Ok(taken) => {
            for timeline in taken {
                reserve(call, own, timeline);
            }
        }
        Err(newest) => log::warn!("Timeline {newest} on record is too far away: not reserved"),
    }
}

fn reserve(call: &Call, own: Timeline, timeline: Timeline) {
    log::info!("Timeline {timeline} may have been opened by another node: not taken again");
    let reserved = history_file::reserve(&call.parameters.datadir, &call.user, own, timeline);
    if let Err(error) = reserved {
        log::warn!("Cannot reserve timeline {timeline}: {error}");
    }
}

/// PostgreSQL 12 never ends recovery while its replay is paused.
fn resume_replay(call: &Call) {
    let resume =
        "SELECT pg_catalog.pg_wal_replay_resume() WHERE pg_catalog.pg_is_wal_replay_paused()";
    let deadline = call.request.deadline;
    let resumed = session::ask(&call.parameters, &call.user, deadline, move |client| {
        client.batch_execute(resume)
    });
    if let Err(refusal) = resumed {
        log::warn!("Cannot make sure that replay is not paused: {refusal}");
    }
}

/// Returns the ballot, only if this node may be promoted.
fn win(call: &Call, transition: &Transition) -> Result<Ballot, Failure> {
    let candidate = call.node()?;
    let own = position::of_standby(call)?;
    let patience = call.request.deadline.within(LONGEST_WAIT);
    loop {
        let mut ballot = ballot::ballot(call, &candidate, &own, transition)?;
        ballot.mute_wait_over = patience.passed();
        if asks_for_last_record(&ballot) {
            look_at_last_record(call, &mut ballot);
        }
        let verdict = elect(&ballot);
        match &verdict {
            Verdict::Wait { .. } => {
                patience.sleep(POLL);
                continue;
            }
            Verdict::Promote { .. } => log_decision(call, &ballot, &verdict),
            Verdict::Yield { to, reason } => {
                log_decision(call, &ballot, &verdict);
                return Err(give_way(call, &candidate, to, reason));
            }
            Verdict::Refuse { reason } => {
                log_decision(call, &ballot, &verdict);
                return Err(refusal(reason));
            }
        }
        return Ok(ballot);
    }
}

/// In doubt it is no shutdown checkpoint: the old primary has all commits and
/// can have its role back.
fn look_at_last_record(call: &Call, ballot: &mut Ballot) {
    let Some(own) = ballot.votes.get_mut(&ballot.candidate) else {
        return;
    };
    let (held, deadline) = (&own.position, call.request.deadline);
    let looked = last_record::is_shutdown_checkpoint(&call.parameters, &call.user, held, deadline);
    own.ends_with_shutdown = Some(looked.unwrap_or_else(|error| {
        log::warn!("Cannot look at the last WAL record: {error}");
        false
    }));
}

fn log_decision(call: &Call, ballot: &Ballot, verdict: &Verdict) {
    for line in explain(ballot, verdict, &call.request.resource) {
        log::info!("Election: {line}");
    }
    if let Verdict::Promote { warnings, .. } = verdict {
        for warning in warnings {
            log::warn!("Election: {warning}");
        }
    }
}

fn refusal(reason: &Refusal) -> Failure {
    Failure::soft(format!("Promotion refused: {reason}"))
}

fn give_way(call: &Call, candidate: &NodeName, to: &NodeName, reason: &Outvoted) -> Failure {
    let resource = &call.request.resource;
    let write = |node, score| permanent::set_score(&call.tools, resource, node, score);
    if let Err(error) = write(to, FIRST_STANDBY).and_then(|()| write(candidate, ELECTED)) {
        log::error!("Cannot give way to {to}: {error}");
    }
    Failure::soft(format!("Promotion aborted: {reason}"))
}

fn open(call: &Call, ballot: &Ballot) -> Outcome {
    let deadline = call.request.deadline;
    // PostgreSQL takes a while: time that costs nobody anything.
    if let Err(error) = set_scores(call, ballot) {
        log::warn!("Promotion scores may be wrong until the next monitor: {error}");
    }
    until_primary(call, deadline)
}

fn set_scores(call: &Call, ballot: &Ballot) -> Result<(), ToolError> {
    let tools = call.tools.within(LONGEST_SCORES);
    for (node, score) in scores_of_winner(ballot, call.parameters.maxlag) {
        log::info!("Promotion score of {node}: {score}");
        permanent::set_score(&tools, &call.request.resource, &node, score)?;
    }
    Ok(())
}

/// The role is verified: the instance really is out of recovery.
fn until_primary(call: &Call, deadline: Deadline) -> Outcome {
    loop {
        let state = state::state(call, deadline)?;
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
