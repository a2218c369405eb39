//! Who is promoted: the standby that holds most, not the one that was liked best before.

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// The favourite standby stops receiving while clients write; when the primary's node loses
/// power the other standby must be promoted, as only it has the rows.
pub fn lagging_standby_is_not_promoted(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let standbys = scene.cluster.standbys()?;
    let [favourite, other] = &standbys[..] else {
        anyhow::bail!("two standbys are needed")
    };
    scene
        .steps
        .say(&format!("cutting replication to {}", favourite.name));
    scene.cluster.cut_replication(favourite, &MAIN)?;
    scene.writes_go_on()?;
    stop_writing(scene)?;
    let query = "SELECT count(*) FROM lab_writes";
    let rows: usize = old.sql(query)?.parse()?;
    scene
        .steps
        .wait("the other standby to have all rows", PATIENCE, || {
            let there: usize = other.sql(query)?.parse()?;
            ensure!(there == rows, "{there} of {rows}");
            Ok(())
        })?;
    let behind: usize = favourite.sql(query)?.parse()?;
    ensure!(
        behind < rows,
        "{} was to lag, but has all {rows} rows",
        favourite.name
    );
    scene.cut_power(&old)?;
    scene.cluster.wait_promoted(&other.name)?;
    let there: usize = other.sql(query)?.parse()?;
    ensure!(there == rows, "{} of {rows} rows are left", there);
    scene.cluster.heal_network()?;
    scene
        .cluster
        .wait_whole_on(&[&favourite.name, &other.name])?;
    ensure!(scene.cluster.primary()? == *other, "the primary moved");
    scene.only_fenced(&old.name)
}

/// An asynchronous primary may take its last rows into the grave: the client stops before the cut.
fn stop_writing(scene: &mut Scene) -> Result<()> {
    let client = scene.client.take().context("no client")?;
    let report = client.finish(&scene.steps)?;
    ensure!(report.lost.is_empty(), "lost before anything happened");
    Ok(())
}

/// The primary's node is put in standby as soon as both standbys stream for the first time,
/// before any regular monitor of the primary: one of them must take over.
pub fn switchover_right_after_the_first_start(scene: &mut Scene) -> Result<()> {
    let names = scene.cluster.names();
    scene.cluster.start_stack(&scene.cluster.nodes)?;
    scene.steps.wait("standbys to stream", PATIENCE, || {
        scene.cluster.serving(&MAIN, &names)
    })?;
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    scene.pcs(&format!("node standby {}", old.name))?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.pcs(&format!("node unstandby {}", old.name))?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// A new primary loses power before anybody could connect to it and learn of its timeline.
/// PostgreSQL would give the next one the same number: then no program can tell the two branches
/// apart, and the dead node streams from a primary whose data are not its own.
pub fn timeline_of_a_dead_primary_is_not_taken_again(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let before = timeline(&old)?;
    let dead = scene.a_standby()?;
    scene.move_during(&dead.name, || {
        scene.steps.wait("the promotion", PATIENCE, || {
            let recovery = dead.sql("SELECT pg_is_in_recovery()")?;
            ensure!(recovery == "f", "it is in recovery");
            Ok(())
        })?;
        scene.cluster.power.off(&dead.name)
    })?;
    let rest = scene.cluster.others(&dead.name);
    let new = scene.cluster.wait_promoted_among(&rest, PATIENCE)?;
    let after = timeline(&new)?;
    ensure!(after == before + 2, "timeline {after} after {before}");
    scene.cluster.rejoin_all()?;
    ensure!(scene.cluster.primary()? == new, "the primary moved");
    scene.only_fenced(&dead.name)
}

/// The timeline that a primary writes.
fn timeline(primary: &Node) -> Result<u32> {
    let query = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)";
    Ok(u32::from_str_radix(&primary.sql(query)?, 16)?)
}
