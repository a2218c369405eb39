//! What is about to be thrown away of this node's WAL is kept before, where `pgsqlms lost` shows
//! it.

use std::time::Duration;

use super::position;
use super::rejoin::diverged;
use crate::instance::ControlData;
use crate::ocf::{Deadline, Failure};
use crate::pacemaker::Cluster;
use crate::postgres::{Found, Server};
use crate::record::Divergence;
use crate::record::lost::{By, Lost};
use crate::system::clock;
use crate::wal::{Lsn, Timeline};

/// How long it may take in a start, which has more to do.
const LONGEST: Duration = Duration::from_secs(30);

/// The part of the time of an action that it may take.
pub fn share(deadline: Deadline) -> Deadline {
    deadline.within(LONGEST.min(deadline.left() / 3))
}

/// Keeps what the node wrote on `timeline` from `fork` to `end`. That it cannot be kept is said,
/// and no more: who throws it away has been asked, and a node that stays away is the worse.
pub fn keep(
    server: &dyn Server,
    by: By,
    (timeline, fork, end): (Timeline, Lsn, Lsn),
    limit: Deadline,
) {
    let own = match server.control_data(limit) {
        Ok(control) => control,
        Err(error) => return log::warn!("Cannot keep the WAL that is thrown away: {error}"),
    };
    let lost = Lost {
        by,
        at: clock::since_epoch().as_secs(),
        timeline,
        fork,
        end,
        segment_size: own.segment_size,
        is_whole: true,
    };
    match server.keep_lost(&lost, limit) {
        Ok(true) => log::info!("What is thrown away is kept: pgsqlms lost"),
        Ok(false) => log::warn!(
            "Of the WAL that is thrown away only the newest part is kept, for want of time or room"
        ),
        Err(error) => log::warn!("Cannot keep the WAL that is thrown away: {error}"),
    }
}

/// The same before data go that are stopped: what they hold may be more than the control file
/// tells, and nobody may have seen yet that they diverged.
pub fn keep_before_rebuild(server: &dyn Server, cluster: &dyn Cluster, limit: Deadline) {
    let is_half_rewound = matches!(server.mark(), Ok(Found::Here { .. }));
    // The rewind has kept it.
    if is_half_rewound {
        return;
    }
    match server.has_database() {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => return log::warn!("Cannot keep the WAL that is thrown away: {error}"),
    }
    let goes = match what_goes(server, cluster, limit) {
        Ok(goes) => goes,
        Err(failure) => return log::warn!("Cannot keep the WAL that is thrown away: {failure}"),
    };
    if let Some(goes) = goes {
        keep(server, By::Rebuild, goes, limit);
    }
}

fn what_goes(
    server: &dyn Server,
    cluster: &dyn Cluster,
    limit: Deadline,
) -> Result<Option<(Timeline, Lsn, Lsn)>, Failure> {
    let control = server.control_data(limit)?;
    let mut held = position::of_control(server, &control);
    if let Some(end) = local_end(server, &control, held.timeline, limit) {
        held.lsn = held.lsn.max(end);
    }
    let found = diverged::of_position(server, cluster, &held)?;
    Ok(found.and_then(|found| match found.how {
        Divergence::Left {
            timeline,
            lsn,
            fork,
        } => Some((timeline, fork, lsn)),
        Divergence::OtherSystem => None,
    }))
}

/// What a crash left may be more than the control file tells.
fn local_end(
    server: &dyn Server,
    control: &ControlData,
    timeline: Timeline,
    limit: Deadline,
) -> Option<Lsn> {
    let begin = control.checkpoint_start();
    let end = server.local_end(&begin, control.segment_size, limit);
    match end {
        Ok(end) => end.filter(|_| begin.timeline == timeline),
        Err(error) => {
            log::warn!(
                "Cannot tell where the WAL here ends, so that not all of what is thrown away may be \
                 kept: {error}"
            );
            None
        }
    }
}
