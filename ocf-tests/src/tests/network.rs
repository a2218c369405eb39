//! Networks that lose packets: some, in one direction, or between some.
//!
//! A row is one of the table in docs/faults.md.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::network;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// Row 16: the primary loses its peers while clients reach it. It is fenced before anybody is
/// promoted, and no commit that it acknowledged meanwhile is lost.
pub fn primary_without_peers_but_with_clients(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    for peer in scene.cluster.others(&old.name) {
        drop_between(scene, &old, &peer, "")?;
    }
    fenced_and_replaced(scene, &old)
}

/// Row 19: corosync's packets are lost, replication goes on: the same as a lost node.
pub fn corosync_of_the_primary_cut(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    for peer in scene.cluster.others(&old.name) {
        drop_between(scene, &old, &peer, "udp dport 5405")?;
    }
    fenced_and_replaced(scene, &old)
}

/// With `no-quorum-policy=demote` a primary that loses its peers is demoted, and fenced by them:
/// the order does not matter, no row is lost and it comes back.
pub fn minority_under_the_policy_demote(scene: &mut Scene) -> Result<()> {
    scene.pcs("property set no-quorum-policy=demote")?;
    let old = scene.cluster.primary()?;
    for peer in scene.cluster.others(&old.name) {
        drop_between(scene, &old, &peer, "")?;
    }
    fenced_and_replaced(scene, &old)
}

/// Row 17: packets of replication from the primary to one standby are lost, those in the other
/// direction are not. Nothing moves, and the standby catches up by itself.
pub fn replication_lost_in_one_direction(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let rule = format!(
        "ip saddr {} ip daddr {} tcp sport {} drop",
        MAIN.vip,
        standby.address(),
        MAIN.port
    );
    network::filter(scene.cluster.power.pid(), &rule)?;
    scene.let_pass(Duration::from_secs(35), "two rounds of monitors");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.writes_go_on()?;
    scene.undisturbed()?;
    scene.cluster.heal_network()?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// Rows 18, 22 and 51: both standbys cannot be reached by replication, so synchronous commits
/// hang. Monitors do not hang with them, nothing moves; a crash of all backends meanwhile is
/// PostgreSQL's own matter, and no commit is acknowledged before a standby has it.
pub fn commits_hang_without_standbys(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let before = scene.cluster.postmaster(&primary, &MAIN)?;
    for standby in scene.cluster.others(&primary.name) {
        scene.cluster.cut_replication(&standby, &MAIN)?;
    }
    scene.let_pass(Duration::from_secs(25), "commits hang");
    let hung = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' LIMIT 1";
    let backend = primary.sql(hung)?;
    ensure!(!backend.is_empty(), "no commit waits for a standby");
    primary.run(&["kill", "-9", &backend])?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.cluster.heal_network()?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    let after = scene.cluster.postmaster(&primary, &MAIN)?;
    ensure!(after == before, "PostgreSQL was restarted");
    scene.undisturbed()
}

/// B8: no standby was connected for more than a minute when the primary's node lost power. How
/// much each lacks is not known, so none is promoted unasked; each says so, with the command that
/// an admin may choose. Once the last primary is back the cluster is whole by itself.
pub fn excluded_standbys_wait_for_the_last_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    for standby in &rest {
        scene.cluster.cut_replication(standby, &MAIN)?;
    }
    let (what, limit) = ("the standbys to be excluded", Duration::from_secs(200));
    scene.steps.wait(what, limit, || {
        let state = scene.cluster.state()?;
        for standby in &rest {
            let score = state.score(MAIN.resource, &standby.name).unwrap_or("none");
            ensure!(score.starts_with('-'), "{}: {score}", standby.name);
        }
        Ok(())
    })?;
    scene.cluster.power.off(&old.name)?;
    scene.cluster.heal_network()?;
    scene.steps.wait("the standbys to explain", PATIENCE, || {
        let log = rest[0].run(&["cat", "/var/log/pacemaker/pacemaker.log"])?;
        ensure!(log.contains("No node may be promoted"), "not a word");
        Ok(())
    })?;
    for standby in &rest {
        let recovery = standby.sql("SELECT pg_is_in_recovery()")?;
        ensure!(recovery == "t", "{} was promoted", standby.name);
    }
    scene.cluster.rejoin_all()?;
    scene.writes_go_on()?;
    scene.only_fenced(&old.name)
}

/// Drops packets between two nodes, in both directions; the bridge itself, where clients and
/// the power switch are, is not between them.
fn drop_between(scene: &Scene, one: &Node, other: &Node, which: &str) -> Result<()> {
    let mut ways = [(one, other), (other, one)].into_iter();
    ways.try_for_each(|(from, to)| {
        let (from, to) = (from.machine(), to.machine());
        let rule = format!(
            "iifname {} oifname {} {which} drop",
            network::cable(&from),
            network::cable(&to)
        );
        network::filter(scene.cluster.power.pid(), &rule)
    })
}

fn fenced_and_replaced(scene: &Scene, old: &Node) -> Result<()> {
    let rest = scene.cluster.others(&old.name);
    let what = format!("{} to be fenced", old.name);
    scene.steps.wait(&what, PATIENCE, || {
        let fencings = scene.cluster.power.fencings()?;
        ensure!(!fencings.is_empty(), "no request so far");
        Ok(())
    })?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.cluster.heal_network()?;
    scene.cluster.rejoin(old)?;
    scene.only_fenced(&old.name)
}
