//! What makes a standby that runs one that is promoted only where no other is sound.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::capacity::{self, TooSmall};
use super::{NoAnswer, Role, State};

/// How long a standby may let nobody in before that is said. After a start and after a
/// crash of a session it does so for moments.
pub const LONGEST_CLOSED: Duration = Duration::from_secs(10);

/// One of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Impairment {
    /// Its settings are smaller than the primary's, and PostgreSQL has paused its replay:
    /// it must be restarted before it can be promoted.
    TooSmall(Vec<TooSmall>),
    /// It replays, but lets nobody in: it cannot vote.
    Closed,
    /// A table space is not there, as of a file system that is no longer mounted: PostgreSQL
    /// goes on, and would be promoted without its tables.
    NoTableSpace(PathBuf),
}

/// As others are told.
impl fmt::Display for Impairment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall(lacking) => f.write_str(&capacity::list(lacking)),
            Self::Closed => f.write_str("lets nobody in yet"),
            Self::NoTableSpace(place) => write!(f, "no table space at {}", place.display()),
        }
    }
}

/// Whether a server in this state, whose startup process has been running for so long,
/// has let nobody in for longer than a start takes.
pub fn is_closed(state: &State, recovering_for: Option<Duration>) -> bool {
    let refuses = matches!(state, State::Busy(Role::Standby, NoAnswer::NotYet(_)));
    refuses && recovering_for.is_some_and(|time| time >= LONGEST_CLOSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_standby_that_refuses_for_long_is_closed() {
        let not_yet = || NoAnswer::NotYet("starting up".to_owned());
        let long = Some(LONGEST_CLOSED);
        let closed = State::Busy(Role::Standby, not_yet());
        assert!(is_closed(&closed, long));
        assert!(!is_closed(&closed, Some(Duration::from_secs(9))) && !is_closed(&closed, None));
        for other in [
            State::Running(Role::Standby),
            State::Busy(Role::Standby, NoAnswer::Full),
            State::Busy(Role::Primary, not_yet()),
        ] {
            assert!(!is_closed(&other, long), "{other:?}");
        }
    }
}
