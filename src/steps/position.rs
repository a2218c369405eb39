//! Looks up what this instance holds.

use std::time::Duration;

use super::{Call, state};
use crate::instance::replication::Primary;
use crate::instance::{ControlData, Role, State};
use crate::ocf::{Deadline, Failure};
use crate::postgres::wal_position::WalPosition;
use crate::postgres::{history_file, session, wal_files, wal_position};
use crate::wal::{Lsn, Position, SystemId, Timeline};

/// How long a standby may take to use up its local WAL before it votes.
const LONGEST_REPLAY: Duration = Duration::from_secs(20);
/// How long a standby may be silent, or refuse connections, before it is mute:
/// every other voter waits for it.
const LONGEST_BUSY: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// What this standby holds.
pub fn of_standby(call: &Call) -> Result<Position, Failure> {
    of_patient_standby(call, LONGEST_REPLAY)
}

/// The same, where less patience with its replay is due.
pub fn of_patient_standby(call: &Call, patience: Duration) -> Result<Position, Failure> {
    Ok(look(call, patience)?.0)
}

/// What this standby holds, and the age of its last commit in seconds.
pub fn with_age(call: &Call) -> Result<(Position, Option<u64>), Failure> {
    look(call, LONGEST_REPLAY)
}

/// Once its local WAL is used up: a smaller position would let another node win
/// that holds less.
fn look(call: &Call, patience: Duration) -> Result<(Position, Option<u64>), Failure> {
    let patient = call.request.deadline.within(patience);
    until_answering(call, patient.within(LONGEST_BUSY))?;
    let wal = complete(call, patient)?;
    let control = state::control(call, call.request.deadline)?;
    let lsn = Lsn::from(wal.end);
    let timeline = timeline_at(call, &control, &wal, lsn);
    let held = position(call, control.system, timeline, lsn);
    let beside = control.replayed_beside(&held.history);
    let held = beside.map_or(held, |(timeline, lsn)| {
        log::warn!("WAL of timeline {timeline} was replayed up to {lsn}, beyond its end");
        position(call, control.system, timeline, lsn)
    });
    Ok((held, wal.last_commit_age_s))
}

fn until_answering(call: &Call, patient: Deadline) -> Result<(), Failure> {
    match state::settled_state(call, patient)? {
        State::Running(Role::Standby) => Ok(()),
        State::Busy(Role::Standby, refusal) | State::Transient(refusal) => Err(Failure::soft(
            format!("Cannot ask for the WAL position: {refusal}"),
        )),
        _ => Err(Failure::soft(
            "Only a running standby has a position to vote",
        )),
    }
}

/// The highest that anything knows of: each source is late in its own way,
/// none is early.
fn timeline_at(call: &Call, control: &ControlData, wal: &WalPosition, lsn: Lsn) -> Timeline {
    let received = wal.received_timeline.and_then(Timeline::new);
    let datadir = &call.parameters.datadir;
    let written = wal_files::timeline_before(datadir, lsn, control.segment_size);
    let known = [received, written].into_iter().flatten();
    known.fold(control.timeline(), Timeline::max)
}

fn complete(call: &Call, patient: Deadline) -> Result<WalPosition, Failure> {
    loop {
        let deadline = call.request.deadline.within(LONGEST_BUSY);
        let wal = session::ask(&call.parameters, &call.user, deadline, wal_position::query)
            .map_err(|refusal| Failure::soft(format!("Cannot read the WAL position: {refusal}")))?;
        if wal.complete {
            return Ok(wal);
        }
        if !patient.sleep(POLL) {
            return Err(Failure::soft(
                "Still replaying local WAL: the position is not known",
            ));
        }
    }
}

/// The branch of this primary. Its LSN is where the branch was looked at: what
/// counts of a primary is the timeline and its history.
pub fn of_primary(call: &Call, primary: &Primary) -> Result<Position, Failure> {
    let control = state::control(call, call.request.deadline)?;
    let timeline = primary.timeline.unwrap_or_else(|| control.timeline());
    Ok(position(call, control.system, timeline, control.checkpoint))
}

/// What a stopped instance holds at least.
pub fn by_control_file(call: &Call) -> Result<Position, Failure> {
    let control = state::control(call, call.request.deadline)?;
    Ok(of_control(call, &control))
}

/// The same, of control data that have been read.
pub fn of_control(call: &Call, control: &ControlData) -> Position {
    position(call, control.system, control.timeline(), control.held())
}

fn position(call: &Call, system: SystemId, timeline: Timeline, lsn: Lsn) -> Position {
    Position {
        system: Some(system),
        timeline,
        lsn,
        history: history_file::read(&call.parameters.datadir, timeline),
    }
}
