//! When a monitor of the primary waits for the end of the postmaster, and what it makes of that
//! end. The tables are `testdata/watch.txt` and `testdata/ends.txt`.
//!
//! While a monitor waits, a notify of the same instance has to wait for it (Pacemaker 2.0 to
//! 3.0, `is_op_blocked` in `lib/services/services.c`): on a standby that would hold up each
//! election. Start, stop, promote and demote end it first. The first run of an operation must
//! not wait, since the transition that began it does: so a run waits only for a postmaster that
//! the run before has seen.

use std::fmt;
use std::time::Duration;

use super::control_data::ClusterState;
use super::state::Postmaster;
use crate::record::Sighting;

/// The longest interval of a monitor that waits: with a longer one more would be missed than is
/// seen.
pub const LONGEST_INTERVAL: Duration = Duration::from_secs(5);
/// What a time-out must have of the time that is waited: a machine that stands still for a
/// while must not make a failure of a monitor that waits.
pub const SHARES: u32 = 4;
/// How long a run may take beyond its interval until the next one begins.
const GRACE: Duration = Duration::from_secs(2);
/// The server is asked as often as by a monitor with the usual interval.
const CADENCE: Duration = Duration::from_secs(15);
/// What a look at the server has of the time at least, as with the usual time-out.
const LOOK: Duration = Duration::from_secs(10);
/// How long a server that somebody stopped by hand has to come up again.
pub const RESTART: Duration = Duration::from_secs(5);

/// A recurring monitor as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Whether it is one of the primary.
    pub of_primary: bool,
    /// How long after its end it is run again.
    pub interval: Duration,
    /// Its time-out.
    pub timeout: Duration,
    /// How long it is to wait (parameter `watch`).
    pub wait: Duration,
}

/// Why a monitor never waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not to.
    Off,
    /// It is not one of the primary.
    Role,
    /// Its interval is too long.
    Interval,
    /// Its time-out is too short.
    Timeout {
        /// What it would have to be.
        needed: Duration,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("watch is 0"),
            Self::Role => f.write_str("its role is not Promoted"),
            Self::Interval => {
                let longest = LONGEST_INTERVAL.as_secs();
                write!(f, "its interval is longer than {longest}s")
            }
            Self::Timeout { needed } => {
                let needed = needed.as_secs();
                write!(
                    f,
                    "its timeout is shorter than {needed}s, {SHARES} times watch"
                )
            }
        }
    }
}

impl Operation {
    /// What keeps it from waiting in any run.
    pub fn obstacle(&self) -> Option<Obstacle> {
        let needed = self.wait.saturating_mul(SHARES);
        if self.wait.is_zero() {
            return Some(Obstacle::Off);
        }
        if !self.of_primary {
            return Some(Obstacle::Role);
        }
        if !self.comes_often() {
            return Some(Obstacle::Interval);
        }
        (self.timeout < needed).then_some(Obstacle::Timeout { needed })
    }

    /// Whether it is one of the primary that comes again as soon as one that waits should.
    pub fn comes_often(&self) -> bool {
        self.of_primary && !self.interval.is_zero() && self.interval <= LONGEST_INTERVAL
    }

    /// Whether it ever waits.
    pub fn may_wait(&self) -> bool {
        self.obstacle().is_none()
    }

    /// Whether this run waits: the one before saw this postmaster just now.
    pub fn waits_for(&self, seen: &Sighting, now: &Moment<'_>) -> bool {
        let ago = now.since_epoch.checked_sub(seen.seen);
        self.may_wait()
            && seen.interval == self.interval
            && seen.boot == now.boot
            && ago.is_some_and(|ago| ago <= self.interval + GRACE)
    }

    /// Whether the server is to be asked now: after the next wait it would be late.
    pub fn is_to_ask(&self, seen: &Sighting, now: &Moment<'_>) -> bool {
        let ago = now.since_epoch.checked_sub(seen.asked);
        ago.is_none_or(|ago| ago + self.interval + self.wait > CADENCE)
    }

    /// How long one look at the server may take. A time-out that leaves room for a wait leaves
    /// a frozen server, or a disk that hangs, more time than clients should wait.
    pub fn longest_look(&self) -> Option<Duration> {
        self.may_wait().then(|| LOOK.max(self.timeout / 6))
    }

    /// How long a run may take, the same.
    pub fn longest_run(&self) -> Option<Duration> {
        let look = self.longest_look()?;
        Some(self.wait.saturating_add(RESTART).saturating_add(look))
    }
}

/// What to say of the monitors of a primary, if none of them ever waits although one should.
pub fn complaint(monitors: &[Operation], wait: Duration) -> Option<String> {
    if wait.is_zero() || monitors.iter().any(Operation::may_wait) {
        return None;
    }
    let often = monitors.iter().find(|monitor| monitor.comes_often());
    Some(match often.and_then(Operation::obstacle) {
        Some(why) => format!("The monitor of the primary never waits for a crash: {why}"),
        None => {
            "No monitor of the primary waits for a crash, which is noticed only by the next one"
                .to_owned()
        }
    })
}

/// Now.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The wall clock.
    pub since_epoch: Duration,
    /// The boot of the machine.
    pub boot: &'a str,
}

/// What is done once the postmaster that was watched has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterEnd {
    /// It crashed: Pacemaker hears it at once, whatever of its processes has not noticed yet.
    Crashed,
    /// Somebody stopped it, perhaps to start it again: the next one has a moment to come up.
    AwaitRestart,
    /// The usual look tells.
    Look,
}

/// What is to be done, from what runs now and the state in the control file.
pub fn after_end(now: Option<Postmaster>, control: Option<ClusterState>) -> AfterEnd {
    match (now, control) {
        (Some(Postmaster::Alive(_)), _) => AfterEnd::AwaitRestart,
        (Some(Postmaster::None | Postmaster::LeftBehind(_)), Some(control)) => match control {
            ClusterState::ShutDown => AfterEnd::AwaitRestart,
            ClusterState::InProduction
            | ClusterState::ShuttingDown
            | ClusterState::InCrashRecovery => AfterEnd::Crashed,
            _ => AfterEnd::Look,
        },
        _ => AfterEnd::Look,
    }
}
