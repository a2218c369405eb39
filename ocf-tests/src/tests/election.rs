//! Who is promoted: the standby that holds most, not the one that was liked best before.

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::postgresql::MAIN;
use crate::scene::Scene;
use crate::tests::power::cut;

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
    // An asynchronous primary may take its last rows into the grave: stop before the cut.
    let report = scene
        .client
        .take()
        .context("no client")?
        .finish(&scene.steps)?;
    ensure!(report.lost.is_empty(), "lost before anything happened");
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
    cut(scene, &old)?;
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
