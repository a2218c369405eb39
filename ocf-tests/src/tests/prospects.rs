//! The next election as `explain` predicts it in states drawn from a seed, against the election
//! that is held when the primary loses its power.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::chance::Chance;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// How many states one test tries.
const ROUNDS: usize = 6;
/// By then Pacemaker has promoted whom it can.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// What becomes of a standby before the primary is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Follows,
    CutOff,
    Stopped,
    Barred,
}

const FATES: [Fate; 4] = [Fate::Follows, Fate::CutOff, Fate::Stopped, Fate::Barred];

/// Each prediction is made, and said, before the power is cut.
pub fn predictions_of_random_states_come_true(scene: &mut Scene) -> Result<()> {
    let seed = Chance::fresh_seed();
    let mut chance = Chance::new(seed);
    for round in 1..=ROUNDS {
        let fates = [chance.pick(&FATES), chance.pick(&FATES)];
        let state = format!("seed {seed}, state {round}: {fates:?}");
        scene.steps.say(&state);
        predict(scene, fates).context(state)?;
        recover(scene)?;
    }
    Ok(())
}

fn predict(scene: &Scene, fates: [Fate; 2]) -> Result<()> {
    let stage = Stage::new(scene)?;
    for (node, fate) in [&stage.favourite, &stage.other].into_iter().zip(fates) {
        arrange(&stage, node, fate)?;
    }
    stage.write_rows(&stage.primary, 100)?;
    let rows = stage.rows(&stage.primary)?;
    for (node, fate) in [&stage.favourite, &stage.other].into_iter().zip(fates) {
        if matches!(fate, Fate::Follows | Fate::Barred) {
            stage.wait_rows(node, rows)?;
        }
    }
    let line = ["pgsqlms", "explain", "--format", "json"];
    let said = stage.primary.output(&line)?.stdout;
    let said: Value = serde_json::from_str(&said).context(said)?;
    scene.steps.say(&said["text"].to_string());
    scene.cut_power(&stage.primary)?;
    match (said["verdict"].as_str(), said["node"].as_str()) {
        (Some("promote"), Some(name)) => is_promoted(scene, name),
        (Some("nobody"), _) => nobody_is(scene, &stage),
        (verdict, _) => {
            ensure!(fates == [Fate::CutOff; 2], "{verdict:?}: {said}");
            Ok(())
        }
    }
}

fn arrange(stage: &Stage, node: &Node, fate: Fate) -> Result<()> {
    let scene = stage.scene;
    let ban = format!("resource ban pgsqld-clone {}", node.name);
    match fate {
        Fate::Follows => Ok(()),
        Fate::CutOff => stage.disconnect(&[node]),
        Fate::Stopped => {
            scene.pcs(&ban)?;
            scene.wait_stopped(&MAIN, std::slice::from_ref(node))
        }
        Fate::Barred => {
            let flag = scene.cluster.options.release.promoted_flag();
            scene.pcs(&format!("{ban} {flag}"))?;
            stage.settle()
        }
    }
}

fn is_promoted(scene: &Scene, name: &str) -> Result<()> {
    let what = format!("{name} to be promoted");
    scene.steps.wait(&what, PATIENCE, || {
        let primary = scene.cluster.primary()?;
        ensure!(primary.name == name, "{} is promoted", primary.name);
        ensure!(is_open(&primary)?, "{name} is in recovery");
        Ok(())
    })
}

fn nobody_is(scene: &Scene, stage: &Stage) -> Result<()> {
    scene.let_pass(LONG_ENOUGH, "for whoever is promoted all the same");
    for node in [&stage.favourite, &stage.other] {
        // One that is stopped, or refuses, is not open either.
        ensure!(
            !is_open(node).unwrap_or(false),
            "{} was promoted",
            node.name
        );
    }
    Ok(())
}

fn is_open(node: &Node) -> Result<bool> {
    Ok(node.sql("SELECT NOT pg_is_in_recovery()")? == "t")
}

fn recover(scene: &Scene) -> Result<()> {
    scene.cluster.heal_network()?;
    for node in &scene.cluster.nodes {
        // Nothing to clear is an error of some versions.
        let _ = scene.pcs(&format!("resource clear pgsqld-clone {}", node.name));
    }
    scene.cluster.rejoin_all()?;
    scene.clean_up()
}
