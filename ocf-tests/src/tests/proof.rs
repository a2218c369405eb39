//! Short versions of what `lab prove` does for long, and a refusal with its override. Moments
//! are random; a failure prints the seed, which `lab prove` plays again.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::prove::{self, Event};
use crate::run::chance::Chance;
use crate::run::scene::Scene;
use crate::run::staging::Stage;
use crate::tests::paf_losses::lose_primary_and_synchronous_standby;

/// A state in which the primary does not know what the winner holds.
const PREDICTED: u64 = 1001;
/// The agent's own command, for admins.
const COMMAND: &str = "pgsqlms";

/// Two rounds of `lab prove any`.
pub fn power_cuts_of_primary_and_standby(scene: &mut Scene) -> Result<()> {
    let seed = Chance::fresh_seed();
    for seed in [seed, seed + 1] {
        prove::double_cut(scene, seed).with_context(|| again("any", seed))?;
    }
    Ok(())
}

/// One round of `lab prove orders`.
pub fn all_nodes_come_back_in_some_order(scene: &mut Scene) -> Result<()> {
    let seed = Chance::fresh_seed();
    prove::return_in_order(scene, seed)
        .map(drop)
        .with_context(|| again("orders", seed))
}

/// The primary fails within 30 s of a switchover.
pub fn failure_soon_after_a_switchover(scene: &mut Scene) -> Result<()> {
    soon_after(scene, Event::Switchover)
}

/// The new primary fails within 30 s of a failover.
pub fn failure_soon_after_a_failover(scene: &mut Scene) -> Result<()> {
    soon_after(scene, Event::Failover)
}

/// The primary fails within 30 s of the return of a standby.
pub fn failure_soon_after_a_return(scene: &mut Scene) -> Result<()> {
    soon_after(scene, Event::Return)
}

/// One round of `lab prove moments`, of the first seed that draws `event`.
fn soon_after(scene: &Scene, event: Event) -> Result<()> {
    let mut seed = Chance::fresh_seed();
    while prove::event_of(seed) != event {
        seed += 1;
    }
    prove::failure_soon_after(scene, seed)
        .map(drop)
        .with_context(|| again("moments", seed))
}

/// A state of `lab prove predictions`: commits wait for one of three, the favourite has just lost its
/// connection and holds as much as the other, which replays what is an hour old.
pub fn prediction_of_a_state_comes_true(scene: &mut Scene) -> Result<()> {
    prove::prediction(scene, PREDICTED)
        .map(drop)
        .with_context(|| again("predictions", PREDICTED))
}

fn again(series: &str, seed: u64) -> String {
    format!("again: cargo lab prove {series} --rounds 1 --seed {seed}")
}

/// The primary and the synchronous standby are lost: the node that is left refuses and says
/// what to do. Forced by an admin it is promoted, once, on record; the nodes that come back
/// with the commits that were given up are no candidates, and follow once they are rewound.
pub fn refused_promotion_and_its_override(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    lose_primary_and_synchronous_standby(&stage)?;
    ensure!(
        scene.cluster.primary().is_err(),
        "nobody was to be promoted"
    );
    refusal_is_explained(scene, &stage.favourite)?;
    force(scene, &stage.favourite)?;
    let clone = format!("{}-clone", MAIN.resource);
    scene.pcs(&format!("resource clear {clone} {}", stage.other.name))?;
    scene.cluster.bring_back(&stage.primary)?;
    for node in [&stage.other, &stage.primary] {
        is_no_candidate(scene, node)?;
    }
    scene.cluster.rejoin_all()?;
    let primary = scene.cluster.primary()?;
    ensure!(primary == stage.favourite, "{} is primary", primary.name);
    scene.only_fenced(&stage.primary.name)
}

/// In what Pacemaker shows and in the log of the node, with a command to paste.
fn refusal_is_explained(scene: &Scene, node: &Node) -> Result<()> {
    let failures = scene.cluster.state()?.failures.join("; ");
    ensure!(
        failures.contains("Promotion refused: synchronous commits of"),
        "failed actions: {failures}"
    );
    let command = format!("{COMMAND} force-promotion --resource {}", MAIN.resource);
    for words in [
        "synchronous_standby_names was ANY 1 (srv1, srv2, srv3)",
        &command,
    ] {
        logged(node, words)?;
    }
    Ok(())
}

fn logged(node: &Node, words: &str) -> Result<()> {
    let log = node.run(&["cat", "/var/log/syslog"])?;
    ensure!(
        log.contains(words),
        "no {words:?} in {}'s system log",
        node.name
    );
    Ok(())
}

fn force(scene: &Scene, node: &Node) -> Result<()> {
    let unsure = [COMMAND, "force-promotion", "--resource", MAIN.resource];
    let asked = node.output(&unsure)?;
    ensure!(!asked.success(), "it did not ask: {}", asked.text());
    ensure!(forces(node)?.is_empty(), "forced without a yes");
    let said = node.run(&[&unsure[..], &["--yes"]].concat())?;
    scene.steps.say(&said);
    for words in ["will be lost", "ANY 1 (srv1, srv2, srv3)"] {
        ensure!(said.contains(words), "no {words:?} in {said:?}");
    }
    ensure!(!forces(node)?.is_empty(), "no record in the cluster");
    scene.pcs(&format!("resource cleanup {}", MAIN.resource))?;
    scene.cluster.wait_promoted(&node.name)?;
    let limit = Duration::from_secs(20);
    scene.steps.wait("the force to be spent", limit, || {
        let left = forces(node)?;
        ensure!(left.is_empty(), "{left}");
        logged(node, "An admin forces the next promotion of")?;
        logged(node, "forced although synchronous commits of")
    })
}

/// The override as the cluster has it; empty if there is none.
fn forces(node: &Node) -> Result<String> {
    let name = format!("force-promotion-{}", MAIN.resource);
    let words = [
        "crm_attribute",
        "--query",
        "--quiet",
        "--node",
        &node.name,
        "--name",
        &name,
    ];
    let out = node.output(&words)?;
    Ok(if out.success() {
        out.stdout
    } else {
        String::new()
    })
}

/// It runs, tells that it has diverged, and Pacemaker may not promote it.
fn is_no_candidate(scene: &Scene, node: &Node) -> Result<()> {
    let what = format!("{} to say that it has diverged", node.name);
    scene.steps.wait(&what, Duration::from_secs(60), || {
        logged(node, "This standby has diverged")?;
        let state = scene.cluster.state()?;
        let score = state.score(MAIN.resource, &node.name).unwrap_or("-1");
        ensure!(score.starts_with('-'), "its promotion score is {score}");
        Ok(())
    })
}
