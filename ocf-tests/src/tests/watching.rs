//! The monitor that waits for a crash of the primary: it is noticed when it happens, nothing else
//! is taken for one, and nobody waits for that monitor.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::{self, MAIN};
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// One wait and the pause behind it, and the first run, which does not wait.
const ROUND: Duration = Duration::from_secs(15);
/// What clients lose by a crash that is noticed at once, on a machine that does other things too.
const SHORT: Duration = Duration::from_secs(4);

/// kill -9 of the primary's postmaster while a monitor waits for it, and no other comes soon: it
/// is promoted again where it is, three times.
pub fn crash_is_noticed_at_once(scene: &mut Scene) -> Result<()> {
    // A monitor that does not wait would come within 5 s.
    scene.cluster.watch_primary_each("5s")?;
    let primary = scene.cluster.primary()?;
    for _ in 0..3 {
        kill_while_watched(scene, &primary)?;
        let downtime = scene.downtime()?;
        ensure!(downtime < SHORT, "clients were blocked for {downtime:?}");
        scene.clean_up()?;
    }
    scene.nobody_fenced()
}

/// After `on-fail=demote` Pacemaker 2.1 begins the monitors of the new primary only in its next
/// transition: they must be back within seconds, and notice the next crash.
pub fn monitors_are_back_after_a_crash(scene: &mut Scene) -> Result<()> {
    scene.cluster.watch_primary()?;
    let primary = scene.cluster.primary()?;
    for _ in 0..2 {
        kill_while_watched(scene, &primary)?;
        scene.cluster.wait_watched(&primary, ROUND)?;
    }
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.nobody_fenced()?;
    scene.clean_up()
}

/// `pg_ctl restart` of the primary, by somebody who does not think of Pacemaker.
pub fn restart_by_hand_is_no_failure(scene: &mut Scene) -> Result<()> {
    scene.cluster.watch_primary()?;
    let primary = scene.cluster.primary()?;
    for _ in 0..3 {
        scene.cluster.wait_watched(&primary, ROUND)?;
        restart(scene, &primary)?;
        scene.cluster.wait_watched(&primary, ROUND)?;
    }
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.undisturbed()
}

/// In maintenance mode nobody watches: a restart and a crash are the admin's own business. Behind
/// it the new postmaster is watched.
pub fn maintenance_mode_hides_everything(scene: &mut Scene) -> Result<()> {
    scene.cluster.watch_primary()?;
    let primary = scene.cluster.primary()?;
    scene.cluster.wait_watched(&primary, ROUND)?;
    scene.pcs("property set maintenance-mode=true")?;
    scene.settle_pacemaker()?;
    restart(scene, &primary)?;
    let postmaster = scene.cluster.postmaster(&primary, &MAIN)?;
    primary.run(&["kill", "-9", &postmaster.to_string()])?;
    scene.steps.wait("it to be gone", ROUND, || {
        let left = primary.output(&["pgrep", "-u", "postgres", "postgres"])?;
        ensure!(left.code == 1, "processes {}", left.stdout);
        Ok(())
    })?;
    let release = scene.cluster.options.release;
    postgresql::control(&primary, release, &MAIN, "start")?;
    scene.cluster.wait_whole()?;
    let before = scene.postmasters()?;
    scene.pcs("property set maintenance-mode=false")?;
    scene.settle_pacemaker()?;
    scene.cluster.wait_watched(&primary, ROUND)?;
    ensure!(
        scene.postmasters()? == before,
        "Pacemaker restarted PostgreSQL"
    );
    scene.undisturbed()
}

/// What Pacemaker does to the primary ends the monitor that waits, and what it does to a standby
/// waits for it once at most.
pub fn nobody_waits_for_the_monitor(scene: &mut Scene) -> Result<()> {
    scene.cluster.watch_primary()?;
    let primary = scene.cluster.primary()?;
    scene.cluster.wait_watched(&primary, ROUND)?;
    let standby = scene.a_standby()?;
    let begin = std::time::Instant::now();
    scene.pcs(&format!("resource cleanup pgsqld node={}", standby.name))?;
    scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
    scene.pcs(&format!("node unstandby {} --wait=60", standby.name))?;
    scene.cluster.wait_whole()?;
    let took = begin.elapsed();
    scene
        .steps
        .say(&format!("the standby went and came in {took:?}"));
    ensure!(took < Duration::from_secs(40), "it took {took:?}");
    let client = scene.client.as_ref().context("no client")?;
    client.reset_downtime();
    scene.cluster.wait_watched(&primary, ROUND)?;
    scene.cluster.move_primary(&standby.name)?;
    scene.cluster.wait_promoted(&standby.name)?;
    scene.writes_go_on()?;
    let downtime = scene.downtime()?;
    ensure!(
        downtime < SHORT,
        "the move blocked clients for {downtime:?}"
    );
    scene.cluster.wait_watched(&standby, ROUND)?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

fn kill_while_watched(scene: &Scene, primary: &Node) -> Result<()> {
    scene.cluster.wait_watched(primary, ROUND)?;
    let client = scene.client.as_ref().context("no client")?;
    client.reset_downtime();
    let postmaster = scene.cluster.postmaster(primary, &MAIN)?;
    scene
        .steps
        .say(&format!("kill -9 of the postmaster on {}", primary.name));
    primary.run(&["kill", "-9", &postmaster.to_string()])?;
    scene.wait_failure(primary, "pgsqld_monitor")?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    ensure!(scene.cluster.primary()? == *primary, "the primary moved");
    let downtime = scene.downtime()?;
    scene
        .steps
        .say(&format!("clients were blocked for {downtime:?}"));
    Ok(())
}

fn restart(scene: &Scene, node: &Node) -> Result<()> {
    scene
        .steps
        .say(&format!("restarting PostgreSQL on {} by hand", node.name));
    postgresql::control(node, scene.cluster.options.release, &MAIN, "restart")
}
