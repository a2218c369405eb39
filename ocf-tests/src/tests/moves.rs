//! Switchovers: the promoted role moves on request, and the address follows.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// A switchover must not take longer.
const FAILOVER: Duration = Duration::from_secs(60);
/// Far less than the neighbour takes.
const SHORT: Duration = Duration::from_secs(5);

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

/// A resource of somebody else, whose start takes 8 s, is started in the same transition in which
/// the role moves. A promotion writes to the configuration, and Pacemaker then plans anew once all
/// is done that goes on: clients do not wait for that.
pub fn slow_neighbour_does_not_hold_up_the_address(scene: &mut Scene) -> Result<()> {
    let (primary, target) = (scene.cluster.primary()?, scene.a_standby()?);
    let role = scene.cluster.options.release.promoted;
    scene.pcs(
        "resource create slow ocf:pacemaker:Dummy op_sleep=8 op start timeout=30s \
         op stop timeout=30s op monitor interval=300s timeout=30s --disabled",
    )?;
    scene.settle_pacemaker()?;
    scene.pcs("cluster cib /root/move.xml")?;
    scene.pcs("-f /root/move.xml resource enable slow")?;
    scene.pcs(&format!(
        "-f /root/move.xml constraint location pgsqld-clone rule constraint-id=away role={role} \
         score=INFINITY #uname eq {}",
        target.name
    ))?;
    let before = scene.downtime()?;
    scene.pcs("cluster cib-push /root/move.xml --config")?;
    scene
        .cluster
        .wait_promoted_among(std::slice::from_ref(&target), FAILOVER)?;
    scene.settle_pacemaker()?;
    scene.writes_go_on()?;
    let blocked = scene.downtime()?;
    scene.steps.say(&format!(
        "clients of {} were blocked for {blocked:?} (before: {before:?})",
        primary.name
    ));
    ensure!(blocked < SHORT, "clients were blocked for {blocked:?}");
    scene.pcs("constraint delete away")?;
    scene.pcs("resource delete slow --force")?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

/// The target of a move lacks what the primary holds, and nobody clears the constraint: the role
/// comes back after one try, and moves once the target has caught up.
pub fn refused_move_waits_for_its_target(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let target = &stage.favourite;
    stage.disconnect(&[target, &stage.other])?;
    stage.write_rows(&stage.primary, 50)?;
    let rows = stage.rows(&stage.primary)?;
    stage.prefer(target)?;
    stage.release()?;
    let state = scene.cluster.state()?;
    let tries = format!("{} on {}: 1", MAIN.resource, target.name);
    ensure!(
        state.fail_counts == [tries],
        "failed: {:?}",
        state.fail_counts
    );
    ensure!(
        scene.cluster.primary()? == stage.primary,
        "the role did not come back"
    );
    ensure!(
        state.score(MAIN.resource, &target.name) == Some("-1000001"),
        "the target may be tried again"
    );
    scene.cluster.heal_network()?;
    scene
        .cluster
        .wait_promoted_among(std::slice::from_ref(target), PATIENCE)?;
    stage.wait_rows(target, rows)?;
    stage.no_wish()?;
    scene.pcs("resource cleanup")?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

/// A move to a standby that has been away for longer than a minute: Pacemaker leaves the role
/// where it is, and clients notice nothing.
pub fn move_to_a_standby_that_is_away_costs_nothing(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let target = &stage.other;
    stage.disconnect(&[target])?;
    scene.steps.wait(
        "the standby to be excluded",
        Duration::from_secs(150),
        || {
            let state = scene.cluster.state()?;
            let score = state.score(MAIN.resource, &target.name);
            ensure!(score.is_some_and(|text| text.starts_with('-')), "{score:?}");
            Ok(())
        },
    )?;
    let before = scene.downtime()?;
    stage.prefer(target)?;
    stage.settle()?;
    scene.writes_go_on()?;
    ensure!(
        scene.cluster.primary()? == stage.primary,
        "the role has moved"
    );
    let blocked = scene.downtime()?;
    ensure!(
        blocked == before,
        "clients were blocked for {blocked:?} (before: {before:?})"
    );
    scene.undisturbed()?;
    stage.no_wish()?;
    scene.cluster.heal_network()?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}
