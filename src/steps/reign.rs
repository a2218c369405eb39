//! The record of this primary's reign, kept by its monitor.

use std::collections::BTreeSet;

use super::evidence::Known;
use super::{ballot, evidence, position};
use crate::election::{Confirming, strangers};
use crate::instance::replication::Primary;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, Permanent, ToolError};
use crate::postgres::Server;
use crate::record::reign::{Stage, last_of, last_term};
use crate::record::{Evidence, Force, Reign};

/// Writes down that this node reigns, and on which branch; `true` if that was news. The
/// claim of the promotion has then come true and goes, and so do forces: what an admin
/// forced before is spent, or was not needed.
pub fn refresh(
    server: &dyn Server,
    cluster: &dyn Cluster,
    (node, primary, stored): (&NodeName, &Primary, &Permanent),
    deadline: Deadline,
) -> Result<bool, Failure> {
    let resource = cluster.resource();
    let branch = position::of_primary(server, primary, deadline)?;
    let confirming = Confirming {
        rule: ballot::sync_rule(&primary.synchronous_standby_names),
        senders: &primary.senders,
        nodes: stored.nodes(),
    };
    let mut known = Known::gather(server, cluster, stored)?;
    let held = (&branch, known.data.as_ref());
    let reign = Reign::refresh(node, held, confirming, &known.all.reigns());
    say_what_was_lost(&known, &reign);
    say_who_is_a_stranger(&known, &stored.nodes(), &reign);
    known.all.add(reign.clone());
    known.keep(cluster);
    let is_news = known.published.of_node(node, Stage::Opened) != Some(&reign);
    if is_news {
        cluster.set_permanent(node, &Reign::NAME.of(resource), &reign.encode())?;
    }
    let claim = Reign::CLAIM_NAME.of(resource);
    if stored.values(&claim).contains_key(node) {
        cluster.delete_permanent(node, &claim)?;
    }
    if is_news {
        forget_forces(cluster, stored);
    }
    Ok(is_news)
}

/// What such a receiver confirms is acknowledged to the client, and may be on no node.
fn say_who_is_a_stranger(known: &Known, nodes: &BTreeSet<NodeName>, reign: &Reign) {
    let before = known.published.of_node(&known.node, Stage::Opened);
    for name in strangers(nodes, before, reign) {
        log::warn!(
            "Synchronous commits may be confirmed by {name}, which is no node of this cluster: \
             then a failover refuses until this node is back. Name the standbys in \
             synchronous_standby_names, and give every other receiver a name of its own"
        );
    }
}

/// On the primary, before nodes are started: where any standby confirms commits (`*`), so will
/// they, long before the next monitor sees them. Costs no process where nothing is to be added.
pub fn expect(
    server: &dyn Server,
    cluster: &dyn Cluster,
    starting: &BTreeSet<NodeName>,
) -> Result<(), ToolError> {
    let node = cluster.node()?;
    if own_with(&evidence::of_ledger(cluster, &node), &node, starting).is_none() {
        return Ok(());
    }
    let mut known = Known::gather(server, cluster, &cluster.permanent()?)?;
    let Some(reign) = own_with(&known.all, &node, starting) else {
        return Ok(());
    };
    known.all.add(reign.clone());
    known.keep(cluster);
    let name = match reign.stage {
        Stage::Opened => Reign::NAME,
        Stage::Claimed => Reign::CLAIM_NAME,
    };
    cluster.set_permanent(&node, &name.of(cluster.resource()), &reign.encode())
}

/// This node's reign, if these nodes are to be added to who confirms in it.
fn own_with(known: &Evidence, node: &NodeName, nodes: &BTreeSet<NodeName>) -> Option<Reign> {
    let reigns = known.reigns();
    let own = reigns.iter().filter(|reign| reign.primary == *node);
    last_of(own)?.with_confirmers(nodes)
}

/// An old configuration may have been pushed, or a part of it removed.
fn say_what_was_lost(known: &Known, reign: &Reign) {
    let shared = last_term(&known.published.reigns());
    if shared < reign.term && last_term(&known.all.reigns()) == reign.term {
        log::warn!(
            "The cluster's configuration knows of election {shared} as the last one (an old one \
             pushed, or attributes removed?), but this node won election {}: writing that again",
            reign.term
        );
    }
}

fn forget_forces(cluster: &dyn Cluster, stored: &Permanent) {
    let name = Force::NAME.of(cluster.resource());
    for node in stored.values(&name).keys() {
        if let Err(error) = cluster.delete_permanent(node, &name) {
            log::warn!("Cannot delete the attribute {name}: {error}");
        }
    }
}

/// What this node was primary of is gone after a rewind, and its word with it. Copies of it
/// that others have are of other data from now on.
pub fn forget(cluster: &dyn Cluster) {
    let resource = cluster.resource();
    let Ok(node) = cluster.node() else { return };
    for name in [Reign::NAME.of(resource), Reign::CLAIM_NAME.of(resource)] {
        if let Err(error) = cluster.delete_permanent(&node, &name) {
            log::warn!("Cannot delete the attribute {name}: {error}");
        }
    }
}
