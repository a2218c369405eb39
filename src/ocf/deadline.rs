//! The time an action may take: Pacemaker's time-out less a margin.
//!
//! At its time-out Pacemaker kills the whole process group with SIGKILL and
//! throws the exit reason away, so every wait ends before, with a reason.

use std::time::{Duration, Instant};

use super::time;

/// Used when the caller names no time-out (a shell, `crm ra validate`).
const DEFAULT: Duration = Duration::from_secs(60);
const SMALLEST_MARGIN: Duration = Duration::from_millis(500);
const LARGEST_MARGIN: Duration = Duration::from_secs(5);

/// A moment by which the action must have answered.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
}

impl Deadline {
    /// The deadline of an action that began at `start` and has `timeout`
    /// (milliseconds in `CRM_meta_timeout`), less the margin.
    pub fn of_action(start: Instant, timeout: Option<Duration>) -> Self {
        let timeout = timeout.unwrap_or(DEFAULT);
        let longest = time::now() + Duration::from_secs(86_400);
        let at = start
            .checked_add(timeout - margin(timeout))
            .unwrap_or(longest);
        Self { at }
    }

    /// By when who watches the action gives it up: in the middle of the margin.
    pub fn of_watch(start: Instant, timeout: Option<Duration>) -> Self {
        let margin = margin(timeout.unwrap_or(DEFAULT));
        let action = Self::of_action(start, timeout);
        let at = action.at.checked_add(margin / 2);
        Self {
            at: at.unwrap_or(action.at),
        }
    }

    /// The deadline that has all of `limit` from now, without a margin: not for an
    /// action, which Pacemaker kills at its time-out.
    pub fn after(limit: Duration) -> Self {
        Self {
            at: time::now() + limit,
        }
    }

    /// This deadline or `limit` from now, whichever is sooner.
    pub fn within(self, limit: Duration) -> Self {
        Self {
            at: self.at.min(time::now() + limit),
        }
    }

    /// A deadline that leaves `reserve` of this one unused.
    pub fn less(self, reserve: Duration) -> Self {
        Self {
            at: self.at.checked_sub(reserve).unwrap_or(self.at),
        }
    }

    /// What is left; zero once it has passed.
    pub fn left(self) -> Duration {
        self.at.saturating_duration_since(time::now())
    }

    /// Has it passed?
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }

    /// Sleeps `pause`, or what is left if that is less; `false` once passed.
    pub fn sleep(self, pause: Duration) -> bool {
        if self.passed() {
            return false;
        }
        time::sleep(pause.min(self.left()));
        true
    }
}

/// A tenth of the time-out, between half a second and five seconds, and never
/// more than half of it.
fn margin(timeout: Duration) -> Duration {
    (timeout / 10)
        .clamp(SMALLEST_MARGIN, LARGEST_MARGIN)
        .min(timeout / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_grows_with_the_timeout_within_bounds() {
        let margins = [100, 1_000, 10_000, 60_000, 600_000]
            .map(|ms| margin(Duration::from_millis(ms)).as_millis());
        assert_eq!(margins, [50, 500, 1_000, 5_000, 5_000]);
    }

    #[test]
    fn who_watches_waits_a_little_longer_than_the_action() {
        let (start, timeout) = (Instant::now(), Some(Duration::from_secs(60)));
        let left = |deadline: Deadline| deadline.left().as_secs_f64().round();
        assert!((left(Deadline::of_action(start, timeout)) - 55.0).abs() < 1.1);
        assert!((left(Deadline::of_watch(start, timeout)) - 57.5).abs() < 1.1);
    }

    #[test]
    fn what_is_no_action_has_no_margin() {
        let limit = Duration::from_secs(60);
        assert!(Deadline::after(limit).left() > Duration::from_secs(59));
        let action = Deadline::of_action(Instant::now(), Some(limit));
        assert!(action.left() <= Duration::from_secs(55));
    }

    #[test]
    fn a_huge_timeout_does_not_overflow() {
        assert!(!Deadline::of_action(Instant::now(), Some(Duration::MAX)).passed());
    }
}
