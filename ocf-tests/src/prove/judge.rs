//! Judges a round by what clients were promised, whatever was done in it.

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// Plays a round, makes the cluster whole again, and demands every acknowledged row.
pub fn judged(scene: &Scene, plan: &str, play: impl FnOnce() -> Result<()>) -> Result<String> {
    judged_on(scene, plan, || play().map(|()| scene.cluster.nodes.clone()))
}

/// The same where `play` tells which nodes are left to the cluster.
pub fn judged_on(
    scene: &Scene,
    plan: &str,
    play: impl FnOnce() -> Result<Vec<Node>>,
) -> Result<String> {
    scene.steps.say(plan);
    let client = scene.client.as_ref().context("a round needs a client")?;
    let refused = refusals(&scene.cluster);
    let before = client.acknowledged();
    client.reset_downtime();
    let left = play().with_context(|| plan.to_owned())?;
    // Before anything else: a node that comes back diverged must not hide what is gone.
    client
        .nothing_lost(&scene.steps)
        .with_context(|| plan.to_owned())?;
    let whole = scene.cluster.rejoin_these(&left);
    whole.with_context(|| plan.to_owned())?;
    scene.writes_go_on()?;
    client
        .nothing_lost(&scene.steps)
        .with_context(|| plan.to_owned())?;
    scene.pcs("resource cleanup")?;
    scene.cluster.rejoin_these(&left)?;
    let verdict = format!(
        "{plan}: {} rows, none lost, {:.1} s down, {} refusals on the way",
        client.acknowledged() - before,
        client.downtime().as_secs_f64(),
        refusals(&scene.cluster) - refused
    );
    scene.steps.say(&verdict);
    Ok(verdict)
}

/// How often the agent refused to promote anybody so far, by the logs of all nodes. One that
/// ends by itself, when a node that is on its way has arrived, is no harm.
fn refusals(cluster: &Cluster) -> usize {
    logged(cluster, "Election: promoting nobody")
}

/// How often the logs of all nodes have these words.
pub fn logged(cluster: &Cluster, words: &str) -> usize {
    let logs = cluster.nodes.iter().filter_map(|node| {
        let path = node.root().join("var/log/pacemaker/pacemaker.log");
        std::fs::read(path).ok()
    });
    logs.map(|log| {
        let text = String::from_utf8_lossy(&log).into_owned();
        text.matches(words).count()
    })
    .sum()
}
