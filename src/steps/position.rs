//! Looks up what this server holds.

use std::time::Duration;

use super::{local_wal, state};
use crate::instance::replication::Primary;
use crate::instance::{ControlData, Role, State};
use crate::ocf::{Deadline, Failure};
use crate::postgres::{Server, WalPosition};
use crate::record::{Reign, ShutdownCheckpoint};
use crate::wal::{HalfOpen, History, Lsn, Place, Position, Timeline};

/// How long a standby may take to use up its local WAL before it votes.
pub const LONGEST_REPLAY: Duration = Duration::from_secs(20);
/// How long it is waited for what the server says itself, before the local WAL is read.
const BEFORE_READING: Duration = Duration::from_secs(2);
/// How long the local WAL may be read: all that was not replayed.
const LONGEST_READING: Duration = Duration::from_secs(10);
/// How long a standby may be silent, or refuse connections, before it is mute: every
/// other voter waits for it.
const LONGEST_BUSY: Duration = Duration::from_secs(5);
/// A standby that is well answers within this time: one that is silent must not have it besides.
const PROMPT: Duration = Duration::from_secs(1);
/// How many more times a replay is looked at that stands still before what it received.
const LOOKS_AT_STUCK: u32 = 4;
const POLL: Duration = Duration::from_millis(50);
/// The smallest page of WAL (bytes) that PostgreSQL can be built with; usual are 8192.
const SMALLEST_PAGE: u64 = 1024;

/// What a standby holds.
pub struct Held {
    /// Its position.
    pub position: Position,
    /// The age of the last commit that it has replayed.
    pub last_commit_age: Option<Duration>,
    /// Up to where it has received, and may have confirmed, what is damaged and will never be
    /// replayed.
    pub damaged_until: Option<Place>,
}

impl Held {
    /// This, and nothing else is known of it.
    pub fn of(position: Position) -> Self {
        Self {
            position,
            last_commit_age: None,
            damaged_until: None,
        }
    }
}

/// What this standby holds once its local WAL is used up, for which `patience` is the
/// longest to wait: a smaller position would let another node win that holds less.
pub fn of_standby(
    server: &dyn Server,
    patience: Duration,
    deadline: Deadline,
) -> Result<Held, Failure> {
    let patient = deadline.within(patience);
    let received = wait_until_complete(server, patient, deadline)?;
    let wal = without_what_cannot_be_replayed(server, received, deadline);
    let control = server.control_data(deadline)?;
    let lsn = Lsn::from(wal.end);
    let of_receiver = wal.received_timeline.and_then(Timeline::new);
    let held = up_to(server, &control, of_receiver, lsn)?;
    let beside = beside(server, &control, &held);
    if let Some(Position { timeline, lsn, .. }) = &beside {
        log::warn!(
            "This standby replayed timeline {timeline} up to {lsn}, beyond the fork: it has diverged"
        );
    }
    let (timeline, lsn) = (held.timeline, Lsn::from(received.end));
    let is_damage = wal.end < received.end && !may_cut_a_record(received.end);
    Ok(Held {
        damaged_until: is_damage.then_some(Place { timeline, lsn }),
        position: beside.unwrap_or(held),
        last_commit_age: wal.last_commit_age_s.map(Duration::from_secs),
    })
}

fn wait_until_answering(
    server: &dyn Server,
    patient: Deadline,
    deadline: Deadline,
) -> Result<(), Failure> {
    match state::settled(server, patient, deadline)? {
        State::Running(Role::Standby) => Ok(()),
        State::Busy(Role::Standby, why) | State::Transient(why) => Err(Failure::soft(format!(
            "Cannot ask PostgreSQL for its WAL position: {why}"
        ))),
        _ => Err(Failure::soft(
            "PostgreSQL is not running as a standby: it has no WAL position to vote with",
        )),
    }
}

/// What a standby holds whose WAL ends there: its walreceiver, if one runs, received this timeline.
pub fn of_follower(
    server: &dyn Server,
    control: &ControlData,
    received: Option<Timeline>,
    end: Lsn,
) -> Result<Position, Failure> {
    let held = up_to(server, control, received, end)?;
    Ok(beside(server, control, &held).unwrap_or(held))
}

/// What it has replayed of another branch, beyond the fork.
fn beside(server: &dyn Server, control: &ControlData, held: &Position) -> Option<Position> {
    let (timeline, lsn) = control.replayed_beside(&held.history)?;
    Some(position(server, control, timeline, lsn))
}

fn up_to(
    server: &dyn Server,
    control: &ControlData,
    received: Option<Timeline>,
    lsn: Lsn,
) -> Result<Position, Failure> {
    let written = server
        .written_timelines(lsn, control.segment_size)
        .map_err(|error| Failure::soft(format!("Cannot read pg_wal: {error}")))?;
    let without_history = |timeline| server.history(timeline) == History::unknown();
    let timeline = control.timeline_of_standby(received, &written, without_history);
    Ok(position(server, control, timeline, lsn))
}

fn wait_until_complete(
    server: &dyn Server,
    patient: Deadline,
    deadline: Deadline,
) -> Result<WalPosition, Failure> {
    let mut read_by = (patient.left() > BEFORE_READING).then(|| deadline.within(BEFORE_READING));
    let mut wal = first_look(server, patient, deadline)?;
    loop {
        if wal.complete {
            return Ok(wal);
        }
        // Once: it takes what is left of the time.
        let reads = read_by.take_if(|by| wal.delayed || by.passed()).is_some();
        if let Some(end) = reads.then(|| local_end(server, &wal, deadline)).flatten() {
            return Ok(WalPosition { end, ..wal });
        }
        if !patient.sleep(POLL) {
            return Err(Failure::soft(
                "Still replaying local WAL: how much this node holds is not known yet",
            ));
        }
        wal = look(server, deadline)?;
    }
}

/// What else the server is, is asked only where it does not answer as a standby: clients wait.
fn first_look(
    server: &dyn Server,
    patient: Deadline,
    deadline: Deadline,
) -> Result<WalPosition, Failure> {
    let busy = patient.within(LONGEST_BUSY);
    match look(server, deadline.within(PROMPT)) {
        Ok(wal) if wal.in_recovery => Ok(wal),
        _ => {
            wait_until_answering(server, busy, deadline)?;
            look(server, deadline)
        }
    }
}

fn look(server: &dyn Server, deadline: Deadline) -> Result<WalPosition, Failure> {
    let wal = server.wal_position(deadline.within(LONGEST_BUSY));
    wal.map_err(|why| Failure::soft(format!("Cannot read the WAL position: {why}")))
}

/// What was received and is damaged will never be replayed: a vote with it would win over nodes
/// that hold the same whole, and its commits would be gone after the promotion. PostgreSQL and
/// pg_waldump both have to find no record there.
fn without_what_cannot_be_replayed(
    server: &dyn Server,
    wal: WalPosition,
    deadline: Deadline,
) -> WalPosition {
    if !wal.complete || wal.replayed >= wal.end || !is_stuck(server, &wal, deadline) {
        return wal;
    }
    let (replayed, received) = (Lsn::from(wal.replayed), Lsn::from(wal.end));
    log::warn!(
        "Received up to {received}, but the record at {replayed} is incomplete or damaged and \
         cannot be replayed: only what comes before it counts"
    );
    let end = wal.replayed;
    WalPosition { end, ..wal }
}

/// Whether what was received up to here may end within a record. A primary sends what it has flushed,
/// and that ends with a record or with a page (xlog.c: `XLogBackgroundFlush`, `GetXLogBuffer`;
/// walsender.c: `XLogSendPhysical`). Part of a record is no damage, and usual when a primary dies.
fn may_cut_a_record(received: u64) -> bool {
    received % SMALLEST_PAGE == 0
}

/// The startup process waits at most of the time, between its attempts to read on.
fn is_stuck(server: &dyn Server, first: &WalPosition, deadline: Deadline) -> bool {
    let mut waits = first.waits;
    for _ in 0..LOOKS_AT_STUCK {
        deadline.sleep(POLL);
        match server.wal_position(deadline.within(LONGEST_BUSY)) {
            Ok(now) if now.replayed == first.replayed => waits |= now.waits,
            _ => return false,
        }
    }
    let limit = deadline.within(LONGEST_READING);
    let is_end = |control| local_wal::is_end(server, &control, Lsn::from(first.replayed), limit);
    waits && server.control_data(limit).is_ok_and(is_end)
}

/// A delay may take hours, and a backlog minutes: all voters would wait for this one.
fn local_end(server: &dyn Server, wal: &WalPosition, deadline: Deadline) -> Option<u64> {
    let limit = deadline.within(LONGEST_READING);
    let control = server.control_data(limit).ok()?;
    let end = local_wal::end(server, &control, Lsn::from(wal.end), limit)?;
    log::info!("Not all local WAL is replayed yet; it ends at {end}");
    Some(end.as_u64())
}

/// The branch of this primary, up to where it has written.
pub fn of_primary(
    server: &dyn Server,
    primary: &Primary,
    deadline: Deadline,
) -> Result<Position, Failure> {
    let control = server.control_data(deadline)?;
    Ok(of_writer(
        server,
        &control,
        primary.timeline,
        primary.written,
    ))
}

/// The same, where the server has told all of it.
pub fn of_writer(
    server: &dyn Server,
    control: &ControlData,
    timeline: Option<Timeline>,
    written: Lsn,
) -> Position {
    let timeline = timeline.unwrap_or_else(|| control.timeline());
    position(server, control, timeline, written)
}

/// What this server holds at least that was stopped as a primary there and is on its way up as a
/// standby: all that it committed, and nothing has come since. `None` where its control file tells
/// of something else, or it can be asked.
pub fn of_demoted(
    server: &dyn Server,
    stopped: &ShutdownCheckpoint,
    deadline: Deadline,
) -> Option<Position> {
    let lock = server.lock_file()?;
    let control = lock.is_starting().then(|| server.control_data(deadline));
    let control = control?.ok()?;
    let start = control.checkpoint_start();
    let is_there = Some(control.system) == stopped.system
        && (start.timeline, start.lsn) == (stopped.timeline, stopped.lsn);
    is_there.then(|| of_control(server, &control))
}

/// What a stopped server holds at least.
pub fn of_control(server: &dyn Server, control: &ControlData) -> Position {
    position(server, control, control.timeline(), control.held())
}

/// What a stopped server holds at least that was about to leave recovery as the claimant of a
/// promotion, and what that left. A timeline whose history is there counts as open: PostgreSQL
/// goes on upon it, and an archive may have told others of it.
pub fn of_claimant(
    server: &dyn Server,
    control: &ControlData,
    claim: &Reign,
) -> Result<(Position, Option<HalfOpen>), Failure> {
    let files = server
        .wal_files()
        .map_err(|error| Failure::soft(format!("Cannot read pg_wal: {error}")))?;
    let opens = claim.particulars.opens;
    let left = files.half_open(&claim.branch, opens, |timeline| server.history(timeline));
    let held = match left {
        Some(HalfOpen::WithHistory(timeline)) if timeline > control.timeline() => {
            position(server, control, timeline, control.held())
        }
        _ => of_control(server, control),
    };
    Ok((held, left))
}

fn position(server: &dyn Server, control: &ControlData, timeline: Timeline, lsn: Lsn) -> Position {
    Position {
        system: Some(control.system),
        timeline,
        lsn,
        history: server.history(timeline),
    }
}
