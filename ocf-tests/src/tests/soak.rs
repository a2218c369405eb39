//! The short version of `lab soak`.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::run::chance::Chance;
use crate::run::scene::Scene;
use crate::soak;

/// Random faults for three minutes; a failure prints the seed, which `lab soak` plays again.
pub fn three_minutes(scene: &mut Scene) -> Result<()> {
    let seed = Chance::fresh_seed();
    let steps = scene.steps.clone();
    let length = Duration::from_secs(180);
    let verdict = soak::run(scene, seed, length, |line| steps.say(line))
        .with_context(|| format!("again: cargo lab soak --minutes 3 --seed {seed}"))?;
    steps.say(&verdict.to_string());
    Ok(())
}
