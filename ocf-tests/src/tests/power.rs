//! Power cuts: fencing confirms the death, clients go on, the node comes back by itself. Where each
//! node has disks of its own, a cut loses what was not fsynced.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::machine::disk::{MOUNT, RECORD};
use crate::machine::node::Node;
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

/// Power cut of the primary with disks that lose what is only in memory: a file that was fsynced
/// is there afterwards, one that was not is gone, and no acknowledged row is missing.
pub fn cut_loses_what_was_not_fsynced(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    for place in [MOUNT, RECORD] {
        let script = format!(
            "echo there > {place}/synced && sync {place}/synced && echo there > {place}/unsynced"
        );
        old.run(&["sh", "-c", &script])?;
        ensure!(is_there(&old, place, "unsynced")?, "it was not written");
    }
    scene.cut_power(&old)?;
    scene.writes_go_on()?;
    scene.cluster.rejoin(&old)?;
    for place in [MOUNT, RECORD] {
        ensure!(
            is_there(&old, place, "synced")?,
            "{place}: fsynced and gone"
        );
        let survived = is_there(&old, place, "unsynced")?;
        ensure!(!survived, "{place}: not fsynced and still there");
    }
    ensure!(scene.cluster.primary()? != old, "the primary moved back");
    scene.only_fenced(&old.name)
}

/// An empty file is not there: its name may have been written along with another file's.
fn is_there(node: &Node, place: &str, name: &str) -> Result<bool> {
    let out = node.output(&["cat", &format!("{place}/{name}")])?;
    Ok(out.success() && out.stdout.contains("there"))
}
