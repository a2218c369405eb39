//! Appends to lists and reads of them, judged by the rules of Elle: under random faults nothing is
//! found, and where commits are given up on purpose the judges find it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::cluster::postgresql::MAIN;
use crate::consistency::check::{Kind, check};
use crate::consistency::second;
use crate::machine::node::Node;
use crate::prove::lists;
use crate::run::chance::Chance;
use crate::run::scene::Scene;
use crate::run::staging::Stage;
use crate::watch::lists::{LEVELS, Lists};

/// Appends that are acknowledged before, and again where only the wrong node has them.
const SOME: usize = 50;

/// Two rounds of `lab prove lists`.
pub fn random_faults(scene: &mut Scene) -> Result<()> {
    let seed = Chance::fresh_seed();
    for seed in [seed, seed + 1] {
        lists::round(scene, seed)
            .with_context(|| format!("again: cargo lab prove lists --rounds 1 --seed {seed}"))?;
    }
    Ok(())
}

/// Without the guard the standby that lacks acknowledged commits is promoted after a double fault:
/// the judges name what is lost.
pub fn losses_without_the_guard_are_found(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let lists = Lists::start(&scene.cluster, &MAIN, LEVELS)?;
    lists.wait_appending(&scene.steps, SOME)?;
    stage.disconnect(&[&stage.favourite])?;
    lists.wait_appending(&scene.steps, SOME)?;
    scene.pcs(&format!("resource ban pgsqld-clone {}", stage.other.name))?;
    stage.power_off(&stage.primary)?;
    scene.pcs("resource update pgsqld sync_guard=false")?;
    another_takes_over(&stage)?;
    scene.pcs(&format!("resource clear pgsqld-clone {}", stage.other.name))?;
    losses_are_found(scene, lists)
}

/// Clients that expect their commits to be on two nodes meet a cluster that has no synchronous
/// standby: what the primary alone had is lost with it, and the judges name it.
pub fn losses_without_synchronous_standbys_are_found(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let lists = Lists::start(&scene.cluster, &MAIN, LEVELS)?;
    lists.wait_appending(&scene.steps, SOME)?;
    stage.disconnect(&[&stage.favourite, &stage.other])?;
    lists.wait_appending(&scene.steps, SOME)?;
    stage.power_off(&stage.primary)?;
    another_takes_over(&stage)?;
    losses_are_found(scene, lists)
}

fn losses_are_found(scene: &Scene, lists: Lists) -> Result<()> {
    scene.cluster.rejoin_all()?;
    lists.wait_appending(&scene.steps, SOME)?;
    let history = lists.finish(&scene.steps)?;
    let (verdict, opinion) = (check(&history), second::opinion(&history));
    scene.steps.say(&format!(
        "{verdict}; the second judge: {}",
        opinion.join("; ")
    ));
    let lost = verdict.count(Kind::Lost);
    ensure!(
        lost >= SOME / 2,
        "{lost} lost appends were found: {verdict}"
    );
    ensure!(verdict.count(Kind::Phantom) == 0, "phantoms: {verdict}");
    if opinion.is_empty() {
        bail!("the second judge found nothing: {verdict}");
    }
    Ok(())
}

/// Lets Pacemaker promote a node, and waits until one of those with power is a primary.
fn another_takes_over(stage: &Stage) -> Result<()> {
    stage.scene.cluster.heal_network()?;
    stage.release()?;
    let (favourite, other) = (&stage.favourite, &stage.other);
    let open = |node: &Node| {
        let answer = node.sql("SELECT pg_is_in_recovery()");
        answer.is_ok_and(|answer| answer == "f")
    };
    let limit = Duration::from_secs(60);
    stage.scene.steps.wait("another primary", limit, || {
        ensure!(open(favourite) || open(other), "both are in recovery");
        Ok(())
    })
}
