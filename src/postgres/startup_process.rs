//! The process that replays WAL: for how long has it been at it?
//!
//! After a backend crashed the postmaster starts it anew, so its age is the
//! time the server has been away; the postmaster's own age says nothing.

use std::fs;
use std::time::Duration;

use super::{children, process_table};

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux that
/// PostgreSQL is packaged for (`sysconf(_SC_CLK_TCK)`).
const TICKS_PER_SECOND: u64 = 100;

/// The age of the startup process among the children of the postmaster.
pub fn age(postmaster: i32) -> Option<Duration> {
    age_of(startup(postmaster)?)
}

/// The age of the program that the startup process waits for. It runs none but
/// `restore_command` before it ends recovery.
pub fn waits_for_program(postmaster: i32) -> Option<Duration> {
    let programs = children::of(startup(postmaster)?);
    programs.into_iter().find_map(age_of)
}

/// `postgres: main: startup recovering 00000001…`
fn startup(postmaster: i32) -> Option<i32> {
    children::with_title(postmaster, &["startup"])
}

fn age_of(pid: i32) -> Option<Duration> {
    let stat = process_table::stat(pid)?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    between(stat.start_ticks, &uptime)
}

/// How long ago a process started, by the text of `/proc/uptime`.
pub fn between(start_ticks: u64, uptime: &str) -> Option<Duration> {
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let start = Duration::from_millis(start_ticks.saturating_mul(1000) / TICKS_PER_SECOND);
    Some(
        Duration::try_from_secs_f64(uptime)
            .ok()?
            .saturating_sub(start),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_age_is_counted_from_the_start() {
        assert_eq!(
            between(5000, "60.50 100.0\n"),
            Some(Duration::from_millis(10_500))
        );
        assert_eq!(between(5000, "garbage"), None);
    }

    #[test]
    fn who_has_no_children_recovers_nothing() {
        assert_eq!(age(i32::MAX), None);
        assert_eq!(waits_for_program(i32::MAX), None);
    }

    proptest! {
        #[test]
        fn no_number_panics(start: u64, text in ".*") {
            prop_assert!(between(start, "60.50 100.0").is_some());
            let _ = between(start, &text);
        }
    }
}
