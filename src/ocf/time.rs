//! The time that passes: what waits and what looks back asks here. Tests may have a time of
//! their own, which passes as fast as they want.

use std::time::{Duration, Instant, SystemTime};

/// This moment.
pub fn now() -> Instant {
    #[cfg(test)]
    if let Some(now) = in_tests::now() {
        return now;
    }
    Instant::now()
}

/// The wall clock.
pub fn of_day() -> SystemTime {
    #[cfg(test)]
    if let Some(now) = in_tests::of_day() {
        return now;
    }
    SystemTime::now()
}

/// How long ago a moment was.
pub fn since(moment: Instant) -> Duration {
    now().saturating_duration_since(moment)
}

/// Lets so much time pass.
pub fn sleep(pause: Duration) {
    #[cfg(test)]
    if in_tests::sleep(pause) {
        return;
    }
    std::thread::sleep(pause);
}

/// A time of a test's own.
#[cfg(test)]
pub mod in_tests {
    use std::cell::Cell;
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    /// When it begins, by the wall clock (seconds since the epoch).
    const BEGIN: u64 = 1_800_000_000;

    #[derive(Clone, Copy)]
    struct Own {
        begin: Instant,
        passed: Duration,
        /// How long a pause takes at least.
        shortest: Duration,
    }

    thread_local! {
        static OWN: Cell<Option<Own>> = const { Cell::new(None) };
    }

    /// Has this thread a time of its own from now on, in which a pause takes at least
    /// `shortest`: a machine that is busy oversleeps.
    pub fn begin(shortest: Duration) {
        let begin = OWN.get().map_or_else(Instant::now, |own| own.begin);
        OWN.set(Some(Own {
            begin,
            passed: Duration::ZERO,
            shortest,
        }));
    }

    /// Gives the thread the time of all others back.
    pub fn end() {
        OWN.set(None);
    }

    /// Lets time pass; `false` if the thread has none of its own.
    pub fn pass(time: Duration) -> bool {
        let own = OWN.get();
        OWN.set(own.map(|own| Own {
            passed: own.passed + time,
            ..own
        }));
        own.is_some()
    }

    /// How much has passed.
    pub fn passed() -> Duration {
        OWN.get().map_or(Duration::ZERO, |own| own.passed)
    }

    pub(super) fn now() -> Option<Instant> {
        OWN.get().map(|own| own.begin + own.passed)
    }

    pub(super) fn of_day() -> Option<SystemTime> {
        let begin = UNIX_EPOCH + Duration::from_secs(BEGIN);
        OWN.get().map(|own| begin + own.passed)
    }

    pub(super) fn sleep(pause: Duration) -> bool {
        let shortest = OWN.get().map_or(Duration::ZERO, |own| own.shortest);
        pass(pause.max(shortest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocf::Deadline;

    #[test]
    fn a_time_of_its_own_passes_at_once() {
        let before = Instant::now();
        in_tests::begin(Duration::from_millis(300));
        let (moment, day) = (now(), of_day());
        let deadline = Deadline::after(Duration::from_secs(3600));
        while deadline.sleep(Duration::from_millis(50)) {}
        assert!(since(moment) >= Duration::from_secs(3600));
        assert!(of_day() > day);
        in_tests::end();
        assert!(before.elapsed() < Duration::from_secs(60));
        assert!(now().saturating_duration_since(moment) < Duration::from_secs(60));
    }
}
