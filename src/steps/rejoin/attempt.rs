//! Restarts a standby that was seen to have diverged only when it ran, so that its start
//! rewinds it: a few times at most.

use super::primary;
use crate::election::Diverged;
use crate::instance::rejoin::attempts::Attempts;
use crate::instance::rejoin::plan::{Unable, is_worth_a_restart};
use crate::ocf::Deadline;
use crate::postgres::Server;
use crate::record::{Divergence, note};
use crate::system::{Notes, clock};

/// Begins another attempt, if one is due and wanted and would work: counts it, and
/// returns `true`. Once the standby is stopped PostgreSQL may not start it again as it
/// is, so all that can be asked is asked before.
pub fn begin(server: &dyn Server, notes: &Notes, diverged: &Diverged, deadline: Deadline) -> bool {
    if !is_worth_a_restart(server.parameters().rejoin, diverged.how) {
        return false;
    }
    let Divergence::Left { fork, .. } = diverged.how else {
        return false;
    };
    let so_far = Attempts::decode(&notes.read(&note::REWINDS).unwrap_or_default());
    let now = clock::since_epoch().as_secs();
    let Some(next) = so_far.next(&fork.to_string(), now) else {
        return false;
    };
    if let Err(why) = would_work(server, deadline) {
        warn_once(notes, &why);
        return false;
    }
    // An attempt that is not counted would be repeated for ever.
    notes.write(&note::REWINDS, &next.encode())
}

fn would_work(server: &dyn Server, deadline: Deadline) -> Result<(), String> {
    let control = server.control_data(deadline);
    let control = control.map_err(|error| error.to_string())?;
    if !control.hints_logged {
        return Err(Unable::NoHints.to_string());
    }
    let primary = primary::conninfo(server, deadline).ok_or(Unable::NoPrimary.to_string())?;
    let would = server.would_rewind(&primary, deadline);
    would.map_err(|error| error.to_string())
}

/// A monitor comes back every few seconds.
fn warn_once(notes: &Notes, why: &str) {
    if notes.is(&note::NOT_REWOUND, why) {
        return;
    }
    log::warn!("This node has diverged and cannot be rewound now: {why}");
    notes.write(&note::NOT_REWOUND, why);
}
