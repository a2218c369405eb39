//! The witnesses of the role that need no program and no parameter but the data directory.

use std::path::Path;

use super::{control_file, postmaster, standby_signal};
use crate::instance::role::Files;

/// What the files of a data directory tell about the role. What cannot be read tells nothing.
pub fn read(datadir: &Path) -> Files {
    let lock_file = postmaster::pid_file(datadir).ok().flatten();
    Files {
        standby_signal: standby_signal::is_there(datadir).unwrap_or(false),
        control: control_file::state(datadir),
        starting: lock_file.is_some_and(|file| file.is_starting()),
    }
}
