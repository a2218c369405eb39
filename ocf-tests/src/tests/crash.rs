//! PostgreSQL dies or is stopped behind Pacemaker's back: it comes back and nobody is fenced.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::node::Node;
use crate::postgresql::{self, MAIN};
use crate::scene::Scene;

/// kill -9 of the primary's postmaster: recovered in place or elsewhere, without loss.
pub fn kill_postmaster_of_primary(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    kill_postmaster(scene, &victim)?;
    primary_recovers(scene, &victim)
}

/// kill -9 of a standby's postmaster: it is started again, clients notice nothing.
pub fn kill_postmaster_of_standby(scene: &mut Scene) -> Result<()> {
    let victim = scene.a_standby()?;
    kill_postmaster(scene, &victim)?;
    standby_recovers(scene, &victim)
}

/// A clean pg_ctl stop of the primary that Pacemaker knows nothing of.
pub fn pg_ctl_stop_of_primary(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    stop_by_hand(scene, &victim)?;
    primary_recovers(scene, &victim)
}

/// A clean pg_ctl stop of a standby that Pacemaker knows nothing of.
pub fn pg_ctl_stop_of_standby(scene: &mut Scene) -> Result<()> {
    let victim = scene.a_standby()?;
    stop_by_hand(scene, &victim)?;
    standby_recovers(scene, &victim)
}

fn kill_postmaster(scene: &Scene, victim: &Node) -> Result<()> {
    let postmaster = scene.cluster.postmaster(victim, &MAIN)?;
    scene
        .steps
        .say(&format!("kill -9 of the postmaster on {}", victim.name));
    victim
        .run(&["kill", "-9", &postmaster.to_string()])
        .map(drop)
}

fn stop_by_hand(scene: &Scene, victim: &Node) -> Result<()> {
    scene
        .steps
        .say(&format!("pg_ctl stop on {} by hand", victim.name));
    postgresql::control(victim, scene.cluster.options.release, &MAIN, "stop")
}

/// Before the cluster is judged whole, Pacemaker must have noticed: a failure is on record.
fn wait_noticed(scene: &Scene, victim: &Node) -> Result<()> {
    let what = format!("Pacemaker to notice on {}", victim.name);
    scene.steps.wait(&what, Duration::from_secs(60), || {
        let state = scene.cluster.state()?;
        ensure!(
            state
                .failures
                .iter()
                .any(|line| line.contains(&victim.name)),
            "no failure yet"
        );
        Ok(())
    })
}

fn primary_recovers(scene: &Scene, victim: &Node) -> Result<()> {
    wait_noticed(scene, victim)?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    let primary = scene.cluster.primary()?;
    scene.steps.say(&format!(
        "{} failed, {} is primary now",
        victim.name, primary.name
    ));
    scene.nobody_fenced()?;
    only_failed_on(scene, victim)?;
    scene.clean_up()
}

fn standby_recovers(scene: &Scene, victim: &Node) -> Result<()> {
    let primary = scene.cluster.primary()?;
    wait_noticed(scene, victim)?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    scene.nobody_fenced()?;
    only_failed_on(scene, victim)?;
    scene.clean_up()
}

/// The one failure on record is the monitor that saw the dead server.
fn only_failed_on(scene: &Scene, victim: &Node) -> Result<()> {
    let failures = scene.cluster.state()?.failures;
    let expected = |line: &String| {
        line.starts_with("pgsqld_monitor") && line.contains(&format!(" on {}:", victim.name))
    };
    ensure!(
        failures.iter().all(expected),
        "failed actions: {}",
        failures.join("; ")
    );
    Ok(())
}
