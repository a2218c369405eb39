//! The wall clock, for what is remembered across calls. Waits use `ocf::Deadline`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since the epoch in whole seconds, as notes and attributes carry it.
pub fn since_epoch() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(Duration::ZERO, |since| Duration::from_secs(since.as_secs()))
}
