//! monitor: says what the server is. Judges no configuration: a wrong setting never stops
//! a running server. `OCF_CHECK_LEVEL=10` adds a write to the look at a primary.

use std::time::Duration;

use super::Call;
use super::bounds::operation;
use crate::instance::replication::Details;
use crate::instance::{Role, State};
use crate::ocf::ClusterRole;
use crate::ocf::{Failure, OcfExit, Outcome};
use crate::steps::rejoin::{attempt, diverged};
use crate::steps::scores::Care;
use crate::steps::watch::{self, Watch};
use crate::steps::{
    aftermath, evidence, fresh, impairment, mute, not_yet, offer, readiness, rebuild, state,
    unknown_error, write_probe,
};

/// The level from which on the primary is asked to write.
const WRITE: u32 = 10;

/// Answers 0, 7, 8, or a failure with its reason.
pub fn run(call: &Call) -> Outcome {
    if call.request.probe {
        watch::forget(&call.notes);
    }
    let watch = Watch {
        server: &*call.server,
        notes: &call.notes,
        operation: operation(&call.request, call.server.parameters().watch),
    };
    if let Some(answer) = watch.wait(call.request.deadline) {
        return answer;
    }
    let answer = look(call, watch.operation.longest_look());
    watch.note(&answer);
    answer
}

fn look(call: &Call, longest: Option<Duration>) -> Outcome {
    let probe = call.request.probe;
    // A node without this database: nothing runs, and that is no fault. Where that cannot be
    // seen, the processes tell.
    if probe && matches!(call.server.has_database(), Ok(false)) {
        rebuild::say(&*call.server);
        call.testify();
        return Ok(OcfExit::NotRunning);
    }
    let deadline = call.request.deadline;
    let limit = longest.map_or(deadline, |longest| deadline.within(longest));
    let (state, details) = state::with_details(&*call.server, limit)?;
    if let State::Busy(role, why) = &state {
        log::warn!("The {role} runs but cannot be queried: {why}");
    }
    if !probe {
        // Before the tools of Pacemaker, which may use up the time.
        if state == State::Running(Role::Primary) && call.request.check_level >= WRITE {
            write_probe::run(&*call.server, deadline)?;
        }
        not_yet::bound(&state, &call.notes)?;
        unknown_error::count_and_report(&state, &*call.cluster, &call.notes)?;
        let handles = (&*call.cluster, &call.notes);
        let seen = (&state, details.as_ref());
        impairment::report(&*call.server, handles, seen, deadline)?;
        look_after(call, details.as_ref())?;
        readiness::tell_of_standby(&call.notes, &state, details.as_ref());
        // Last: nothing waits for it.
        let is_in_order = |of: &&Details| of.role() == Role::Standby || !is_to_be_a_standby(call);
        if let Some(details) = details.as_ref().filter(is_in_order) {
            call.slots().take(details);
        }
    }
    let answer = state.monitor(probe);
    if probe && answer == Ok(OcfExit::NotRunning) {
        call.testify();
    }
    answer
}

/// Scores and a reign of its own would make the role of the real primary, whose commits
/// it lacks, move here.
fn is_to_be_a_standby(call: &Call) -> bool {
    call.request.role == Some(ClusterRole::Unpromoted)
}

fn look_after(call: &Call, details: Option<&Details>) -> Result<(), Failure> {
    let (server, cluster, notes) = (&*call.server, &*call.cluster, &call.notes);
    let deadline = call.request.deadline;
    aftermath::attend(cluster, notes);
    if let Some(Details::Standby { timeline, .. }) = details {
        evidence::copy_if_changed(server, cluster, notes, *timeline);
    }
    match details {
        Some(Details::Primary(_)) if is_to_be_a_standby(call) => log::error!(
            "This instance is a primary, but Pacemaker did not promote it (promoted by hand?). It \
             takes no part in elections and will be demoted"
        ),
        Some(Details::Primary(primary)) => {
            let care = Care {
                server,
                cluster,
                notes,
                deadline,
            };
            care.take(primary);
        }
        Some(Details::Standby { receives: true, .. }) => {
            diverged::take_back(server, cluster, notes, deadline);
            fresh::make_up(server, cluster, deadline);
            mute::forget(notes);
        }
        Some(Details::Standby {
            receives: false, ..
        }) => {
            mute::report_the_end(server, cluster, notes, deadline);
            check_branch(call)?;
        }
        None => {}
    }
    Ok(())
}

/// Only where the admin asked for a rewind, which needs a start, is a standby failed that
/// has diverged; a few times at most.
fn check_branch(call: &Call) -> Result<(), Failure> {
    let (server, cluster, notes) = (&*call.server, &*call.cluster, &call.notes);
    let deadline = call.request.deadline;
    let Some(found) = diverged::look(server, cluster, diverged::AT_MONITOR, deadline) else {
        offer::if_nobody_is_a_candidate(cluster, notes, "a standby that has not diverged");
        return Ok(());
    };
    diverged::say_once(server, cluster, notes, &found);
    if !attempt::begin(server, notes, &found, deadline) {
        return Ok(());
    }
    Err(Failure::soft(format!(
        "Restarting to rewind (rejoin=rewind): {}",
        found.how
    )))
}
