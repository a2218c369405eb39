//! The wall clock, for what is remembered across calls. Waits use `ocf::Deadline`.

use std::time::{Duration, UNIX_EPOCH};

use crate::ocf::time;

/// The time since the epoch in whole seconds, as notes and attributes carry it.
pub fn since_epoch() -> Duration {
    let now = time::of_day().duration_since(UNIX_EPOCH);
    now.map_or(Duration::ZERO, |since| Duration::from_secs(since.as_secs()))
}

/// The same to the millisecond, for what is remembered for seconds.
pub fn to_the_millisecond() -> Duration {
    let now = time::of_day().duration_since(UNIX_EPOCH);
    let millis = now.map_or(0, |since| since.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// A moment in local time, as every line of Pacemaker's log has it.
pub fn as_in_logs(since_epoch: Duration) -> Option<String> {
    let seconds = i64::try_from(since_epoch.as_secs()).ok()?;
    let moment = chrono::DateTime::from_timestamp(seconds, 0)?;
    let here = moment.with_timezone(&chrono::Local);
    Some(here.format("%b %d %T").to_string())
}
