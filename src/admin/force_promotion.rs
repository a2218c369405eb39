//! force-promotion: an admin's override of a refused promotion, for one
//! promotion. Says first what may be lost, asks, and leaves a record in the
//! cluster and in the logs. Pacemaker still promotes; nothing is promoted here.

use std::time::{Duration, Instant};

use super::resource::Resource;
use super::stakes::{is_typed, stakes};
use crate::ocf::{self, Environment, Failure, NodeName, OcfExit, Outcome, Request};
use crate::pacemaker::{Cluster, RealCluster, Tools};
use crate::record::{Force, last_reign};
use crate::steps::evidence::Known;
use crate::steps::position;
use crate::wal::Position;

/// What the admin typed.
#[derive(Debug, clap::Args)]
pub struct ForcePromotion {
    /// Id of the resource (the primitive, not the clone), such as pgsqld
    #[arg(long)]
    resource: String,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Pacemaker restarts the instance right after a promotion was refused.
const RESTART: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(200);

/// Allows one promotion of this node's branch past the refusals.
pub fn run(wish: &ForcePromotion, shell: &Environment) -> Outcome {
    let resource = Resource::of_cluster(&wish.resource, shell)?;
    let cluster = &resource.cluster;
    let held = restarted_position(&resource)?;
    let members = cluster.members()?;
    let known = Known::gather(&resource.server, cluster, &cluster.permanent()?)?;
    let (last, node) = (last_reign(&known.all.reigns()).cloned(), known.node);
    for line in stakes(&node, &held, last.as_ref(), |node| members.contains(node)) {
        ocf::log::say(&line);
    }
    let question = format!("To promote {node} anyway, type its name:");
    if !wish.yes && !is_typed(&question, node.as_str()) {
        return Err(Failure::soft("Not confirmed: nothing was changed"));
    }
    let force = Force {
        timeline: held.timeline,
        after: Some(last.as_ref().map_or(0, |last| last.term)),
    };
    write(wish, shell, &node, force)?;
    Ok(OcfExit::Success)
}

/// Reading the stakes took its time: what follows has a time of its own.
fn write(
    wish: &ForcePromotion,
    shell: &Environment,
    node: &NodeName,
    force: Force,
) -> Result<(), Failure> {
    let deadline = Request::from_environment(shell, Instant::now()).deadline;
    let cluster = RealCluster::new(Tools::new(shell, deadline), &wish.resource);
    let name = Force::NAME.of(&wish.resource);
    let timeline = force.timeline;
    cluster.set_permanent(node, &name, &force.encode())?;
    let text = format!("An admin forces the next promotion of {node} (timeline {timeline})");
    ocf::log::record(&wish.resource, &text);
    ocf::log::say(&format!(
        "Forced. Pacemaker tries again after: pcs resource cleanup {0}\n\
         To take it back: crm_attribute --node {node} --name {name} --delete",
        wish.resource
    ));
    Ok(())
}

fn restarted_position(resource: &Resource) -> Result<Position, Failure> {
    let patience = resource.deadline.within(RESTART);
    loop {
        let held = position::of_standby(
            &resource.server,
            position::LONGEST_REPLAY,
            resource.deadline,
        );
        match held {
            Err(_) if patience.sleep(POLL) => {}
            seen => return Ok(seen?.position),
        }
    }
}
