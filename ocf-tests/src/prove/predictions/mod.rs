//! What `explain` and `status` say of a state drawn from a seed, against SQL on each node, crm_mon
//! and the control files; and what they say would happen, against what happens when the primary
//! loses its power. The prediction is on disk before the cut.

mod arrange;
mod facts;
mod fields;
mod outcome;
mod plan;
mod said;

use anyhow::{Context, Result};

use crate::run::chance::Chance;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

use arrange::Arranged;
use plan::Plan;

/// The round of `seed`. Nobody else writes.
pub fn round(scene: &Scene, seed: u64) -> Result<String> {
    let plan = Plan::draw(&mut Chance::new(seed));
    let text = plan.to_string();
    scene.steps.say(&format!("{seed}: {text}"));
    let verdict = play(scene, seed, &plan).with_context(|| text.clone())?;
    arrange::undo(scene).context(text.clone())?;
    Ok(format!("{text}: {verdict}"))
}

fn play(scene: &Scene, seed: u64, plan: &Plan) -> Result<String> {
    let stage = Stage::new(scene)?;
    let arranged = Arranged::of(&stage, plan)?;
    let fields = fields::compare(&arranged)?;
    let prediction = said::Prediction::of(&arranged, seed)?;
    scene.steps.say(&format!(
        "cutting the power of {}: {}",
        stage.primary.name, prediction.text
    ));
    let before = outcome::refusals(&arranged, &prediction);
    scene.cluster.power.off(&stage.primary.name)?;
    let outcome = outcome::judge(&arranged, &prediction, before)
        .with_context(|| format!("predicted: {}", prediction.whole()))?;
    Ok(format!(
        "{fields} fields; predicted: {}; {outcome}",
        prediction.text
    ))
}
