//! What `pg_controldata` prints (in the C locale), parsed strictly.

use std::collections::BTreeMap;

use thiserror::Error;

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
    pub fn timeline_of_standby(
        &self,
        received: Option<Timeline>,
        written: Option<Timeline>,
    ) -> Timeline {
        let reported = [received, written].into_iter().flatten();
        reported.fold(self.timeline(), Timeline::max)
    }

    /// Where the latest checkpoint record starts.
    pub fn checkpoint_start(&self) -> Place {
        Place {
            timeline: self.checkpoint_timeline,
            lsn: self.checkpoint,
        }
    }

    /// Whether pg_rewind can read it as it is: stopped cleanly, with a checkpoint on
    /// its timeline. Up to PostgreSQL 15 pg_rewind takes the checkpoint's timeline for
    /// the instance's own, and does not find the records of one that was a primary
    /// too short for a checkpoint ("could not find previous WAL record").
    pub fn can_be_rewound(&self) -> bool {
        match self.state {
            ClusterState::ShutDown => true,
            ClusterState::ShutDownInRecovery => self.checkpoint_timeline == self.timeline(),
            _ => false,
        }
    }

    /// WAL that was replayed although the branch with this history does not have
    /// it: of which timeline, and up to where.
    ///
    /// With an archive, a crashed primary learns of the next branch before it has
    /// replayed its own WAL, and replays its last segment beyond the fork (seen
    /// with PostgreSQL 15). It then streams as if it followed, and its received
    /// LSN and timeline are those of the new branch.
    pub fn replayed_beside(&self, history: &History) -> Option<(Timeline, Lsn)> {
        let timeline = self.recovery_timeline?;
        let left_at = history.switch_point_of(timeline)?;
        (self.recovery_end > left_at).then_some((timeline, self.recovery_end))
    }

    /// The end of what is certainly there, on `timeline`. A crashed instance may
    /// hold more, which only its recovery will tell.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STANDBY: &str = "\
pg_control version number:            1300
Database system identifier:           7301234567890123456
Database cluster state:               in archive recovery
pg_control last modified:             Mon 23 Nov 2026 03:00:00 AM UTC
Latest checkpoint location:           0/3000060
Latest checkpoint's REDO location:    0/3000028
Latest checkpoint's TimeLineID:       1
Minimum recovery ending location:     0/4000148
Min recovery ending loc's timeline:   2
wal_level setting:                    replica
wal_log_hints setting:                off
Data page checksum version:           0
Bytes per WAL segment:                16777216
";

    #[test]
    fn without_a_checkpoint_on_its_timeline_it_must_recover_before_a_rewind() {
        let rewindable = |text: &str| ControlData::parse(text).unwrap().can_be_rewound();
        let stopped = STANDBY.replace("in archive recovery", "shut down in recovery");
        assert!(!rewindable(STANDBY) && !rewindable(&stopped));
        let ready = stopped.replace("TimeLineID:       1", "TimeLineID:       2");
        assert!(rewindable(&ready));
        assert!(rewindable(
            &STANDBY.replace("in archive recovery", "shut down")
        ));
    }

    #[test]
    fn a_standby_is_on_the_timeline_that_its_recovery_must_reach() {
        let data = ControlData::parse(STANDBY).unwrap();
        assert_eq!(data.state, ClusterState::InArchiveRecovery);
        assert_eq!(data.timeline(), Timeline::new(2).unwrap());
        assert_eq!(data.wal_level, "replica");
        assert_eq!(data.held(), Lsn::from(0x400_0148));
    }

    #[test]
    fn wal_replayed_beyond_a_fork_shows() {
        let data = ControlData::parse(STANDBY).unwrap();
        let child = Timeline::new(3).unwrap();
        let history = |text: &str| History::parse(text, child).unwrap();
        let beside = |text| data.replayed_beside(&history(text));
        let replayed = (Timeline::new(2).unwrap(), Lsn::from(0x400_0148));
        assert_eq!(beside("1\t0/3000000\tx\n2\t0/4000090\tx\n"), Some(replayed));
        assert_eq!(beside("1\t0/3000000\tx\n2\t0/4000148\tx\n"), None);
        assert_eq!(beside("1\t0/3000000\tx\n"), None);
    }

    #[test]
    fn either_setting_makes_a_rewind_possible() {
        let hints = |from, to| {
            let output = STANDBY.replace(from, to);
            ControlData::parse(&output).unwrap().hints_logged
        };
        assert!(!hints("", ""));
        assert!(hints("setting:                off", "setting: on"));
        assert!(hints("version:           0", "version: 1"));
    }

    /// The beginning of the file on a standby of PostgreSQL 15 that was stopped.
    const FILE: [u8; STATE_WITHIN] = [
        0xc2, 0x28, 0xaa, 0x0f, 0xf2, 0xe0, 0x0d, 0x6a, 0x14, 0x05, 0, 0, 0x25, 0x77, 0x0d, 0x0c,
        2, 0, 0, 0,
    ];

    #[test]
    #[cfg(target_endian = "little")]
    fn the_state_is_read_from_the_file_itself() {
        let with = |at: usize, byte: u8| {
            let mut file = FILE;
            file[at] = byte;
            ClusterState::of_control_file(&file)
        };
        assert_eq!(with(16, 2), Some(ClusterState::ShutDownInRecovery));
        assert_eq!(with(16, 6), Some(ClusterState::InProduction));
        assert_eq!(with(16, 7), None);
        // Not the version of a control file.
        assert_eq!(with(10, 9), None);
    }

    #[test]
    fn every_field_is_needed() {
        for missing in STANDBY
            .lines()
            .filter(|line| !line.starts_with("pg_control"))
        {
            if missing.contains("REDO") {
                continue;
            }
            let output = STANDBY.replace(missing, "");
            assert!(ControlData::parse(&output).is_err(), "{missing}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_is_named() {
        let error = ControlData::parse(&STANDBY.replace("in archive recovery", "dreaming"));
        assert_eq!(
            error.unwrap_err().to_string(),
            "pg_controldata printed \"dreaming\" as \"Database cluster state\""
        );
    }

    proptest! {
        /// What is spoilt in the output is an error or does not matter; it is
        /// never read as something else.
        #[test]
        fn spoilt_output_is_no_other_output(line in 0usize..13, text in ".{0,20}") {
            let spoilt: Vec<_> = STANDBY.lines().enumerate().map(|(number, old)| {
                if number == line { text.as_str() } else { old }
            }).collect();
            if let Ok(data) = ControlData::parse(&spoilt.join("\n")) {
                prop_assert_eq!(data, ControlData::parse(STANDBY).unwrap());
            }
        }

        #[test]
        fn no_output_panics(output in "(?s).*", value in ".*") {
            let _ = ControlData::parse(&output);
            let _ = ControlData::parse(&STANDBY.replace("0/4000148", &value));
        }
    }
}
