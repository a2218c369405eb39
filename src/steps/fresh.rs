//! A standby whose data took the place of others: until when it vouches for nothing.
//!
//! ```text
//! srv1: 1 ──────■         the primary; it waits for srv2 to confirm
//! srv2: 1 ──────■         confirmed ■, and was then rebuilt from srv3:
//! srv2: 1 ───             the same name, and a commit less
//! srv3: 1 ───
//! ```
//!
//! If srv1 is lost now, srv2 and srv3 must not prove to each other that there was no ■. All that
//! the former data confirmed, the primary had written before they went. So once the new data
//! hold what the primary had written at *any* moment after they came, nothing of it is missing.
//! The standby asks the primary once for such a place (`IDENTIFY_SYSTEM`, by the name of the node
//! that was elected last: what `primary_conninfo` leads to may be another standby), and is as
//! good as any other when it has got there. One that was made by `pg_basebackup` from the primary
//! is so with its second monitor.

use std::time::Duration;

use super::evidence::{self, Known};
use super::position;
use super::rejoin::primary::conninfo;
use crate::ocf::{Deadline, Failure};
use crate::pacemaker::Cluster;
use crate::postgres::Server;
use crate::record::{Reign, last_reign};
use crate::wal::Place;

/// How long the primary may take to say what it has.
const LONGEST_LOOK: Duration = Duration::from_secs(3);

/// On a standby that streams: asks what is missing, and looks whether it still is. Costs no
/// program where the data are no new ones.
pub fn make_up(server: &dyn Server, cluster: &dyn Cluster, deadline: Deadline) {
    let fresh = cluster.named_node();
    if !fresh.is_some_and(|node| evidence::is_fresh(cluster, node)) {
        return;
    }
    if let Err(failure) = try_make_up(server, cluster, deadline) {
        log::warn!(
            "This node has new data, and cannot tell whether they hold all that the primary has: \
             {failure}. Until then it does not vouch for synchronous commits"
        );
    }
}

fn try_make_up(
    server: &dyn Server,
    cluster: &dyn Cluster,
    deadline: Deadline,
) -> Result<(), Failure> {
    let mut known = Known::gather(server, cluster, &cluster.permanent()?)?;
    let Some(mut fresh) = known.fresh else {
        return Ok(());
    };
    let reigns = known.all.reigns();
    let Some(last) = last_reign(&reigns).filter(|last| last.is_opened()) else {
        return Ok(());
    };
    let of_this_reign = |owes: &Place| owes.timeline == last.branch.timeline;
    if !fresh.owes.as_ref().is_some_and(of_this_reign) {
        fresh.owes = Some(written_by(server, last, deadline).map_err(Failure::soft)?);
    }
    known.fresh = Some(fresh);
    let held = position::of_standby(server, Duration::ZERO, deadline)?;
    if fresh.is_made_up_by(&held.position) {
        log::info!("The new data of this node hold all that the primary had");
        known.fresh = None;
    }
    known.keep(cluster);
    Ok(())
}

/// Up to where the primary of this reign has written.
fn written_by(server: &dyn Server, reign: &Reign, deadline: Deadline) -> Result<Place, String> {
    let look = deadline.within(LONGEST_LOOK);
    let primary = &reign.primary;
    let own = conninfo(server, look).ok_or("primary_conninfo names no host")?;
    if let Some(secret) = own.secret_without_variable() {
        return Err(format!(
            "{secret} in primary_conninfo would be seen in the list of processes"
        ));
    }
    let source = own.at(primary.as_str());
    let offered = server.offered_by(&source, look);
    let offered = offered.map_err(|error| format!("{primary}: {error}"))?;
    let branch = &reign.branch;
    let same = branch.system.is_none_or(|system| system == offered.system);
    if !same || offered.place.timeline != branch.timeline {
        return Err(format!(
            "{primary} is at {}, not on the branch that it was elected for",
            offered.place
        ));
    }
    Ok(offered.place)
}
