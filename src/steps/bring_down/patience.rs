//! How long a stop waits, for whom.
//!
//! Together they stay well below the time that Pacemaker gives a stop (60 s), which comes
//! before the fencing of the node.

use std::time::Duration;

use crate::instance::walsenders::Patience;

/// In tests time flies.
const SECOND: Duration = if cfg!(test) {
    Duration::from_millis(5)
} else {
    Duration::from_secs(1)
};

/// Between two looks at the processes.
pub const LOOK: Duration = SECOND.checked_div(2).unwrap();
/// Between two signals to the same process.
pub const AGAIN: Duration = SECOND;
/// For walsenders.
pub const OF_WALSENDERS: Patience = Patience {
    foreign: SECOND.saturating_mul(3),
    behind: SECOND.saturating_mul(5),
    own: SECOND.saturating_mul(10),
};
/// For the archiver, once the shutdown checkpoint is written and sent.
pub const OF_ARCHIVER: Duration = SECOND.saturating_mul(5);
/// For a standby of which nothing moves: to end it loses nothing.
pub const OF_HUNG_STANDBY: Duration = SECOND.saturating_mul(5);
/// For a primary whose postmaster a signal has stopped: it hears of nothing.
pub const OF_FROZEN: Duration = SECOND.saturating_mul(2);
/// For a primary of which nothing moves.
pub const OF_HUNG: Duration = SECOND.saturating_mul(15);
