//! Power cuts: fencing confirms the death, clients go on, the node comes back by itself.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::run::scene::Scene;

/// The primary's node loses power: it is fenced, a standby takes over and nothing
/// acknowledged is lost; started again the node ends as a streaming standby.
pub fn cut_at_the_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    scene.cut_power(&old)?;
    let rest = scene.cluster.others(&old.name);
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.cluster.rejoin(&old)?;
    ensure!(scene.cluster.primary()? != old, "the primary moved back");
    scene.only_fenced(&old.name)
}

/// A standby's node loses power: writes go on with the other one.
pub fn cut_at_a_standby(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    scene.cut_power(&standby)?;
    let rest = scene.cluster.others(&standby.name);
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.cluster.bring_back(&standby)?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    scene.only_fenced(&standby.name)
}
