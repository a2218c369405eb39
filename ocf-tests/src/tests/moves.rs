//! Switchovers: the promoted role moves on request, and the address follows.

use anyhow::{Result, ensure};

use crate::cluster::Cluster;
use crate::postgresql::MAIN;
use crate::scene::Scene;

/// The promoted role visits each other node and comes back home.
pub fn promoted_role_to_chosen_nodes(scene: &mut Scene) -> Result<()> {
    let home = scene.cluster.primary()?;
    let mut stations = scene.cluster.others(&home.name);
    stations.reverse();
    stations.push(home);
    for target in stations {
        move_primary(&scene.cluster, &target.name)?;
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

/// `pcs resource move` of the promoted role, and the `clear` that old releases need.
pub fn move_primary(cluster: &Cluster, target: &str) -> Result<()> {
    let flag = cluster.options.release.promoted_flag();
    let clone = format!("{}-clone", MAIN.resource);
    cluster.pcs(&["resource", "move", &clone, target, &flag, "--wait=90"])?;
    cluster.pcs(&["resource", "clear", &clone]).map(drop)
}

/// Moves the primary while `on_the_way` happens; that the move fails of it is no error. The
/// command itself waits for the end of the move, and may leave its constraint.
pub fn move_during<T>(
    scene: &Scene,
    target: &str,
    on_the_way: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let seen = std::thread::scope(|scope| {
        let mover = scope.spawn(|| move_primary(&scene.cluster, target));
        let seen = on_the_way()?;
        if let Ok(Err(error)) = mover.join() {
            scene.steps.say(&format!("the move: {error:#}"));
        }
        anyhow::Ok(seen)
    })?;
    if let Err(error) = scene.pcs("resource clear pgsqld-clone") {
        scene.steps.say(&format!("nothing to clear: {error:#}"));
    }
    Ok(seen)
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
