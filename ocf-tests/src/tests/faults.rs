//! Faults of the network, of single processes, and of everything at once.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::cluster::{PATIENCE, prepare};
use crate::machine::node::on_each;
use crate::run::scene::Scene;

/// The primary's cable is pulled: the others have it fenced before they promote, nothing
/// acknowledged is lost, and the node comes back as a standby.
pub fn cable_of_the_primary_pulled(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    scene
        .steps
        .say(&format!("pulling the cable of {}", old.name));
    old.plug(false)?;
    let rest = scene.cluster.others(&old.name);
    scene
        .steps
        .wait(&format!("{} to be fenced", old.name), PATIENCE, || {
            ensure!(
                !scene.cluster.power.fencings()?.is_empty(),
                "no request so far"
            );
            Ok(())
        })?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    // A fenced node boots with its cable plugged in.
    scene.cluster.rejoin(&old)?;
    ensure!(scene.cluster.primary()? != old, "the primary moved back");
    scene.only_fenced(&old.name)
}

/// The replication network of a standby breaks while corosync goes on: nothing moves, and
/// once it is healed the standby catches up by itself.
pub fn replication_of_a_standby_cut(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    scene.cluster.cut_replication(&standby, &MAIN)?;
    scene.let_pass(
        Duration::from_secs(35),
        "two rounds of monitors without replication",
    );
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.undisturbed()?;
    scene.cluster.heal_network()?;
    scene.cluster.wait_whole()?;
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    scene.undisturbed()
}

/// kill -9 of one backend: the postmaster restarts all of them by itself, which is no
/// business of the cluster.
pub fn kill_a_backend(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let before = scene.cluster.postmaster(&primary, &MAIN)?;
    let query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lab_client' LIMIT 1";
    let backend = primary.sql(query)?;
    ensure!(!backend.is_empty(), "the client has no backend");
    primary.run(&["kill", "-9", &backend])?;
    scene.writes_go_on()?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    scene.cluster.wait_whole()?;
    ensure!(
        scene.cluster.postmaster(&primary, &MAIN)? == before,
        "PostgreSQL was restarted"
    );
    scene.undisturbed()
}

/// All connections are taken by clients: the monitor gets a reserved one, nothing is restarted.
pub fn connections_exhausted(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let before = scene.postmasters()?;
    primary.sql("CREATE ROLE crowd LOGIN")?;
    scene.steps.say("taking all connections");
    let sleep = "for i in $(seq 60); do psql -XAtq -h 127.0.0.1 -U crowd -d postgres \
                 -c 'SELECT pg_sleep(40)' >/dev/null 2>&1 & done; wait";
    let mut crowd = primary
        .command(&["sh", "-c", sleep])?
        .spawn()
        .context("crowd")?;
    scene.steps.wait(
        "all connections to be taken",
        Duration::from_secs(20),
        || {
            let words = [
                "psql",
                "-XAtq",
                "-h",
                "127.0.0.1",
                "-U",
                "crowd",
                "-d",
                "postgres",
                "-c",
                "SELECT 1",
            ];
            let out = primary.output(&words)?;
            ensure!(!out.success(), "there is room for another one");
            Ok(())
        },
    )?;
    crowd.wait()?;
    scene.cluster.wait_whole()?;
    ensure!(scene.postmasters()? == before, "PostgreSQL was restarted");
    scene.undisturbed()
}

/// The postmaster of the primary freezes: noticed by time-out, and clients can write again,
/// on whichever node; a node that had to be fenced comes back.
pub fn frozen_postmaster_of_the_primary(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    let postmaster = scene.cluster.postmaster(&victim, &MAIN)?.to_string();
    scene
        .steps
        .say(&format!("SIGSTOP to the postmaster on {}", victim.name));
    victim.run(&["kill", "-STOP", &postmaster])?;
    // A client that is connected is served by its backend all the while: only a new one notices.
    scene
        .steps
        .wait("Pacemaker to notice", Duration::from_secs(60), || {
            ensure!(
                !scene.cluster.state()?.failures.is_empty(),
                "no failure yet"
            );
            Ok(())
        })?;
    let rest = scene.cluster.others(&victim.name);
    let (all, names) = (
        scene.cluster.names(),
        [rest[0].name.as_str(), rest[1].name.as_str()],
    );
    // A demotion that waits for its whole time-out of 120 s first takes half a minute longer.
    let what = "a whole cluster, with or without the node";
    scene.steps.wait(what, PATIENCE, || {
        let whole = scene.cluster.whole(&MAIN, &all);
        whole.or_else(|_| scene.cluster.whole(&MAIN, &names))
    })?;
    scene.writes_go_on()?;
    if !scene.cluster.power.fencings()?.is_empty() {
        scene.only_fenced(&victim.name)?;
        scene.cluster.rejoin(&victim)?;
    }
    scene.clean_up()
}

/// All nodes lose power at once and come back: the cluster ends whole with every
/// acknowledged row.
pub fn power_cut_of_all_nodes(scene: &mut Scene) -> Result<()> {
    scene.steps.say("cutting the power of all nodes");
    on_each(&scene.cluster.nodes, |node| {
        scene.cluster.power.off(&node.name)
    })?;
    prepare::boot(&scene.cluster.power, &scene.cluster.nodes, &scene.steps)?;
    scene.cluster.start_stack(&scene.cluster.nodes)?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    scene.nobody_fenced()
}
