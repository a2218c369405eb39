//! Switchovers: the promoted role moves on request, and the address follows.

use anyhow::{Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::run::scene::Scene;

/// The promoted role visits each other node and comes back home.
pub fn promoted_role_to_chosen_nodes(scene: &mut Scene) -> Result<()> {
    let home = scene.cluster.primary()?;
    let mut stations = scene.cluster.others(&home.name);
    stations.reverse();
    stations.push(home);
    for target in stations {
        scene.cluster.move_primary(&target.name)?;
        scene.cluster.wait_whole()?;
        ensure!(
            scene.cluster.primary()? == target,
            "{} is not primary",
            target.name
        );
        scene.writes_go_on()?;
    }
    let bans = scene.cluster.state()?.bans;
    ensure!(
        bans.iter().all(|ban| ban.contains("fence-")),
        "constraints are left: {bans:?}"
    );
    scene.undisturbed()
}

/// A standby is banned from its node and allowed again.
pub fn ban_of_a_standby(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let rest = scene.cluster.others(&standby.name);
    scene.pcs(&format!(
        "resource ban pgsqld-clone {} --wait=60",
        standby.name
    ))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.pcs(&format!("resource clear pgsqld-clone {}", standby.name))?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.undisturbed()
}

/// The primary is banned from its node: a standby takes over; once allowed again the node
/// comes back as a standby.
pub fn ban_of_the_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    scene.pcs(&format!("resource ban pgsqld-clone {} --wait=60", old.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&old))?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.pcs(&format!("resource clear pgsqld-clone {}", old.name))?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? != old, "the primary moved back");
    scene.undisturbed()
}
