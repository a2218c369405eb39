//! The data directory of an instance in memory, for tests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::PathBuf;

use super::fake_manners::HalfOpen;
use super::fake_trail::Trail;
use super::pg_rewind::RewindError;
use super::rebuild_mark::Rebuild;
use super::rewind_mark::Found;
use crate::instance::rejoin::preview::Preview;
use crate::instance::rights::Rights;
use crate::instance::{ClusterState, ControlData};
use crate::testing::journal::Injected;
use crate::wal::{History, HistoryFile, Lsn, Position, SystemId, Timeline, WalFiles};

/// What is on the disk of an instance, and the primary it could be rewound from.
pub struct FakeData {
    /// The control file.
    pub control: ControlData,
    /// The identity of its file: another one where the directory was rebuilt.
    pub identity: String,
    /// What the role of the agent may do, by its catalogs.
    pub rights: Rights,
    /// Whether there is a database at all.
    pub has_database: bool,
    /// Whether `standby.signal` is there.
    pub standby_signal: bool,
    /// The timeline of the last WAL there is.
    pub timeline: Timeline,
    /// The end of that WAL.
    pub end: Lsn,
    /// Which WAL it really is.
    pub trail: Trail,
    /// How far a promotion comes that is cut off.
    pub half_open: HalfOpen,
    /// Whether a promotion died that had written its history: PostgreSQL goes on there.
    pub is_half_open: bool,
    /// Whether nobody sees that but in the control file.
    pub hides_half_open: bool,
    /// WAL in the archive that a promotion replays before it leaves recovery.
    pub archive: Option<(Trail, Lsn)>,
    /// The history files of timelines that were opened.
    pub histories: BTreeMap<Timeline, History>,
    /// The timelines that a file reserves.
    pub reserved: BTreeSet<Timeline>,
    /// Timelines with WAL that no history file tells of.
    pub strays: BTreeSet<Timeline>,
    /// Whether `backup_label` is pg_rewind's.
    pub rewind_label: bool,
    /// Whether pg_rewind has begun and not ended: the directory is good for nothing.
    pub half_rewound: bool,
    /// Whether the node's own files are the node's, not the primary's.
    pub own_files: bool,
    /// Whether the last WAL record is a shutdown checkpoint.
    pub ends_with_shutdown: bool,
    /// The settings that differ from PostgreSQL's defaults.
    pub settings: BTreeMap<&'static str, String>,
    /// Programs and directories that are not there.
    pub missing: BTreeSet<PathBuf>,
    /// A table space that is not there.
    pub missing_table_space: Option<PathBuf>,
    /// A directory without room for one page more.
    pub full: Option<PathBuf>,
    /// What the server says of its storage when it is to write.
    pub write_complaint: Option<String>,
    /// The mark of a rewind that has begun.
    pub mark: Found,
    /// What there is of a rebuild by an admin.
    pub rebuild: Rebuild,
    /// A file of another account's in the way of pg_rewind.
    pub foreign_file: Option<PathBuf>,
    /// The primary it would be rewound from: how far both are the same, and its branch.
    pub source: (Lsn, Position),
    /// Which WAL that primary really has; the same as before where a test does not say.
    pub source_trail: Option<Trail>,
    /// Whether that primary cannot be reached.
    pub no_source: bool,
    /// Why the next dry runs of pg_rewind fail.
    pub complaints: VecDeque<RewindError>,
    /// Why the next pg_rewind breaks off, once it has begun to write.
    pub breaks_off: Option<&'static str>,
}

impl FakeData {
    /// The data directory of a standby that was stopped cleanly and holds just this.
    pub fn of_standby(held: &Position) -> Self {
        let mut histories = BTreeMap::from([(held.timeline, held.history.clone())]);
        histories.remove(&Timeline::FIRST);
        Self {
            control: control_of(held),
            identity: "131.1764".to_owned(),
            rights: Rights::enough(),
            has_database: true,
            standby_signal: true,
            timeline: held.timeline,
            end: held.lsn,
            trail: Trail::root(0),
            half_open: HalfOpen::Nothing,
            is_half_open: false,
            hides_half_open: false,
            archive: None,
            histories,
            reserved: BTreeSet::new(),
            strays: BTreeSet::new(),
            rewind_label: false,
            half_rewound: false,
            own_files: true,
            ends_with_shutdown: false,
            settings: BTreeMap::from([
                ("primary_conninfo", "host=10.0.0.9".to_owned()),
                ("full_page_writes", "on".to_owned()),
            ]),
            missing: BTreeSet::new(),
            missing_table_space: None,
            full: None,
            write_complaint: None,
            mark: Found::Nothing,
            rebuild: Rebuild::Nothing,
            foreign_file: None,
            source: (held.lsn, held.clone()),
            source_trail: None,
            no_source: false,
            complaints: VecDeque::new(),
            breaks_off: None,
        }
    }

    /// The history of a timeline.
    pub fn history(&self, timeline: Timeline) -> History {
        if timeline == Timeline::FIRST {
            return History::root();
        }
        let known = self.histories.get(&timeline).cloned();
        known.unwrap_or_else(History::unknown)
    }

    /// A setting; empty if nobody set it.
    pub fn setting(&self, name: &str) -> String {
        self.settings.get(name).cloned().unwrap_or_default()
    }

    /// Why a server would end at its start, if the directory is the reason.
    pub fn unfit(&self) -> Option<String> {
        if self.half_rewound {
            return Some("could not locate a valid checkpoint record".to_owned());
        }
        // Recovery looks for the newest file alone.
        let opened = self.histories.keys().next_back().copied();
        let is_newest = |last: &&Timeline| **last > self.timeline && Some(**last) > opened;
        let newest = self.reserved.last().filter(is_newest);
        let aside = || {
            let (newest, at) = self.newest_history()?;
            let held = self.control.checkpoint.max(self.control.recovery_end);
            at.is_none_or(|at| at < held).then_some(newest)
        };
        let newest = newest.copied().or_else(aside)?;
        Some(format!(
            "requested timeline {newest} is not a child of this server's history"
        ))
    }

    /// What its file names tell.
    pub fn wal_files(&self) -> WalFiles {
        let opened = self.histories.keys().map(|it| (*it, HistoryFile::Opened));
        let reserved = self.reserved.iter().map(|it| (*it, HistoryFile::Reserved));
        let mut segments = self.strays.clone();
        segments.insert(self.timeline);
        WalFiles {
            histories: reserved.chain(opened).collect(),
            segments,
        }
    }

    /// Reserves a timeline. An existing file is kept.
    pub fn reserve(&mut self, timeline: Timeline) {
        if !self.histories.contains_key(&timeline) {
            self.reserved.insert(timeline);
        }
    }

    /// Takes back what was reserved.
    pub fn release(&mut self, timelines: &[Timeline]) {
        self.reserved.retain(|it| !timelines.contains(it));
    }

    /// Replays all WAL without opening the server (`postgres --single`).
    pub fn recover(&mut self) -> Result<(), RewindError> {
        if self.standby_signal {
            let text = "standby mode is not supported by single-user servers";
            return Err(RewindError::Failed(text.to_owned()));
        }
        self.control.state = ClusterState::ShutDown;
        self.control.checkpoint = self.end;
        self.control.checkpoint_timeline = self.timeline;
        self.control.recovery_timeline = None;
        Ok(())
    }

    /// The end of a dry run, up to where pg_rewind has reached the primary.
    pub fn reach_source(&mut self) -> Result<(), RewindError> {
        if self.no_source {
            return Err(RewindError::injected());
        }
        self.complaints.pop_front().map_or(Ok(()), Err)
    }

    /// `pg_rewind --dry-run`.
    pub fn preview(&mut self) -> Result<Preview, RewindError> {
        self.reach_source()?;
        if !self.control.can_be_rewound() {
            let text = "target server must be shut down cleanly";
            return Err(RewindError::Failed(text.to_owned()));
        }
        Ok(Preview {
            fork: self.source.0,
            megabytes: Some(52),
        })
    }

    /// pg_rewind. The control file comes last.
    pub fn rewind(&mut self) -> Result<(), RewindError> {
        self.half_rewound = true;
        self.standby_signal = false;
        self.own_files = false;
        if let Some(text) = self.breaks_off.take() {
            return Err(RewindError::Failed(text.to_owned()));
        }
        let (_, primary) = self.source.clone();
        self.rewind_label = true;
        self.half_rewound = false;
        self.timeline = primary.timeline;
        self.end = primary.lsn;
        self.trail = self.source_trail.clone().unwrap_or(self.trail.clone());
        self.strays.clear();
        self.control = control_of(&primary);
        self.control.state = ClusterState::InArchiveRecovery;
        self.histories.insert(primary.timeline, primary.history);
        Ok(())
    }

    /// A rewind of this directory begins.
    pub fn set_mark(&mut self, fork: Lsn) {
        let same_boot = true;
        self.mark = Found::Here { fork, same_boot };
    }

    /// Power goes, and comes back.
    pub fn lose_power(&mut self) {
        if let Found::Here { same_boot, .. } = &mut self.mark {
            *same_boot = false;
        }
    }

    /// The file in the way of pg_rewind.
    pub fn foreign_file(&self) -> io::Result<Option<PathBuf>> {
        Ok(self.foreign_file.clone())
    }
}

/// The control file of a standby that was stopped cleanly.
fn control_of(held: &Position) -> ControlData {
    let system = held.system.unwrap_or(SystemId::from(7));
    let (timeline, lsn) = (held.timeline, held.lsn);
    let text = format!(
        "Database system identifier: {system}\n\
         Database cluster state: shut down in recovery\n\
         Latest checkpoint location: {lsn}\n\
         Latest checkpoint's TimeLineID: {timeline}\n\
         Min recovery ending loc's timeline: {timeline}\n\
         Minimum recovery ending location: {lsn}\n\
         wal_level setting: replica\n\
         max_connections setting: 100\n\
         max_worker_processes setting: 8\n\
         max_wal_senders setting: 10\n\
         max_prepared_xacts setting: 0\n\
         max_locks_per_xact setting: 64\n\
         wal_log_hints setting: on\n\
         Data page checksum version: 0\n\
         Bytes per WAL segment: 16777216\n"
    );
    ControlData::parse(&text).unwrap()
}
