//! A primary that lets nobody in: counted from monitor to monitor.
//!
//! After a crash of one session PostgreSQL ends all others and replays its WAL; a replay has
//! its own bound (`instance::state`). But where one process cannot be ended, because it
//! waits for its disk, the server says "in recovery mode" without end, and clients wait.

use crate::instance::{NoAnswer, Role, State};
use crate::ocf::Failure;
use crate::record::note::NOT_YET;
use crate::system::Notes;

/// As many monitors as come in the time that a replay may take (60 s), with the usual
/// interval of 15 s, and one more.
const MOST: u32 = 5;

/// Fails a primary that has let nobody in for so many monitors in a row.
pub fn bound(state: &State, notes: &Notes) -> Result<(), Failure> {
    let State::Busy(Role::Primary, NoAnswer::NotYet(said)) = state else {
        notes.forget(&NOT_YET);
        return Ok(());
    };
    let in_a_row = notes.count(&NOT_YET);
    if in_a_row < MOST {
        return Ok(());
    }
    Err(Failure::soft(format!(
        "The primary has let nobody in for {in_a_row} monitors in a row: {said}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_primary_that_stays_so_is_failed() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::of_a_test(folder.path());
        let not_yet = |role| State::Busy(role, NoAnswer::NotYet("in recovery mode".to_owned()));
        let failed = |state: &State| bound(state, &notes).is_err();
        let four = || (1..MOST).any(|_| failed(&not_yet(Role::Primary)));
        assert!(!four() && failed(&not_yet(Role::Primary)));
        assert!(failed(&not_yet(Role::Primary)));
        // Another answer in between.
        assert!(!failed(&State::Busy(Role::Primary, NoAnswer::Full)) && !four());
        assert!(!failed(&State::Running(Role::Primary)) && !four());
        // A standby that replays for hours is well.
        assert!((0..99).all(|_| !failed(&not_yet(Role::Standby))));
    }
}
