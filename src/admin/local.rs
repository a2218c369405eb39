//! A look at this node's server, for people: what it says of itself, and what its files say
//! where it says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use crate::instance::survey::Writer;
use crate::instance::{ControlData, Postmaster, Survey};
use crate::ocf::{Deadline, NodeName};
use crate::postgres::{Found, LookError, RealServer, Rebuild, Rewinder, Server, Timelines};
use crate::record::Divergence;
use crate::steps::{position, rights};
use crate::view::{Cib, Leftover, Local, standing_still};
use crate::wal::{History, HistoryFile, Position, Timeline};

/// How long the server may take to answer: a person waits, and one that hangs is worth saying.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);

/// After so long a primary is asked again, while a standby replays nothing of what it has to. One
/// that is busy has moved at once.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1500),
];

/// How the timelines began that its files tell of.
pub fn timelines(server: &RealServer) -> BTreeMap<Timeline, History> {
    let files = server.wal_files().unwrap_or_default();
    let opened = files.histories.into_iter();
    let opened = opened.filter(|(_, file)| *file == HistoryFile::Opened);
    opened
        .map(|(timeline, _)| (timeline, server.history(timeline)))
        .collect()
}

/// Looks.
pub fn look(server: &RealServer, cib: &Cib, deadline: Deadline) -> Local {
    let postmaster = server.postmaster();
    let (survey, trouble) = match ask(server, &postmaster, deadline) {
        Ok(survey) => (Some(survey), None),
        Err(why) => (None, Some(why)),
    };
    let control = server.control_data(deadline.within(LONGEST_ANSWER)).ok();
    let follower = survey.as_ref().and_then(Survey::follower);
    let lacking = match (follower, &control) {
        (Some(follower), Some(control)) if follower.is_paused => {
            follower.capacity.lacks(&control.needed)
        }
        _ => Vec::new(),
    };
    let mark = server.mark();
    Local {
        position: control.and_then(|control| held(server, &control, survey.as_ref())),
        still: still(server, survey.as_ref(), deadline),
        is_half_rewound: matches!(mark, Ok(Found::Here { .. })),
        unread_mark: mark.err().map(|error| error.to_string()),
        leftover: leftover(server),
        // Where it cannot be asked, the survey says why.
        grants: rights::lacking(server, deadline)
            .ok()
            .flatten()
            .unwrap_or_default(),
        timelines: BTreeMap::new(),
        is_stopped: matches!(postmaster, Ok(Postmaster::None)),
        histories: histories(server, cib),
        lacking,
        survey,
        trouble,
    }
}

/// One that goes on needs nobody.
fn leftover(server: &RealServer) -> Option<Leftover> {
    match server.rebuild() {
        Ok(Rebuild::Nothing | Rebuild::GoesOn) => None,
        Ok(Rebuild::Before) => Some(Leftover::OldData),
        Ok(Rebuild::Without) => Some(Leftover::NoData),
        Ok(Rebuild::After) => Some(Leftover::OldFiles),
        Err(error) => Some(Leftover::Unreadable(format!(
            "has left a mark that cannot be read: {error}"
        ))),
    }
}

fn ask(
    server: &RealServer,
    postmaster: &Result<Postmaster, LookError>,
    deadline: Deadline,
) -> Result<Survey, String> {
    match postmaster {
        Ok(Postmaster::Alive(_)) => {}
        Ok(_) => return Err("it does not run".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    let answer = server.survey(deadline.within(LONGEST_ANSWER));
    answer.map_err(|why| why.to_string())
}

/// The standbys that replay nothing for two seconds.
fn still(server: &RealServer, survey: Option<&Survey>, deadline: Deadline) -> BTreeSet<NodeName> {
    let Some(first) = survey.and_then(Survey::writer) else {
        return BTreeSet::new();
    };
    let mut still = standing_still(first, first);
    for pause in PAUSES {
        if still.is_empty() {
            break;
        }
        thread::sleep(pause);
        let later = server.survey(deadline.within(LONGEST_ANSWER)).ok();
        let later = later.as_ref().and_then(Survey::writer);
        still = later.map_or(BTreeSet::new(), |later| standing_still(first, later));
    }
    still
}

fn held(server: &RealServer, control: &ControlData, survey: Option<&Survey>) -> Option<Position> {
    let Some(survey) = survey else {
        return Some(position::of_control(server, control));
    };
    match (survey.writer(), survey.follower()) {
        (
            Some(Writer {
                timeline, written, ..
            }),
            _,
        ) => Some(position::of_writer(server, control, *timeline, *written)),
        (None, Some(follower)) => {
            let (received, end) = (follower.received_timeline, follower.end()?);
            position::of_follower(server, control, received, end).ok()
        }
        (None, None) => None,
    }
}

/// How the timelines began that nodes which have diverged are on.
fn histories(server: &RealServer, cib: &Cib) -> BTreeMap<Timeline, History> {
    let said = cib.transient(&Divergence::NAME.of(&cib.resource.id));
    let timelines = said
        .into_values()
        .filter_map(|text| match Divergence::decode(text)? {
            Divergence::Left { timeline, .. } => Some(timeline),
            Divergence::OtherSystem => None,
        });
    timelines
        .map(|timeline| (timeline, server.history(timeline)))
        .collect()
}
