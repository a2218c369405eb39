//! What people do to PostgreSQL behind Pacemaker's back, and standbys that cannot follow.
//!
//! A row is one of the table in docs/faults.md.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::machine::node::Node;
use crate::run::fault::use_up_wal;
use crate::run::scene::Scene;

/// Row 38: somebody promotes a standby by hand. At its next monitor it is found and stopped as a
/// primary; the real one goes on, and has every row. Nothing but its promotion score keeps the
/// role where it is.
pub fn standby_promoted_by_hand(scene: &mut Scene) -> Result<()> {
    scene.pcs("resource defaults update resource-stickiness=0")?;
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    standby.sql("SELECT pg_promote()")?;
    standby.sql("SET synchronous_commit TO local; CREATE TABLE written_by_mistake()")?;
    scene.wait_standby(&standby)?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    let is_elected = |node: &Node| -> Result<bool> {
        let words = [
            "crm_attribute",
            "-N",
            &node.name,
            "-n",
            "reign-pgsqld",
            "-G",
        ];
        Ok(primary.output(&words)?.success())
    };
    ensure!(is_elected(&primary)?, "the primary has no reign on record");
    ensure!(!is_elected(&standby)?, "it counts as elected");
    scene.writes_go_on()?;
    // Its branch is one that nobody elected: the row's manual step is to rewind it.
    scene.cluster.rewind(&standby)?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.clean_up()
}

/// Row 30: the primary has no longer the WAL that a standby needs. It is no candidate, the
/// others go on; it follows again once it is built anew.
pub fn standby_without_its_wal(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    scene.cluster.cut_replication(&standby, &MAIN)?;
    primary.sql("ALTER SYSTEM SET wal_keep_size = 0")?;
    primary.sql("SELECT pg_reload_conf()")?;
    for _ in 0..3 {
        use_up_wal(&primary, 8)?;
        primary.sql("CHECKPOINT")?;
    }
    scene.cluster.heal_network()?;
    let what = format!("{} to be no candidate", standby.name);
    scene.steps.wait(&what, PATIENCE, || {
        let state = scene.cluster.state()?;
        let score = state.score(MAIN.resource, &standby.name).unwrap_or("-1");
        ensure!(score.starts_with('-'), "its promotion score is {score}");
        Ok(())
    })?;
    scene.writes_go_on()?;
    scene.undisturbed()?;
    build_anew(scene, &standby)?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.undisturbed()
}

fn build_anew(scene: &Scene, node: &Node) -> Result<()> {
    scene.pcs(&format!(
        "resource ban pgsqld-clone {} --wait=60",
        node.name
    ))?;
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    postgresql::base_backup(node, &MAIN.vip.to_string(), &MAIN, &datadir)?;
    let auto = format!("{datadir}/postgresql.auto.conf");
    node.write(&auto, "", "postgres:postgres", "0600")?;
    scene
        .pcs(&format!("resource clear pgsqld-clone {}", node.name))
        .map(drop)
}

/// Row 41: the node that a switchover goes to loses power on the way. The old primary gets its
/// role back.
pub fn target_of_a_switchover_dies(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let target = scene.cluster.others(&old.name).swap_remove(0);
    scene.move_during(&target.name, || dies_on_the_way(scene, &old, &target))?;
    scene.cluster.rejoin_all()?;
    scene.only_fenced(&target.name)
}

fn dies_on_the_way(scene: &Scene, old: &Node, target: &Node) -> Result<()> {
    let limit = Duration::from_secs(30);
    scene.steps.wait("the old primary to go", limit, || {
        let writable = old.sql("SELECT NOT pg_is_in_recovery()");
        ensure!(!writable.is_ok_and(|yes| yes == "t"), "it is writable");
        Ok(())
    })?;
    scene.cluster.power.off(&target.name)?;
    scene.steps.wait("a primary", PATIENCE, || {
        let primary = scene.cluster.primary()?;
        ensure!(primary != *target, "still {}", primary.name);
        Ok(())
    })?;
    scene.writes_go_on()
}
