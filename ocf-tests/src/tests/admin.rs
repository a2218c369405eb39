//! What operators do on purpose: none of it may cost a failure, a fencing or a row.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::run::scene::Scene;

/// In it each node has two monitors.
const MONITORS: Duration = Duration::from_secs(40);

/// The cluster has never run before; the node that was a primary last becomes the primary.
/// Wiping the record of all resources afterwards changes nothing.
pub fn first_start_cleanup_and_refresh(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    ensure!(
        primary.name == "srv1",
        "{} was promoted, but srv1 was primed",
        primary.name
    );
    let before = scene.postmasters()?;
    for action in ["cleanup", "refresh"] {
        scene.pcs(&format!("resource {action} pgsqld-clone"))?;
        scene.settle_pacemaker()?;
        scene.cluster.wait_whole()?;
        ensure!(
            scene.postmasters()? == before,
            "{action} restarted PostgreSQL"
        );
        ensure!(
            scene.cluster.primary()? == primary,
            "{action} moved the primary"
        );
    }
    let downtime = scene.downtime()?;
    ensure!(
        downtime < Duration::from_secs(1),
        "clients were held up for {downtime:?}"
    );
    scene.undisturbed()
}

/// Without fencing two primaries are possible, and no agent can make up for it: the new primary
/// says so, and only then.
pub fn promotion_without_fencing_is_said(scene: &mut Scene) -> Result<()> {
    let said = "grep -c 'Promoted with fencing disabled' /var/log/pacemaker/pacemaker.log || true";
    let first = scene.a_standby()?;
    scene.cluster.move_primary(&first.name)?;
    scene.cluster.wait_whole()?;
    // The monitor that takes the vote back is the one that looks for fencing.
    let vote = [
        "attrd_updater",
        "--query",
        "--name",
        "vote-pgsqld",
        "--node",
        &first.name,
    ];
    scene.steps.wait("the look for fencing", MONITORS, || {
        let held = first.output(&vote)?.stdout;
        ensure!(!held.contains("sys="), "it holds its vote: {held}");
        Ok(())
    })?;
    let before = first.run(&["sh", "-c", said])?;
    ensure!(before.trim() == "0", "said with fencing: {before}");
    scene.pcs("property set stonith-enabled=false")?;
    let second = scene.a_standby()?;
    scene.cluster.move_primary(&second.name)?;
    scene.cluster.wait_whole()?;
    // Not in the way of the clients: a later monitor says it.
    scene.steps.wait("a word of fencing", MONITORS, || {
        let of_new = second.run(&["sh", "-c", said])?;
        ensure!(of_new.trim() != "0", "not a word by {}", second.name);
        Ok(())
    })?;
    let of_old = first.run(&["sh", "-c", said])?;
    ensure!(of_old.trim() == "0", "{} says it as well", first.name);
    scene.pcs("property set stonith-enabled=true")?;
    scene.undisturbed()
}

/// The resource is disabled and enabled again: all stops, and the same primary comes back.
pub fn disable_and_enable(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    scene.pcs("resource disable pgsqld-clone --wait=60")?;
    scene.wait_stopped(&MAIN, &scene.cluster.nodes)?;
    scene.undisturbed()?;
    scene.pcs("resource enable pgsqld-clone --wait=60")?;
    scene.cluster.wait_whole()?;
    ensure!(
        scene.cluster.primary()? == primary,
        "another primary came back"
    );
    scene.undisturbed()
}

/// The whole cluster is stopped at once and started again.
pub fn stop_all_and_start_all(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    scene.cluster.start_pcsd()?;
    scene.pcs("cluster stop --all")?;
    scene.wait_stopped(&MAIN, &scene.cluster.nodes)?;
    ensure!(
        scene.cluster.any().is_err(),
        "Pacemaker still runs somewhere"
    );
    primary.run_within(PATIENCE, &["pcs", "cluster", "start", "--all"])?;
    scene.cluster.wait_whole()?;
    ensure!(
        scene.cluster.primary()? == primary,
        "another primary came back"
    );
    scene.undisturbed()
}

/// The cluster stack of a standby's node is stopped and started: clients notice nothing.
pub fn stop_and_start_of_a_standby(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let rest = scene.cluster.others(&standby.name);
    standby.run_within(PATIENCE, &["pcs", "cluster", "stop"])?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.cluster.start_stack(std::slice::from_ref(&standby))?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    scene.undisturbed()
}

/// The cluster stack of the primary's node is stopped: a standby takes over, and the node
/// comes back as a standby.
pub fn stop_and_start_of_the_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    old.run_within(PATIENCE, &["pcs", "cluster", "stop"])?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.cluster.start_stack(std::slice::from_ref(&old))?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? != old, "the primary moved back");
    scene.undisturbed()
}

/// The primary's node goes to standby and back.
pub fn node_standby_of_the_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    scene.pcs(&format!("node standby {} --wait=60", old.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&old))?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.pcs(&format!("node unstandby {} --wait=60", old.name))?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? != old, "the primary moved back");
    scene.undisturbed()
}

/// A standby's node goes to standby and back: clients notice nothing.
pub fn node_standby_of_a_standby(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let rest = scene.cluster.others(&standby.name);
    scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.pcs(&format!("node unstandby {} --wait=60", standby.name))?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    scene.undisturbed()
}

/// Under maintenance PostgreSQL is restarted by hand, on the primary and on a standby;
/// when Pacemaker takes over again it leaves all as it is.
pub fn restart_under_maintenance(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    scene.pcs("property set maintenance-mode=true")?;
    scene.settle_pacemaker()?;
    for node in [&standby, &primary] {
        scene
            .steps
            .say(&format!("restarting PostgreSQL on {} by hand", node.name));
        let release = scene.cluster.options.release;
        postgresql::control(node, release, &MAIN, "stop")?;
        postgresql::control(node, release, &MAIN, "start")?;
    }
    scene.cluster.wait_whole()?;
    let before = scene.postmasters()?;
    scene.pcs("property set maintenance-mode=false")?;
    scene.settle_pacemaker()?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    scene.cluster.wait_whole()?;
    ensure!(
        scene.postmasters()? == before,
        "Pacemaker restarted PostgreSQL"
    );
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.undisturbed()
}
