//! What a verb does about a state: the steps, in their order, or the sentence that
//! refuses. `instance/testdata/plans.txt` has every case, one row each.

#[cfg(test)]
mod tests;

use super::state::{left_behind, single_user, unwell};
use super::{Role, State};
use crate::ocf::Failure;

/// The verbs that change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Have it run as a standby.
    Start,
    /// Have nothing of it run.
    Stop,
    /// Make a primary of the standby.
    Promote,
    /// Make a standby of the primary.
    Demote,
}

/// One step of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Judge clone, parameters, programs and configuration.
    Validate,
    /// Start as a standby, and look whether the node is on the primary's branch.
    BringUp,
    /// Start as a standby: the election that follows looks at its position.
    BringUpForElection,
    /// Start as a standby, unless the running transition stops this node next: that would
    /// only cost time.
    BringUpUnlessStoppedNext,
    /// The same after a clean stop, when the start has nothing to replay and is not waited for.
    BeginUnlessStoppedNext,
    /// Wait until a server on its way up answers.
    WaitUntilUp,
    /// Offer this node where nobody may be promoted.
    Offer,
    /// Write what is dirty while clients are still served, so that the stop is short.
    Checkpoint,
    /// Stop a primary, by asking alone.
    StopPrimary,
    /// The same, but end it by SIGKILL where nothing of it moves.
    StopPrimaryForGood,
    /// Stop a standby, in the end by force.
    StopStandby,
    /// Stop a server that answers nobody: its files say whether it may be forced.
    StopByFiles,
    /// Ask a silent server to stop, and give it up soon.
    StopSilent,
    /// End what a dead postmaster left.
    ClearLeftBehind,
    /// Ask a repair in single-user mode to end.
    EndSingleUser,
    /// Publish the shutdown checkpoint, which must be there.
    PublishShutdown,
    /// Publish the shutdown checkpoint, if this was a primary and has one.
    PublishShutdownIfAny,
    /// As `PublishShutdown`, where its files do not say that this was a standby.
    PublishShutdownUnlessStandby,
    /// Hold the election, and promote if this node wins it.
    Elect,
    /// See that the primary that runs is the one that was elected last.
    ConfirmElected,
}

/// The steps of `verb` on a server in `state`; an empty plan is done already.
pub fn plan(verb: Verb, state: &State) -> Result<&'static [Step], Failure> {
    match verb {
        Verb::Start => start(state),
        Verb::Stop => Ok(stop(state)),
        Verb::Promote => promote(state),
        Verb::Demote => demote(state),
    }
}

fn start(state: &State) -> Result<&'static [Step], Failure> {
    match state {
        State::Running(Role::Standby) => Ok(&[]),
        State::Stopped(Role::Primary) => Ok(&[Step::Validate, Step::BringUp, Step::Offer]),
        State::Stopped(Role::Standby) | State::Crashed(_) => Ok(&[Step::Validate, Step::BringUp]),
        State::Transient(_) | State::Busy(Role::Standby, _) => Ok(&[Step::WaitUntilUp]),
        State::Running(Role::Primary) | State::Busy(Role::Primary, _) => Err(Failure::soft(
            "The instance already runs as a primary: stop it, and Pacemaker starts it as a standby",
        )),
        State::Failing(why) => Err(unwell(why)),
        State::LeftBehind(processes) => Err(left_behind(*processes)),
        State::SingleUser(pid) => Err(single_user(*pid)),
    }
}

fn stop(state: &State) -> &'static [Step] {
    match state {
        State::Stopped(_) | State::Crashed(_) => &[Step::PublishShutdownIfAny],
        State::LeftBehind(_) => &[Step::ClearLeftBehind],
        State::SingleUser(_) => &[Step::EndSingleUser, Step::PublishShutdownIfAny],
        State::Running(Role::Standby) | State::Busy(Role::Standby, _) => &[Step::StopStandby],
        State::Running(Role::Primary) | State::Busy(Role::Primary, _) => {
            &[Step::StopPrimaryForGood, Step::PublishShutdownIfAny]
        }
        State::Transient(_) | State::Failing(_) => &[Step::StopByFiles, Step::PublishShutdownIfAny],
    }
}

fn promote(state: &State) -> Result<&'static [Step], Failure> {
    match state {
        State::Running(Role::Primary) | State::Busy(Role::Primary, _) => {
            Ok(&[Step::ConfirmElected])
        }
        State::Running(Role::Standby) => Ok(&[Step::Elect]),
        State::Stopped(_) | State::Crashed(_) => Ok(&[Step::BringUpForElection, Step::Elect]),
        // Its monitor calls it well, which is not what was asked for here.
        State::Busy(Role::Standby, why) => Err(Failure::soft(format!("Cannot promote now: {why}"))),
        State::Transient(why) | State::Failing(why) => Err(unwell(why)),
        State::LeftBehind(processes) => Err(left_behind(*processes)),
        State::SingleUser(pid) => Err(single_user(*pid)),
    }
}

fn demote(state: &State) -> Result<&'static [Step], Failure> {
    Ok(match state {
        State::Running(Role::Standby) | State::Busy(Role::Standby, _) => &[],
        State::Running(Role::Primary) => &[
            Step::Checkpoint,
            Step::StopPrimary,
            Step::PublishShutdown,
            Step::BeginUnlessStoppedNext,
        ],
        State::Busy(Role::Primary, _) | State::Transient(_) => &[
            Step::StopPrimary,
            Step::PublishShutdown,
            Step::BeginUnlessStoppedNext,
        ],
        State::Failing(_) => &[
            Step::StopSilent,
            Step::PublishShutdownUnlessStandby,
            Step::BringUpUnlessStoppedNext,
        ],
        // Stopped by hand, or by a demotion that ended too late to publish it.
        State::Stopped(Role::Primary) => {
            &[Step::PublishShutdownIfAny, Step::BringUpUnlessStoppedNext]
        }
        State::Stopped(Role::Standby) | State::Crashed(_) => &[Step::BringUpUnlessStoppedNext],
        State::LeftBehind(_) => &[Step::ClearLeftBehind, Step::BringUpUnlessStoppedNext],
        State::SingleUser(_) => &[
            Step::EndSingleUser,
            Step::PublishShutdownIfAny,
            Step::BringUpUnlessStoppedNext,
        ],
    })
}
