//! Configuration that is wrong on one node: a running instance is never stopped for it, and no
//! other node suffers.
//!
//! A row is one of the table in docs/faults.md.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::machine::node::Node;
use crate::run::fault::signal_postmaster;
use crate::run::scene::Scene;

/// Rows 32 and 33, B1: a typo in postgresql.conf of the running primary. PostgreSQL refuses to
/// reload it, monitors go on; when the server has to start again, another node takes over and
/// nobody is fenced.
pub fn typo_on_the_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let before = scene.postmasters()?;
    let path = extra(scene);
    old.write(
        &path,
        "wal_level = = replica\n",
        "postgres:postgres",
        "0644",
    )?;
    reload(&old)?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    scene.cluster.wait_whole()?;
    ensure!(scene.postmasters()? == before, "PostgreSQL was restarted");
    scene.undisturbed()?;
    signal_postmaster(&scene.cluster, &old, "KILL")?;
    scene
        .steps
        .wait("another node to take over", PATIENCE, || {
            let new = scene.cluster.primary()?;
            ensure!(new != old, "{} is still promoted", old.name);
            Ok(())
        })?;
    scene.writes_go_on()?;
    scene.nobody_fenced()?;
    old.run(&["rm", &path])?;
    scene.pcs("resource cleanup")?;
    scene.cluster.rejoin_all()?;
    scene.nobody_fenced()
}

/// Rows 34 and 35: one standby calls itself otherwise than its node, the other is not let in by
/// the primary's pg_hba.conf. Neither is a candidate and neither is a failure; nothing moves, and
/// both follow again once an admin has put it right.
pub fn standbys_that_cannot_be_candidates(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let standbys = scene.cluster.standbys()?;
    let before = scene.postmasters()?;
    let path = call_otherwise(scene, &standbys[0])?;
    let hba = keep_out(scene, &primary, &standbys[1])?;
    for standby in &standbys {
        no_candidate(scene, standby)?;
    }
    scene.undisturbed()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.writes_go_on()?;
    standbys[0].run(&["rm", &path])?;
    reload(&standbys[0])?;
    primary.run(&["mv", &format!("{hba}.good"), &hba])?;
    reload(&primary)?;
    scene.cluster.wait_whole()?;
    ensure!(scene.postmasters()? == before, "PostgreSQL was restarted");
    scene.undisturbed()
}

fn call_otherwise(scene: &Scene, standby: &Node) -> Result<String> {
    let path = extra(scene);
    let text = format!(
        "primary_conninfo = 'host={} port={} user=postgres application_name=somebody'\n",
        MAIN.vip, MAIN.port
    );
    standby.write(&path, &text, "postgres:postgres", "0644")?;
    reload(standby)?;
    Ok(path)
}

fn keep_out(scene: &Scene, primary: &Node, standby: &Node) -> Result<String> {
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    let path = format!("{confdir}/pg_hba.conf");
    let rule = format!("host replication all {}/32 reject", standby.address());
    primary.run(&["cp", "-a", &path, &format!("{path}.good")])?;
    primary.run(&["sed", "-i", &format!("1i {rule}"), &path])?;
    reload(primary)?;
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = '{}'",
        standby.name
    );
    primary.sql(&end)?;
    Ok(path)
}

/// Row 36: the data directory of a standby is that of another database. It is never promoted,
/// also when the primary's node loses power.
pub fn foreign_database_joins(scene: &mut Scene) -> Result<()> {
    let (old, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let release = scene.cluster.options.release;
    standby.run_within(PATIENCE, &["pcs", "cluster", "stop"])?;
    let datadir = release.datadir(MAIN.name);
    let right = format!("{datadir}.right");
    standby.run(&["mv", &datadir, &right])?;
    let initdb = format!("{}/initdb", release.bindir());
    standby.as_postgres(&[&initdb, "-D", &datadir, "--no-sync", "--locale=C.UTF-8"])?;
    postgresql::mark_standby(&standby, release, &MAIN)?;
    scene.cluster.start_stack(std::slice::from_ref(&standby))?;
    scene.let_pass(Duration::from_secs(25), "one round of monitors");
    ensure!(scene.cluster.primary()? == old, "the primary moved");
    scene.writes_go_on()?;
    let mut candidates = scene.cluster.others(&old.name);
    candidates.retain(|node| *node != standby);
    scene.cut_power(&old)?;
    scene.cluster.wait_promoted_among(&candidates, PATIENCE)?;
    scene.writes_go_on()?;
    let clone = format!("{}-clone", MAIN.resource);
    scene.pcs(&format!("resource ban {clone} {}", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    standby.run(&["rm", "-rf", &datadir])?;
    standby.run(&["mv", &right, &datadir])?;
    scene.pcs(&format!("resource clear {clone} {}", standby.name))?;
    // PostgreSQL does not start twice on another database's data: that failure stays on record.
    scene.pcs("resource cleanup")?;
    scene.cluster.rejoin_all()?;
    scene.clean_up()
}

/// A file that PostgreSQL reads after its others.
fn extra(scene: &Scene) -> String {
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    format!("{confdir}/conf.d/zz-test.conf")
}

fn reload(node: &Node) -> Result<()> {
    node.sql("SELECT pg_reload_conf()").map(drop)
}

fn no_candidate(scene: &Scene, standby: &Node) -> Result<()> {
    let what = format!("{} to be no candidate", standby.name);
    scene.steps.wait(&what, PATIENCE, || {
        let state = scene.cluster.state()?;
        let score = state.score(MAIN.resource, &standby.name).unwrap_or("-1");
        ensure!(score.starts_with('-'), "its promotion score is {score}");
        Ok(())
    })
}
