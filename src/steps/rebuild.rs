//! What an admin's rebuild of this node means for a start, and for a probe that finds no data.
//!
//! The new data are made elsewhere, and take the place of the old ones whole. So what is in the
//! data directory may be started at any time; where nothing is, a rebuild is why.

use crate::ocf::Failure;
use crate::postgres::{Rebuild, Server};

/// Whether a start may go on.
pub fn before_start(server: &dyn Server) -> Result<(), Failure> {
    let resource = server.resource();
    match look(server) {
        Rebuild::Nothing => Ok(()),
        // What is started would be in the way of the switch.
        Rebuild::GoesOn => Err(Failure::soft(format!(
            "Not started: an admin rebuilds this node at this moment (pgsqlms rebuild). When that is \
             done: pcs resource cleanup {resource}"
        ))),
        Rebuild::Without => Err(Failure::soft(format!(
            "Not started: a rebuild of this node was interrupted, and there are no data. To go on, on \
             this node: pgsqlms rebuild --resource {resource}"
        ))),
        Rebuild::Before => {
            log::warn!(
                "A rebuild of this node was interrupted: its data are those of before. To go on, with \
                 this node in standby: pgsqlms rebuild --resource {resource}; to leave it: pgsqlms \
                 rebuild --resource {resource} --give-up"
            );
            Ok(())
        }
        Rebuild::After => {
            log::warn!(
                "The data of this node are rebuilt, and what was there before still takes up room: \
                 pgsqlms rebuild --resource {resource} removes it"
            );
            Ok(())
        }
    }
}

/// Says why a probe found no data, where it is a rebuild.
pub fn say(server: &dyn Server) {
    match look(server) {
        Rebuild::GoesOn => log::info!("This node has no data: it is being rebuilt"),
        Rebuild::Without => log::warn!(
            "This node has no data: a rebuild was interrupted. To go on: pgsqlms rebuild --resource {}",
            server.resource()
        ),
        Rebuild::Nothing | Rebuild::Before | Rebuild::After => {}
    }
}

/// The data directory is never half made, so a mark that cannot be read forbids nothing.
fn look(server: &dyn Server) -> Rebuild {
    server.rebuild().unwrap_or_else(|error| {
        log::warn!("Cannot tell whether a rebuild of this node was interrupted: {error}");
        Rebuild::Nothing
    })
}
