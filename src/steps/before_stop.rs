//! What is done before a primary is demoted, while clients are still served.

use super::bring_down::Receivers;
use crate::ocf::{Deadline, time};
use crate::pacemaker::Cluster;
use crate::postgres::Server;

/// Asks what the stop needs, and reads what the start after it does: between the two nobody is
/// served.
pub fn look(server: &dyn Server, cluster: &dyn Cluster, deadline: Deadline) -> Receivers {
    cluster.remember_permanent();
    server.prepare_start(deadline);
    Receivers::note(server, cluster, deadline)
}

/// A stop writes all dirty buffers. What is written before it is not written then. Its time is
/// bounded, and nothing depends on it.
pub fn checkpoint(server: &dyn Server, deadline: Deadline) {
    let begin = time::now();
    match server.checkpoint(deadline.within(deadline.left() / 2)) {
        Ok(()) => log::info!(
            "Checkpoint before the stop: {} ms",
            time::since(begin).as_millis()
        ),
        Err(why) => log::warn!("No checkpoint before the stop: {why}"),
    }
}
