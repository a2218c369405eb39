//! A node that could not vote in the last election, and can again.
//!
//! Pacemaker repeats a promotion that was refused as soon as anything changes in the cluster, and
//! else after `cluster-recheck-interval`, a quarter of an hour. That a server answers again is a
//! change that Pacemaker does not see: its monitor was content all the time.

use std::time::Duration;

use super::position;
use crate::ocf::Deadline;
use crate::pacemaker::Cluster;
use crate::postgres::Server;
use crate::record::{note, vote};
use crate::system::{Notes, clock};

/// Notes that this node has not voted.
pub fn remember(notes: &Notes) {
    notes.write(&note::MUTE, "");
}

/// On a standby that receives nothing: once it could vote again, it writes so to the cluster, which
/// makes Pacemaker try again.
pub fn report_the_end(
    server: &dyn Server,
    cluster: &dyn Cluster,
    notes: &Notes,
    deadline: Deadline,
) {
    if notes.read(&note::MUTE).is_none() {
        return;
    }
    if position::of_standby(server, Duration::ZERO, deadline).is_err() {
        return;
    }
    log::info!("This node can vote again: a promotion that was refused meanwhile is tried again");
    let now = clock::since_epoch().as_secs().to_string();
    match cluster.set_transient(&vote::VOTER_NAME.of(cluster.resource()), &now) {
        Ok(()) => notes.forget(&note::MUTE),
        Err(error) => log::warn!("Cannot make Pacemaker try a promotion again: {error}"),
    }
}

/// It has voted since, or follows a primary: whatever was refused is decided anew.
pub fn forget(notes: &Notes) {
    notes.forget(&note::MUTE);
}
