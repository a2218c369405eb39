//! How far the replay of a standby is that won its election, what holds it up, and what
//! is done about it before PostgreSQL is told to leave recovery.
//!
//! PostgreSQL replays all that it holds before it leaves recovery, and looks at no order
//! to do so while it waits for a reader, for `restore_command` or for somebody to resume
//! a paused replay.

use std::fmt;
use std::time::Duration;

use super::capacity::{Capacity, TooSmall};
use crate::wal::Lsn;

/// How long replay may stand still before the sessions that may hold it up are ended. A
/// conflict that is about to be over by itself is, within this time.
const LONGEST_STANDSTILL: Duration = Duration::from_secs(2);
/// How long one run of `restore_command` may take. An archive that answers gives a
/// segment (16 MB), or says that it has none, in less.
pub const LONGEST_RESTORE: Duration = Duration::from_secs(8);

/// What the server said of its replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Up to where it has replayed.
    pub replayed: Lsn,
    /// Whether it has used up all that it has, and waits for more.
    pub waits: bool,
    /// Whether it waits until a commit is old enough (`recovery_min_apply_delay`). An order to
    /// leave recovery ends that, and nothing else does.
    pub delayed: bool,
    /// Whether the replay is paused, by whomever.
    pub paused: bool,
    /// The settings that it runs with.
    pub capacity: Capacity,
}

/// What was seen of it at one time.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What the server said.
    pub replay: Replay,
    /// What this node voted: so much has to be replayed.
    pub target: Lsn,
    /// For how long `restore_command` has been running, if it is.
    pub restoring: Option<Duration>,
    /// For how long replay has stood still.
    pub still: Duration,
    /// The settings that are too small, known where replay is paused.
    pub lacking: &'a [TooSmall],
}

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing more: PostgreSQL can leave recovery now.
    Promote,
    /// Look again.
    Wait,
    /// Go on with a paused replay.
    Resume,
    /// End the sessions that are in a transaction; or, where that was not enough, all.
    EndSessions {
        /// Whether all.
        all: bool,
    },
    /// Start the server anew with larger settings: to resume its replay would end it.
    RestartLarger,
    /// Start the server anew without its `restore_command`.
    RestartWithoutArchive,
}

impl Seen<'_> {
    /// What is done about it.
    pub fn next(&self) -> Next {
        let asks_for_order = self.replay.waits || self.replay.delayed;
        let is_done = asks_for_order || self.replay.replayed >= self.target;
        match self.restoring {
            _ if self.replay.paused && !self.lacking.is_empty() => Next::RestartLarger,
            _ if self.replay.paused => Next::Resume,
            Some(time) if time >= LONGEST_RESTORE => Next::RestartWithoutArchive,
            // It may bring more WAL.
            Some(_) => Next::Wait,
            None if is_done => Next::Promote,
            None if self.still >= LONGEST_STANDSTILL * 2 => Next::EndSessions { all: true },
            None if self.still >= LONGEST_STANDSTILL => Next::EndSessions { all: false },
            None => Next::Wait,
        }
    }

    fn bytes_left(&self) -> u64 {
        let left = self.target.bytes_since(self.replay.replayed);
        left.unwrap_or_default()
    }
}

/// What the promotion waits for.
impl fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (replayed, target) = (self.replay.replayed, self.target);
        if let Some(time) = self.restoring {
            return write!(
                f,
                "restore_command has been running for {} s",
                time.as_secs()
            );
        }
        write!(
            f,
            "{} bytes are left to replay, from {replayed} to {target}",
            self.bytes_left()
        )?;
        match self.still.as_secs() {
            0 => Ok(()),
            still => write!(f, "; replay has stood still for {still} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: u64 = 1000;

    fn next(replayed: u64, change: impl FnOnce(&mut Seen<'_>)) -> Next {
        let replay = Replay {
            replayed: Lsn::from(replayed),
            waits: false,
            delayed: false,
            paused: false,
            capacity: Capacity([60, 8, 10, 0, 64]),
        };
        let mut seen = Seen {
            replay,
            target: Lsn::from(TARGET),
            restoring: None,
            still: Duration::ZERO,
            lacking: &[],
        };
        change(&mut seen);
        seen.next()
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn what_has_replayed_all_is_promoted_at_once() {
        assert_eq!(next(TARGET, |_| ()), Next::Promote);
        // The last record was received in part, and is never replayed.
        assert_eq!(next(990, |seen| seen.replay.waits = true), Next::Promote);
        assert_eq!(next(TARGET, |seen| seen.still = seconds(99)), Next::Promote);
        // Only the order ends the delay.
        assert_eq!(next(1, |seen| seen.replay.delayed = true), Next::Promote);
    }

    #[test]
    fn what_moves_is_waited_for() {
        assert_eq!(next(1, |_| ()), Next::Wait);
        assert_eq!(next(1, |seen| seen.still = seconds(1)), Next::Wait);
    }

    #[test]
    fn sessions_are_ended_only_where_replay_stands_still() {
        let ended = |still| next(1, |seen| seen.still = seconds(still));
        assert_eq!(ended(2), Next::EndSessions { all: false });
        assert_eq!(ended(4), Next::EndSessions { all: true });
    }

    #[test]
    fn a_replay_that_postgresql_paused_itself_is_never_resumed() {
        let lacking = [TooSmall {
            name: "max_connections",
            own: 60,
            needed: 200,
        }];
        assert_eq!(next(1, |seen| seen.replay.paused = true), Next::Resume);
        let paused = next(TARGET, |seen| {
            let [one] = lacking;
            seen.replay.paused = true;
            seen.lacking = Box::leak(Box::new([one]));
        });
        assert_eq!(paused, Next::RestartLarger);
    }

    #[test]
    fn an_archive_has_some_time_to_answer() {
        let after = |time| next(TARGET, |seen| seen.restoring = Some(seconds(time)));
        assert_eq!(after(7), Next::Wait);
        assert_eq!(after(8), Next::RestartWithoutArchive);
    }
}
