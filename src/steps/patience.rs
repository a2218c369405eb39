//! Asks a daemon of Pacemaker again that did not answer.

use std::fmt::Display;
use std::time::Duration;

use crate::ocf::Deadline;

/// How often it is asked in all.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Asks until there is an answer, a few times at most, and within the deadline.
pub fn patiently<T, E: Display>(
    deadline: Deadline,
    ask: impl Fn() -> Result<T, E>,
) -> Result<T, E> {
    for _ in 1..TRIES {
        match ask() {
            Err(error) if deadline.sleep(PAUSE) => log::warn!("{error}"),
            answer => return answer,
        }
    }
    ask()
}
