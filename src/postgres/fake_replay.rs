//! The replay of an instance in memory, and what holds it up.

use std::time::Duration;

use super::fake_data::FakeData;
use super::fake_upstream::FakeUpstream;
use crate::instance::StartOption;
use crate::instance::capacity::{Capacity, SETTINGS};
use crate::instance::replay::Replay;
use crate::wal::Lsn;

/// WAL that readers keep from being replayed (bytes).
const BACKLOG: u64 = 1000;

/// What holds up the replay.
pub struct FakeReplay {
    /// Whether it is paused.
    pub paused: bool,
    /// Whether it waits until a commit is old enough.
    pub delayed: bool,
    /// Whether pg_waldump tells where the local WAL ends.
    pub shows_local_end: bool,
    /// Where it stands for good, before a damaged record.
    pub stuck_at: Option<Lsn>,
    /// How many sessions must be ended before it goes on.
    pub readers: usize,
    /// For how long `restore_command` has been running.
    pub restoring: Option<Duration>,
    /// The settings that the server runs with.
    pub capacity: Capacity,
    /// Another server that it could stream from.
    pub upstream: Option<FakeUpstream>,
}

impl FakeReplay {
    /// A replay that nothing holds up, with PostgreSQL's defaults.
    pub fn free() -> Self {
        Self {
            paused: false,
            delayed: false,
            shows_local_end: false,
            stuck_at: None,
            readers: 0,
            restoring: None,
            capacity: Capacity([100, 8, 10, 0, 64]),
            upstream: None,
        }
    }

    /// `pg_wal_replay_resume()`. Returns whether it is the end of the server, as it is of one
    /// whose replay PostgreSQL itself has paused.
    pub fn resume(&mut self, data: &FakeData) -> bool {
        self.paused = false;
        self.is_too_small(data)
    }

    /// Whether PostgreSQL would not leave recovery now.
    pub fn is_held_up(&self) -> bool {
        self.paused || self.readers > 0 || self.restoring.is_some()
    }
}

impl FakeReplay {
    /// What is said of it, where the data directory has WAL up to `end`.
    pub fn seen(&self, end: Lsn) -> Replay {
        let left = if self.readers > 0 { BACKLOG } else { 0 };
        Replay {
            replayed: Lsn::from(end.as_u64().saturating_sub(left)),
            waits: !self.is_held_up() && !self.delayed,
            delayed: self.delayed,
            paused: self.paused,
            capacity: self.capacity,
        }
    }

    /// The settings that a server starts with; words that end it, if they are too small.
    pub fn configure(&mut self, data: &FakeData, options: &[StartOption]) -> Option<String> {
        for (value, name) in self.capacity.0.iter_mut().zip(SETTINGS) {
            let configured = data.settings.get(name);
            *value = configured.map_or(*value, |text| text.parse().unwrap());
            for option in options {
                match option {
                    StartOption::Larger(too_small) if too_small.name == name => {
                        *value = too_small.needed;
                    }
                    StartOption::Larger(_) | StartOption::Upstream(_) => {}
                    StartOption::WithoutArchive => self.restoring = None,
                }
            }
        }
        let words = "recovery aborted because of insufficient parameter settings";
        self.is_too_small(data).then(|| words.to_owned())
    }

    /// Whether a server with this data directory would end, or pause its replay.
    pub fn is_too_small(&self, data: &FakeData) -> bool {
        !self.capacity.lacks(&data.control.needed).is_empty()
    }
}
