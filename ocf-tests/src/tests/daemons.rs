//! Daemons of the cluster stack that die, fencing that does not work, and a stack that is
//! stopped and started above a running database.
//!
//! A row is one of the table in docs/faults.md.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::{Node, on_each};
use crate::run::fault::{DAEMONS, Fault};
use crate::run::scene::Scene;

/// Row 42, one daemon after the other on the primary: the cluster recovers with its database
/// untouched, or fences the node and goes on elsewhere.
pub fn each_killed_at_the_primary(scene: &mut Scene) -> Result<()> {
    DAEMONS
        .iter()
        .try_for_each(|name| survives_death_of(scene, name))
}

/// Row 42 for the two daemons whose death costs most.
pub fn controld_and_corosync_killed_at_the_primary(scene: &mut Scene) -> Result<()> {
    survives_death_of(scene, "pacemaker-controld")?;
    survives_death_of(scene, "corosync")
}

fn survives_death_of(scene: &Scene, daemon: &'static str) -> Result<()> {
    let victim = scene.cluster.primary()?;
    let before = scene.postmasters()?;
    let fenced = scene.cluster.power.fencings()?.len();
    scene
        .steps
        .say(&format!("kill -9 of {daemon} on {}", victim.name));
    Fault::Daemon(daemon).inject(&scene.cluster, &victim)?;
    scene.let_pass(Duration::from_secs(12), "the cluster to react");
    scene.cluster.rejoin_all()?;
    scene.writes_go_on()?;
    let fencings = scene.cluster.power.fencings()?;
    if fencings.len() == fenced {
        ensure!(
            scene.postmasters()? == before,
            "{daemon}: PostgreSQL was restarted although nobody was fenced"
        );
        ensure!(
            scene.cluster.primary()? == victim,
            "{daemon}: the primary moved although nobody was fenced"
        );
    }
    let others = fencings[fenced..].iter().filter(|f| f.node != victim.name);
    ensure!(others.count() == 0, "{daemon}: fenced: {fencings:?}");
    scene.clean_up()
}

/// B9: the daemon that keeps attributes hangs on the primary's node for a while in which a standby
/// loses its connection, so the monitor of the primary has something to tell. It ends in time all
/// the same. (When a node leaves, Pacemaker 2.1.5 itself does not survive such a daemon: its
/// controller gives up after 5 s, and the node is fenced.)
pub fn attribute_daemon_hangs(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let before = scene.cluster.postmaster(&primary, &MAIN)?;
    let daemon = primary.run(&["pidof", "pacemaker-attrd"])?;
    primary.run(&["kill", "-STOP", daemon.trim()])?;
    scene.cluster.cut_replication(&standby, &MAIN)?;
    scene.let_pass(Duration::from_secs(32), "two rounds of monitors");
    // Pacemaker may have killed it by then and started another one.
    let _ = primary.output(&["kill", "-CONT", daemon.trim()]);
    scene.cluster.heal_network()?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    let after = scene.cluster.postmaster(&primary, &MAIN)?;
    ensure!(after == before, "PostgreSQL was restarted");
    scene.undisturbed()
}

/// Row 52: the power switch does not obey, so nobody knows whether the primary is dead: nobody
/// is promoted until it does.
pub fn broken_fencing_stops_the_promotion(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    scene.cluster.power.break_fencing(true)?;
    scene.cluster.power.off(&old.name)?;
    scene.let_pass(Duration::from_secs(40), "fencing to fail");
    for node in scene.cluster.others(&old.name) {
        let recovery = node.sql("SELECT pg_is_in_recovery()")?;
        ensure!(recovery == "t", "{} was promoted", node.name);
    }
    scene.cluster.power.break_fencing(false)?;
    let rest = scene.cluster.others(&old.name);
    // The row's manual step: Pacemaker gives up after ten attempts (stonith-max-attempts).
    scene.pcs(&format!("stonith fence {}", old.name))?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

/// Row 43: under maintenance the cluster stack of all nodes is stopped and started while
/// PostgreSQL serves its clients. It is found as it is.
pub fn stack_restarted_above_a_running_database(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let before = scene.postmasters()?;
    scene.pcs("property set maintenance-mode=true")?;
    scene.let_pass(Duration::from_secs(2), "the property to spread");
    on_each(&scene.cluster.nodes, |node: &Node| {
        node.run_within(PATIENCE, &["pcs", "cluster", "stop", "--force"])
            .map(drop)
    })?;
    ensure!(scene.postmasters()? == before, "PostgreSQL was restarted");
    scene.cluster.start_stack(&scene.cluster.nodes)?;
    let words = ["crm_resource", "--wait", "--timeout=60"];
    scene.steps.wait("Pacemaker to answer", PATIENCE, || {
        scene.cluster.any()?.run_within(PATIENCE, &words).map(drop)
    })?;
    scene.pcs("property set maintenance-mode=false")?;
    scene.cluster.wait_whole()?;
    scene.let_pass(Duration::from_secs(17), "one round of monitors");
    scene.cluster.wait_whole()?;
    ensure!(scene.postmasters()? == before, "PostgreSQL was restarted");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    scene.undisturbed()
}
