//! Asks a server to stop, and waits until nothing of it is left.

use std::time::Duration;

use crate::instance::Postmaster;
use crate::ocf::Deadline;
use crate::postgres::{Server, StopMode};

/// Between two looks at what runs.
pub const POLL: Duration = Duration::from_millis(10);

/// A postmaster that has just ended is no error: whether it is gone is looked at next.
pub fn ask_to_stop(server: &dyn Server, mode: StopMode, deadline: Deadline) {
    let Ok(Postmaster::Alive(postmaster)) = server.postmaster() else {
        return;
    };
    if let Err(error) = server.stop(mode, deadline) {
        log::warn!("{error}");
        server.signal_stop(postmaster, mode);
    }
}

/// Waits until no process of the server is left, by proof.
pub fn wait_until_gone(server: &dyn Server, deadline: Deadline) -> bool {
    loop {
        match server.postmaster() {
            Ok(Postmaster::None) => return true,
            _ if !deadline.sleep(POLL) => return false,
            _ => {}
        }
    }
}
