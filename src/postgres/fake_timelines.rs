//! How a data directory in memory comes to another timeline: by a promotion, whole or cut
//! off, or by following one.

use super::fake_data::FakeData;
use super::fake_manners::HalfOpen;
use crate::instance::ClusterState;
use crate::wal::{Common, History, Lsn, Position, Switch, Timeline};

impl FakeData {
    /// The newest timeline with a history file, if it is not its own, and where it left
    /// the own one.
    pub(super) fn newest_history(&self) -> Option<(Timeline, Option<Lsn>)> {
        let (newest, history) = self.histories.last_key_value()?;
        let at = history.switch_point_of(self.timeline);
        (*newest > self.timeline).then_some((*newest, at))
    }

    /// Recovery goes along the newest timeline with a history file. WAL of its own beyond
    /// the place where that one left is not replayed.
    pub fn take_newest_timeline(&mut self) {
        if let Some((newest, Some(at))) = self.newest_history() {
            self.timeline = newest;
            self.end = self.end.min(at);
            self.trail = self.trail.until(self.end);
        }
    }

    /// The first timeline above its own that has no history file, and its history.
    fn next_timeline(&self) -> (Timeline, History) {
        let mut switches = self.history(self.timeline).switches().to_vec();
        switches.push(Switch {
            timeline: self.timeline,
            at: self.end,
        });
        let is_taken =
            |next: Timeline| self.histories.contains_key(&next) || self.reserved.contains(&next);
        let mut next = self.timeline.next().unwrap();
        while is_taken(next) {
            next = next.next().unwrap();
        }
        let history = History::from_switches(switches, next, true).unwrap();
        (next, history)
    }

    /// The first step of a promotion: WAL of the new timeline, and no `standby.signal`.
    pub fn make_segment(&mut self) -> Timeline {
        let next = self.wal_files().next_free(self.timeline, &[]).unwrap();
        self.strays.insert(next);
        self.standby_signal = false;
        next
    }

    /// The second step: the history of the new timeline.
    pub fn make_history(&mut self, next: Timeline) {
        let mut switches = self.history(self.timeline).switches().to_vec();
        switches.push(Switch {
            timeline: self.timeline,
            at: self.end,
        });
        let history = History::from_switches(switches, next, true).unwrap();
        self.histories.insert(next, history);
    }

    /// The instance dies in the middle of a promotion.
    pub fn break_off_promotion(&mut self) {
        let (next, history) = self.next_timeline();
        if self.half_open >= HalfOpen::WalFile {
            self.strays.insert(next);
        }
        if self.half_open >= HalfOpen::Signal {
            self.standby_signal = false;
        }
        if self.half_open >= HalfOpen::History {
            self.histories.insert(next, history);
            self.is_half_open = true;
        }
    }

    /// What the archive has beyond the own end is replayed first.
    fn replay_archive(&mut self) {
        let Some((trail, end)) = self.archive.take() else {
            return;
        };
        if end > self.end && trail == self.trail {
            self.end = end;
        }
    }

    /// A promotion opens the first timeline above its own that has no history file.
    pub fn open_timeline(&mut self) {
        self.replay_archive();
        let (next, history) = self.next_timeline();
        self.histories.insert(next, history);
        self.trail.fork(self.end);
        self.strays.remove(&next);
        self.timeline = next;
        self.standby_signal = false;
        self.control.state = ClusterState::InProduction;
        // Until the first checkpoint only this tells of the new timeline.
        self.control.recovery_timeline = Some(next);
        self.control.recovery_end = self.end;
    }

    /// The primary that it would be rewound from has this now.
    pub fn take_source(&mut self, primary: &Self) {
        let position = |of: &Self| Position {
            system: Some(of.control.system),
            timeline: of.timeline,
            lsn: of.end,
            history: of.history(of.timeline),
        };
        let (own, theirs) = (position(self), position(primary));
        let fork = match own.common_with(&theirs) {
            Common::Until(fork) => fork.min(own.lsn),
            Common::Whole | Common::Unknown => own.lsn.min(theirs.lsn),
        };
        self.source = (fork, theirs);
        self.source_trail = Some(primary.trail.clone());
    }
}
