//! What a standby holds that has not replayed all that is on its disk.

use crate::instance::ControlData;
use crate::ocf::Deadline;
use crate::postgres::Server;
use crate::wal::{History, Lsn, Place, Timeline};

/// More switches of the timeline than this are on no disk at once.
const MOST_TIMELINES: usize = 8;

/// The end of the valid WAL on disk, behind what was replayed. `None` if that cannot be
/// told: then the end of the replay is waited for.
pub fn end(
    server: &dyn Server,
    control: &ControlData,
    replayed: Lsn,
    deadline: Deadline,
) -> Option<Lsn> {
    let mut end = replayed;
    for _ in 0..MOST_TIMELINES {
        let next = Lsn::from(end.as_u64().checked_add(1)?);
        let from = Place {
            timeline: timeline_at(server, control, next)?,
            lsn: end,
        };
        match server.local_end(&from, control.segment_size, deadline) {
            Ok(Some(further)) if further > end => end = further,
            Ok(_) => break,
            Err(error) => {
                log::warn!("Cannot tell how much local WAL there is: {error}");
                return None;
            }
        }
    }
    (end > replayed).then_some(end)
}

/// Whether no valid record is on disk behind what was replayed. `false` also if that cannot be told.
pub fn is_end(
    server: &dyn Server,
    control: &ControlData,
    replayed: Lsn,
    deadline: Deadline,
) -> bool {
    let next = replayed.as_u64().checked_add(1).map(Lsn::from);
    let Some(timeline) = next.and_then(|next| timeline_at(server, control, next)) else {
        return false;
    };
    let lsn = replayed;
    match server.local_end(&Place { timeline, lsn }, control.segment_size, deadline) {
        Ok(further) => further.is_none_or(|further| further <= replayed),
        Err(error) => {
            log::warn!("Cannot tell how much local WAL there is: {error}");
            false
        }
    }
}

/// Of the WAL at a place, unless an unfinished promotion left it.
fn timeline_at(server: &dyn Server, control: &ControlData, at: Lsn) -> Option<Timeline> {
    let written = server.written_timelines(at, control.segment_size).ok()?;
    let is_followed = |timeline: &Timeline| {
        *timeline <= control.timeline() || server.history(*timeline) != History::unknown()
    };
    written.into_iter().rev().find(is_followed)
}
