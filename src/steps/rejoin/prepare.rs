//! What start does with data that may have left the primary's branch, and with a rewind
//! that was interrupted. `crate::instance::rejoin::plan` decides, and this file has it done.

use std::io;
use std::time::Duration;

use super::rewind::{Mark, Work, unreadable};
use super::{diverged, primary};
use crate::election::Diverged;
use crate::instance::rejoin::plan::{Facts, Interrupted, Plan, decide};
use crate::instance::{ClusterState, ControlData};
use crate::ocf::{Deadline, Failure};
use crate::pacemaker::Cluster;
use crate::postgres::{Found, Server};
use crate::steps::position;

/// Kept for the start that follows a rewind.
const START: Duration = Duration::from_secs(15);

/// Makes the data directory fit to be started. Returns what is wrong with it
/// nevertheless.
pub fn prepare(
    server: &dyn Server,
    cluster: &dyn Cluster,
    deadline: Deadline,
) -> Result<Option<Diverged>, Failure> {
    let mark = take_mark(server).map_err(|error| unreadable(server, &error))?;
    let control = server.control_data(deadline)?;
    let diverged = certain(server, cluster, &control);
    if mark.is_none() && diverged.is_none() {
        return Ok(None);
    }
    let work = Work {
        server,
        cluster,
        primary: primary::conninfo(server, deadline),
        deadline: deadline.less(START.min(deadline.left() / 4)),
        mark,
    };
    match decide(&facts(&work, &control, diverged.as_ref())) {
        Plan::Start => Ok(None),
        Plan::Finish => {
            // pg_rewind was killed perhaps while it did this itself.
            server.sync_disks().map_err(|error| {
                Failure::soft(format!("Cannot write the data directory to disk: {error}"))
            })?;
            work.finish().map(|()| None)
        }
        Plan::Refuse => Err(work.refusal("the rewind was interrupted")),
        Plan::Rewind { recover } if work.mark.is_some() => work.resume(recover).map(|()| None),
        Plan::Rewind { recover } => work.rewind(recover, diverged),
        Plan::StartDiverged(unable) => {
            log::warn!("This node has diverged and will not be rewound: {unable}");
            Ok(diverged)
        }
    }
}

/// Takes the mark on this data directory; one of a directory that was rebuilt since is
/// removed.
fn take_mark(server: &dyn Server) -> io::Result<Option<Mark>> {
    match server.mark()? {
        Found::Nothing => Ok(None),
        Found::Here { fork, same_boot } => Ok(Some(Mark { fork, same_boot })),
        Found::OfOtherData => {
            log::info!(
                "The data directory was rebuilt after an interrupted rewind: nothing to resume"
            );
            server.remove_mark()?;
            Ok(None)
        }
    }
}

/// What is certain without a replay. Without a cluster nothing is.
fn certain(server: &dyn Server, cluster: &dyn Cluster, control: &ControlData) -> Option<Diverged> {
    let held = position::of_control(server, control);
    diverged::of_position(server, cluster, &held).unwrap_or_else(|failure| {
        log::warn!("Cannot tell whether this node has diverged: {failure}");
        None
    })
}

fn facts(work: &Work<'_>, control: &ControlData, diverged: Option<&Diverged>) -> Facts {
    let pages = work.server.setting("full_page_writes", work.deadline);
    Facts {
        wish: work.server.parameters().rejoin,
        interrupted: work.mark.map(|mark| interrupted(work, mark, control)),
        divergence: diverged.map(|diverged| diverged.how),
        stopped: control.can_be_rewound(),
        hints_logged: control.hints_logged,
        full_page_writes: pages.ok().map(|value| value == "on"),
        reachable: work.primary.is_some(),
    }
}

/// pg_rewind writes backup_label and then, last of all, the control file.
fn interrupted(work: &Work<'_>, mark: Mark, control: &ControlData) -> Interrupted {
    let labelled = work.server.has_rewind_label();
    if !labelled || control.state != ClusterState::InArchiveRecovery {
        return Interrupted::Unfinished;
    }
    if mark.same_boot {
        Interrupted::Finished
    } else {
        Interrupted::FinishedUnsynced
    }
}
