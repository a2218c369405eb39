//! Carries out a plan, step by step. The first step that fails ends it.

use super::Call;
use crate::instance::plan::Step;
use crate::ocf::notify::Transition;
use crate::ocf::{Failure, OcfExit, Outcome, clone};
use crate::steps::bring_down::Receivers;
use crate::steps::election::{Promotion, confirm_elected, wait_until_primary};
use crate::steps::{before_stop, bring_down, offer, shutdown, single_user, slots, validation};

/// Carries out the steps of a plan.
pub fn perform(call: &Call, steps: &[Step]) -> Outcome {
    for step in steps {
        perform_step(call, *step)?;
    }
    Ok(OcfExit::Success)
}

fn perform_step(call: &Call, step: Step) -> Outcome {
    let (server, cluster) = (&*call.server, &*call.cluster);
    let deadline = call.request.deadline;
    let done = Ok(OcfExit::Success);
    match step {
        Step::Validate if ran_a_moment_ago(call) => validation::files(server).and(done),
        Step::Validate => validate(call).and(done),
        Step::BringUp => bring_up(call),
        Step::BringUpForElection => bring_up_at_once(call),
        Step::BringUpUnlessStoppedNext if is_stopped_next(call) => done,
        Step::BringUpUnlessStoppedNext => bring_up_at_once(call),
        Step::BeginUnlessStoppedNext if is_stopped_next(call) => done,
        Step::BeginUnlessStoppedNext => call.bring_up().without_waiting(),
        Step::WaitUntilUp => call.bring_up().wait(),
        Step::Offer => {
            offer_former_primary(call);
            done
        }
        Step::Checkpoint => {
            before_stop::checkpoint(server, deadline);
            done
        }
        Step::StopPrimary => stop_to_demote(call),
        Step::StopPrimaryForGood => stop_for_good(call),
        Step::StopStandby => bring_down::standby(server, deadline),
        Step::StopByFiles => bring_down::by_files(server, deadline),
        Step::StopSilent => bring_down::silent(server, deadline).and(done),
        Step::ClearLeftBehind => bring_down::left_behind(server, deadline),
        Step::EndSingleUser => single_user::end(server, deadline),
        Step::PublishShutdown => shutdown::publish_after_stop(server, cluster, deadline).and(done),
        Step::PublishShutdownUnlessStandby if server.role_files().was_surely_standby() => done,
        Step::PublishShutdownUnlessStandby => perform_step(call, Step::PublishShutdown),
        Step::PublishShutdownIfAny => {
            shutdown::publish_if_possible(server, cluster, deadline);
            done
        }
        Step::Elect => elect(call),
        Step::ConfirmElected if call.request.transition.is_none() => done,
        Step::ConfirmElected => confirm_elected(server, cluster),
    }
}

fn stop_to_demote(call: &Call) -> Outcome {
    let (server, deadline) = (&*call.server, call.request.deadline);
    let receivers = before_stop::look(server, &*call.cluster, deadline);
    bring_down::cleanly(server, &receivers, deadline)
}

/// Who receives WAL is asked before: later the server answers nobody.
fn stop_for_good(call: &Call) -> Outcome {
    let (server, deadline) = (&*call.server, call.request.deadline);
    let receivers = Receivers::note(server, &*call.cluster, deadline);
    bring_down::for_good(server, &receivers, deadline)
}

/// What makes a start pointless.
pub fn validate(call: &Call) -> Result<(), Failure> {
    clone::judge(call.request.clone_options.as_ref())?;
    let request = &call.request;
    let (server, node) = (&*call.server, request.node.as_ref());
    validation::judge(server, node, request.deadline)?;
    slots::settings::warn(server, &*call.cluster, node, request.deadline);
    Ok(())
}

/// Where the configuration was not judged before, it is where PostgreSQL does not come up: what
/// that says itself may be short.
fn bring_up(call: &Call) -> Outcome {
    let up = call.bring_up().with_rejoin();
    up.or_else(|failure| match ran_a_moment_ago(call) {
        true => validate(call).and(Err(failure)),
        false => Err(failure),
    })
}

/// Clients wait for it: the cluster is asked once.
fn bring_up_at_once(call: &Call) -> Outcome {
    call.cluster.remember_permanent();
    call.server.prepare_start(call.request.deadline);
    call.bring_up().without_look()
}

fn offer_former_primary(call: &Call) {
    let why = "which was the primary when it was stopped";
    offer::if_nobody_is_a_candidate(&*call.cluster, &call.notes, why);
}

/// Whether this node has the primary that the running transition demotes: it crashed, or is
/// restarted with other parameters.
fn ran_a_moment_ago(call: &Call) -> bool {
    let (transition, node) = (&call.request.transition, &call.request.node);
    matches!((transition, node), (Some(transition), Some(node))
        if transition.demote.contains(node))
}

fn is_stopped_next(call: &Call) -> bool {
    let transition = call.request.transition.as_ref();
    let node = call.request.node.as_ref();
    let is_stopped_next = matches!((transition, node), (Some(transition), Some(node))
        if transition.stop.contains(node));
    if is_stopped_next {
        log::info!(
            "Stopped; not started again as a standby, because the cluster is about to stop it"
        );
    }
    is_stopped_next
}

fn elect(call: &Call) -> Outcome {
    // Not 2: the standby runs well, and the setting is the same everywhere.
    clone::judge(call.request.clone_options.as_ref())
        .map_err(|failure| Failure::soft(failure.reason))?;
    let (server, deadline) = (&*call.server, call.request.deadline);
    match &call.request.transition {
        Some(transition) => promotion(call, transition).run(),
        None => {
            log::warn!("No notify lists (run by hand?): promoting without an election");
            server.promote(deadline)?;
            wait_until_primary(server, deadline)
        }
    }
}

fn promotion<'a>(call: &'a Call, transition: &'a Transition) -> Promotion<'a> {
    Promotion {
        server: &*call.server,
        cluster: &*call.cluster,
        notes: &call.notes,
        transition,
        deadline: call.request.deadline,
    }
}
