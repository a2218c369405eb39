//! Ends a repair in single-user mode, which Pacemaker does not know of: only a stop does.
//!
//! A probe calls the node free of it and a start refuses, so that nobody is disturbed
//! who repairs a resource that is disabled.

use std::time::Duration;

use crate::instance::Postmaster;
use crate::ocf::{Deadline, Failure, OcfExit, Outcome};
use crate::postgres::Server;

const POLL: Duration = Duration::from_millis(50);

/// Asks it to end, which it does with a shutdown checkpoint, and waits.
pub fn end(server: &dyn Server, deadline: Deadline) -> Outcome {
    let mut asked = None;
    loop {
        match server.postmaster() {
            Ok(Postmaster::None) => return Ok(OcfExit::Success),
            Ok(Postmaster::SingleUser(pid)) if asked != Some(pid) => {
                log::warn!(
                    "Ending postgres in single-user mode (pid {pid}): Pacemaker stops the resource"
                );
                server.end_single_user(pid);
                asked = Some(pid);
            }
            _ => {}
        }
        if !deadline.sleep(POLL) {
            return Err(Failure::soft(
                "postgres in single-user mode does not end: quit it (Ctrl+D), or this node is fenced",
            ));
        }
    }
}
