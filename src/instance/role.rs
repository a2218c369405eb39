//! The role of an instance that cannot be asked, by the files of its data directory.
//!
//! A primary that works is never stopped hard: where the files leave a doubt, it is one. The
//! table `testdata/roles.txt` has every case.
//!
//! The three witnesses:
//!
//! * the control file. A server writes "in production" once it is open for writing,
//!   and "in archive recovery" as long as it is a standby;
//! * `standby.signal`. A server looks for it when it starts, and removes it *before*
//!   it leaves recovery. But people, too, put it there or take it away;
//! * the lock file. A server writes "starting" when it is born, and something else just
//!   when it lets the first session in. Until then the control file tells of the life
//!   before: a primary that lost power and syncs its data directory, as a standby now, is
//!   "in production" for as long as that takes.

use std::fmt;

use super::control_data::ClusterState;

/// Primary or standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Open for writing.
    Primary,
    /// In recovery.
    Standby,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Standby => "standby",
        })
    }
}

/// What the files of a data directory show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// Whether there is a `standby.signal`.
    pub standby_signal: bool,
    /// The state in the control file; `None` if it cannot be read.
    pub control: Option<ClusterState>,
    /// Whether the lock file says that the server has let nobody in so far.
    pub starting: bool,
}

impl Files {
    /// The role of a server that runs, or the one it will have once it is up.
    pub fn role(self) -> Role {
        self.role_on_record().unwrap_or(match self.control {
            // Only a primary writes this.
            Some(ClusterState::ShuttingDown) => Role::Primary,
            _ if self.standby_signal => Role::Standby,
            _ => Role::Primary,
        })
    }

    /// The role of a server that runs, where its files name it.
    pub fn role_on_record(self) -> Option<Role> {
        match self.control? {
            _ if self.starts_as_standby() => Some(Role::Standby),
            ClusterState::InProduction => Some(Role::Primary),
            ClusterState::InArchiveRecovery => Some(Role::Standby),
            _ => None,
        }
    }

    /// Whether a server that runs is a standby beyond doubt, so that a hard stop loses
    /// nothing: the witnesses agree.
    ///
    /// Without the signal the server may have left recovery a moment ago. In crash recovery
    /// it is open to nobody yet, and with the signal it stays in recovery: so comes back
    /// a primary that crashed and is started as a standby, and this may take long.
    pub fn is_surely_standby(self) -> bool {
        let agrees = matches!(
            self.control,
            Some(
                ClusterState::InArchiveRecovery
                    | ClusterState::InCrashRecovery
                    | ClusterState::ShutDownInRecovery
                    // It has just been started, and found the signal.
                    | ClusterState::ShutDown
            )
        );
        self.starts_as_standby() || (self.standby_signal && agrees)
    }

    /// Nobody has written since it was started, and with the signal nobody will.
    fn starts_as_standby(self) -> bool {
        self.standby_signal && self.starting
    }

    /// Whether a server that has stopped was a standby beyond doubt. Any other must
    /// have left a shutdown checkpoint.
    pub fn was_surely_standby(self) -> bool {
        self.standby_signal && role_when_stopped(self.control) == Role::Standby
    }
}

/// The role that a server had before it stopped or crashed.
pub fn role_when_stopped(control: Option<ClusterState>) -> Role {
    match control {
        Some(ClusterState::ShutDownInRecovery | ClusterState::InArchiveRecovery) => Role::Standby,
        _ => Role::Primary,
    }
}
