//! What `pg_controldata` prints (in the C locale), parsed strictly.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::capacity::{Capacity, FIELDS};
use crate::wal::{History, Lsn, Place, SystemId, Timeline};

/// "Database cluster state" (PostgreSQL `src/bin/pg_controldata`, `dbState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterState {
    /// A primary that was stopped cleanly.
    ShutDown,
    /// A standby that was stopped cleanly.
    ShutDownInRecovery,
    /// A primary runs, or crashed.
    InProduction,
    /// A standby runs, or crashed.
    InArchiveRecovery,
    /// Replays its own WAL after a crash, or crashed again meanwhile.
    InCrashRecovery,
    /// On its way up.
    StartingUp,
    /// On its way down.
    ShuttingDown,
}

/// Bytes at the beginning of `pg_control` in which the state stands.
pub const STATE_WITHIN: usize = 20;

impl ClusterState {
    /// Reads what `pg_controldata` prints.
    pub fn named(text: &str) -> Option<Self> {
        Some(match text {
            "shut down" => Self::ShutDown,
            "shut down in recovery" => Self::ShutDownInRecovery,
            "in production" => Self::InProduction,
            "in archive recovery" => Self::InArchiveRecovery,
            "in crash recovery" => Self::InCrashRecovery,
            "starting up" => Self::StartingUp,
            "shutting down" => Self::ShuttingDown,
            _ => return None,
        })
    }

    /// Reads the beginning of the control file itself, where `pg_controldata` cannot
    /// be run. In all versions the state follows the system identifier (8 bytes), the
    /// version of the file and the one of the catalog (4 bytes each), in the byte order
    /// of the machine (PostgreSQL `src/include/catalog/pg_control.h`).
    pub fn of_control_file(begin: &[u8; STATE_WITHIN]) -> Option<Self> {
        let number = |at: usize| -> Option<u32> {
            Some(u32::from_ne_bytes(begin.get(at..at + 4)?.try_into().ok()?))
        };
        // 1201 is PostgreSQL 12, 1300 is 13 to 17.
        if !(1201..10_000).contains(&number(8)?) {
            return None;
        }
        Some(match number(16)? {
            0 => Self::StartingUp,
            1 => Self::ShutDown,
            2 => Self::ShutDownInRecovery,
            3 => Self::ShuttingDown,
            4 => Self::InCrashRecovery,
            5 => Self::InArchiveRecovery,
            6 => Self::InProduction,
            _ => return None,
        })
    }
}

/// The fields of the control file that the agent decides by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlData {
    /// Which database this is.
    pub system: SystemId,
    /// What the instance last said of itself.
    pub state: ClusterState,
    /// Start of the latest checkpoint record.
    pub checkpoint: Lsn,
    /// Timeline of the latest checkpoint; minutes old after a failover.
    pub checkpoint_timeline: Timeline,
    /// Timeline up to which recovery must go; `None` on a primary.
    pub recovery_timeline: Option<Timeline>,
    /// Up to where recovery must go: what a standby has made durable changes
    /// for. Zero on a primary.
    pub recovery_end: Lsn,
    /// Whether changes of hint bits are in the WAL (`wal_log_hints`, or checksums).
    /// Without them nothing can be rewound.
    pub hints_logged: bool,
    /// Bytes in one WAL file.
    pub segment_size: u64,
    /// `wal_level` as the server last ran with it.
    pub wal_level: String,
    /// The settings that the WAL demands of a standby.
    pub needed: Capacity,
}

/// Output that is not a control file's.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ControlDataError {
    /// A field that every supported version prints is missing.
    #[error("pg_controldata printed no \"{0}\"")]
    Missing(&'static str),
    /// A field has a value that cannot be.
    #[error("pg_controldata printed \"{value}\" as \"{field}\"")]
    Malformed {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
}

impl ControlData {
    /// Parses the output of `pg_controldata`.
    pub fn parse(output: &str) -> Result<Self, ControlDataError> {
        let fields = Fields(
            output
                .lines()
                .filter_map(|line| line.split_once(':'))
                .collect(),
        );
        Ok(Self {
            system: fields.convert("Database system identifier", |text| {
                SystemId::from_decimal(text).ok()
            })?,
            state: fields.convert("Database cluster state", ClusterState::named)?,
            checkpoint: fields.convert("Latest checkpoint location", |text| {
                Lsn::from_hex(text).ok()
            })?,
            checkpoint_timeline: fields.convert("Latest checkpoint's TimeLineID", |text| {
                Timeline::from_decimal(text).ok()
            })?,
            recovery_timeline: fields.convert("Min recovery ending loc's timeline", timeline)?,
            recovery_end: fields.convert("Minimum recovery ending location", |text| {
                Lsn::from_hex(text).ok()
            })?,
            hints_logged: fields.text("wal_log_hints setting")? == "on"
                || fields.text("Data page checksum version")? != "0",
            segment_size: fields.convert("Bytes per WAL segment", |text| text.parse().ok())?,
            wal_level: fields.text("wal_level setting")?.to_owned(),
            needed: fields.capacity()?,
        })
    }

    /// The highest timeline that the control file knows of. The checkpoint's
    /// alone lags behind until the next restartpoint.
    pub fn timeline(&self) -> Timeline {
        let recovery = self.recovery_timeline;
        recovery.map_or(self.checkpoint_timeline, |timeline| {
            timeline.max(self.checkpoint_timeline)
        })
    }

    /// The timeline that a running standby is on: the highest that any source reports.
    /// Each of them may lag, none runs ahead. `received` is what its walreceiver says,
    /// `written` what the names of its WAL files say.
    ///
    /// A standby has the history of each timeline that it follows. WAL of one `without_history`
    /// is what its own promotion left that did not get so far as to open it.
    pub fn timeline_of_standby(
        &self,
        received: Option<Timeline>,
        written: &BTreeSet<Timeline>,
        without_history: impl Fn(Timeline) -> bool,
    ) -> Timeline {
        let own = self.timeline();
        let written = written.iter().copied();
        let followed = written.filter(|it| *it > own && !without_history(*it));
        followed.chain(received).fold(own, Timeline::max)
    }

    /// Where the latest checkpoint record starts.
    pub fn checkpoint_start(&self) -> Place {
        Place {
            timeline: self.checkpoint_timeline,
            lsn: self.checkpoint,
        }
    }

    /// Whether pg_rewind can read the instance as it is: stopped cleanly, with a
    /// checkpoint on its timeline. Up to PostgreSQL 15 pg_rewind takes the timeline of
    /// the checkpoint for the instance's own. If the instance was a primary too short
    /// for a checkpoint, it does not find that timeline's records ("could not find
    /// previous WAL record").
    pub fn can_be_rewound(&self) -> bool {
        match self.state {
            ClusterState::ShutDown => true,
            ClusterState::ShutDownInRecovery => self.checkpoint_timeline == self.timeline(),
            _ => false,
        }
    }

    /// The timeline and the end of WAL that this instance has replayed although the
    /// branch with this history does not have it:
    ///
    /// ```text
    /// branch:   1 ────┬──── 2 ───      timeline 2 left timeline 1 here
    /// instance: 1 ────┴──┤             and the instance replayed timeline 1 up to there
    /// ```
    ///
    /// A crashed primary with an archive does that (seen with PostgreSQL 15): it finds
    /// the history of timeline 2 in the archive before it has replayed its own WAL, and
    /// replays its last segment of timeline 1 to the end. Then it streams timeline 2 as
    /// if it followed, so its received LSN and timeline do not show it.
    pub fn replayed_beside(&self, history: &History) -> Option<(Timeline, Lsn)> {
        let timeline = self.recovery_timeline?;
        let left_at = history.switch_point_of(timeline)?;
        (self.recovery_end > left_at).then_some((timeline, self.recovery_end))
    }

    /// The end of the WAL that is certainly there, on `timeline()`. A crashed instance
    /// may hold more, which only its recovery will tell.
    pub fn held(&self) -> Lsn {
        let is_of_timeline = self.recovery_timeline == Some(self.timeline());
        if is_of_timeline {
            self.recovery_end.max(self.checkpoint)
        } else {
            self.checkpoint
        }
    }
}

struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl Fields<'_> {
    fn text(&self, field: &'static str) -> Result<&str, ControlDataError> {
        let value = self.0.get(field).ok_or(ControlDataError::Missing(field))?;
        Ok(value.trim())
    }

    fn capacity(&self) -> Result<Capacity, ControlDataError> {
        let mut values = [0; FIELDS.len()];
        for (value, field) in values.iter_mut().zip(FIELDS) {
            *value = self.convert(field, |text| text.parse().ok())?;
        }
        Ok(Capacity(values))
    }

    fn convert<T>(
        &self,
        field: &'static str,
        convert: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ControlDataError> {
        let value = self.text(field)?;
        convert(value).ok_or_else(|| ControlDataError::Malformed {
            field,
            value: value.to_owned(),
        })
    }
}

/// 0 stands for "none": a primary has no recovery to end.
#[allow(clippy::option_option)]
fn timeline(text: &str) -> Option<Option<Timeline>> {
    match text {
        "0" => Some(None),
        _ => Timeline::from_decimal(text).ok().map(Some),
    }
}
