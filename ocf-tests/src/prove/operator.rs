//! The operator of a round: knows who has which role, waits for a primary, and does meanwhile what
//! no cluster can do for itself.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::machine::node::Node;
use crate::run::scene::Scene;

/// How long a round waits for a primary.
const RECOVERY: Duration = Duration::from_secs(180);
/// When the operator looks whether Pacemaker takes a node without power for alive.
const LOOK: Duration = Duration::from_secs(60);

/// Waits for `look` as [`Steps::wait`](crate::host::progress::Steps::wait) does, while an operator keeps the nodes `up`: one that
/// was fenced on the way gets its cluster stack started again.
pub fn wait_with(
    scene: &Scene,
    up: &[Node],
    what: &str,
    mut look: impl FnMut() -> Result<()>,
) -> Result<()> {
    let start = Instant::now();
    scene.steps.wait(what, RECOVERY, || {
        let down: Vec<_> = up.iter().filter(|node| !node.stack_runs()).collect();
        for node in down {
            scene.cluster.bring_back(node)?;
        }
        if start.elapsed() > LOOK {
            confirm_ghosts(scene)?;
        }
        look()
    })
}

/// A node that dies together with Pacemaker's coordinator, just when another one joins, is taken
/// for alive by that one if it becomes the next coordinator (seen with 2.1.5: "State of node srv2
/// is still unknown"). It sends actions to the dead node for ever and has nobody fenced, whatever
/// the resource agent does: an admin has to confirm that the node is off.
fn confirm_ghosts(scene: &Scene) -> Result<()> {
    let state = scene.cluster.state()?;
    let off = |name: &str| {
        scene
            .cluster
            .node(name)
            .is_ok_and(|node| node.init().is_err())
    };
    for ghost in state
        .nodes
        .iter()
        .filter(|node| node.online && off(&node.name))
    {
        let name = &ghost.name;
        println!("    Pacemaker takes {name}, which has no power, for alive: confirming by hand");
        scene.pcs(&format!("stonith confirm {name} --force"))?;
    }
    Ok(())
}

/// The primary among the nodes `up`, by its real state: Pacemaker may take a dead server for
/// a primary until it has noticed.
pub fn primary_among(scene: &Scene, up: &[Node]) -> Result<Node> {
    let primary = scene.cluster.primary()?;
    ensure!(up.contains(&primary), "{} is promoted", primary.name);
    let answer = primary.sql("SELECT pg_is_in_recovery()")?;
    ensure!(answer == "f", "{} is in recovery", primary.name);
    Ok(primary)
}

/// The nodes by role: the primary, then the standbys by name.
pub fn by_role(scene: &Scene) -> Result<Vec<Node>> {
    let mut nodes = vec![scene.cluster.primary()?];
    nodes.extend(scene.cluster.standbys()?);
    let all = scene.cluster.nodes.len();
    ensure!(nodes.len() == all, "{} of {all} nodes run", nodes.len());
    Ok(nodes)
}

/// Sleeps until `moment` after `start`.
pub fn sleep_until(start: Instant, moment: Duration) {
    std::thread::sleep(moment.saturating_sub(start.elapsed()));
}
