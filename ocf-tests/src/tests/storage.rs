//! Storage that fills up, fails, hangs or is not there. Each node has a disk of its own.
//!
//! A row is one of the table in docs/faults.md.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::disk::MOUNT;
use crate::machine::node::Node;
use crate::run::fault::{Fault, signal_postmaster, use_up_wal};
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// Row 5: no room for WAL on the primary. PostgreSQL ends itself; after bounded tries in place
/// another node takes over, and the full one comes back once an admin made room.
pub fn full_disk_of_the_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    Fault::FullDisk.inject(&scene.cluster, &old)?;
    another_takes_over(scene, &old)?;
    if old.init().is_ok() {
        old.free_disk()?;
        scene.pcs("resource cleanup pgsqld-clone")?;
    }
    comes_back(scene, &old)
}

/// Row 6: a full disk of a standby is that standby's matter only.
pub fn full_disk_of_a_standby(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    Fault::FullDisk.inject(&scene.cluster, &standby)?;
    // Segments of the primary make the standby need new ones.
    use_up_wal(&primary, 12)?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    primary_serves(scene, &primary)?;
    if standby.init().is_ok() {
        standby.free_disk()?;
        scene.pcs("resource cleanup pgsqld-clone")?;
    }
    scene.cluster.rejoin_all()?;
    primary_serves(scene, &primary)
}

/// Row 8: the file system of the primary becomes read-only under it.
pub fn read_only_disk_of_the_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    Fault::ReadOnlyDisk.inject(&scene.cluster, &old)?;
    another_takes_over(scene, &old)?;
    // A file system with errors is checked at the boot that an admin asks for.
    scene.cluster.power.off(&old.name)?;
    comes_back(scene, &old)
}

/// Row 9: every write to the disk of the primary hangs. The server still answers, so only the
/// write probe can tell; a stop is not possible, so the node is fenced.
pub fn hung_disk_of_the_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let role = scene.cluster.options.release.role_promoted;
    scene.pcs(&format!(
        "resource update pgsqld op monitor interval=15s timeout=10s role={role} OCF_CHECK_LEVEL=10"
    ))?;
    scene.pcs("resource update pgsqld op demote timeout=20s")?;
    scene.pcs("resource update pgsqld op stop timeout=20s")?;
    scene.cluster.wait_whole()?;
    Fault::HungDisk.inject(&scene.cluster, &old)?;
    another_takes_over(scene, &old)?;
    comes_back(scene, &old)?;
    scene.only_fenced(&old.name)
}

/// Row 10: writes of a standby hang for five seconds; nothing happens.
pub fn short_hang_of_a_standby(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    for _ in 0..3 {
        Fault::ShortHang.inject(&scene.cluster, &standby)?;
        scene.let_pass(Duration::from_secs(5), "a short rest");
    }
    scene.cluster.wait_whole()?;
    primary_serves(scene, &primary)?;
    scene.undisturbed()
}

/// Row 37, B11: the data of a node is not mounted when its cluster stack starts. It is not
/// started there and nothing is made in its place; the others go on.
pub fn data_directory_not_mounted(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    standby.run_within(PATIENCE, &["pcs", "cluster", "stop"])?;
    let device = standby.run(&["findmnt", "-no", "SOURCE", MOUNT])?;
    standby.run(&["umount", MOUNT])?;
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    // What lies under the mount point is the copy that the disk was made from.
    let hidden = format!("{datadir}.hidden");
    standby.run(&["mv", &datadir, &hidden])?;
    scene.cluster.start_stack(std::slice::from_ref(&standby))?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    primary_serves(scene, &primary)?;
    scene.nobody_fenced()?;
    let made = standby.output(&["test", "-e", &datadir])?;
    ensure!(!made.success(), "a data directory was made");
    standby.run(&["mv", &hidden, &datadir])?;
    mount_again(&standby, device.trim())?;
    scene.pcs("resource cleanup pgsqld-clone")?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.nobody_fenced()
}

/// The node's /dev has no loop devices.
fn mount_again(node: &Node, device: &str) -> Result<()> {
    let number = device.trim_start_matches("/dev/loop");
    node.run(&["mknod", device, "b", "7", number])?;
    node.run(&["mount", device, MOUNT]).map(drop)
}

/// Rows 31 and 33 in storage: the data directory of a standby can be read by everybody, which
/// PostgreSQL refuses when it starts. Only that node is out until an admin repairs the mode.
pub fn wrong_mode_of_the_data_directory(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    standby.run(&["chmod", "0777", &datadir])?;
    scene.let_pass(Duration::from_secs(18), "one round of monitors");
    scene.undisturbed()?;
    signal_postmaster(&scene.cluster, &standby, "KILL")?;
    scene.wait_failure(&standby, "pgsqld_start")?;
    primary_serves(scene, &primary)?;
    scene.nobody_fenced()?;
    standby.run(&["chmod", "0700", &datadir])?;
    scene.clean_up()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.nobody_fenced()
}

fn primary_serves(scene: &Scene, primary: &Node) -> Result<()> {
    ensure!(scene.cluster.primary()? == *primary, "the primary moved");
    scene.writes_go_on()
}

fn another_takes_over(scene: &Scene, old: &Node) -> Result<()> {
    let client = scene.client.as_ref().context("no client")?;
    scene
        .steps
        .wait("another node to take over", PATIENCE, || {
            let new = scene.cluster.primary()?;
            ensure!(new != *old, "{} is still promoted", old.name);
            Ok(())
        })?;
    client.wait_writing(&scene.steps, Duration::from_secs(60))
}

/// Booted if it has no power; a primary that could not send its last records is rewound.
fn comes_back(scene: &Scene, old: &Node) -> Result<()> {
    scene.cluster.rejoin_all()?;
    ensure!(scene.cluster.primary()? != *old, "the primary moved back");
    let fencings = scene.cluster.power.fencings()?;
    let others = fencings.iter().filter(|one| one.node != old.name);
    ensure!(others.count() == 0, "fenced: {fencings:?}");
    scene.clean_up()
}

/// WAL that the favourite received is damaged on its disk before it is replayed, and the primary
/// dies. The other standby holds the same whole: it is promoted, and nothing is lost.
pub fn damaged_wal_is_not_voted_with(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let damaged = &stage.favourite;
    damaged.sql("SELECT pg_wal_replay_pause()")?;
    wait_for(&stage, "SELECT pg_get_wal_replay_pause_state() = 'paused'")?;
    let at = damaged.sql("SELECT pg_last_wal_replay_lsn()")?;
    stage.write_rows(&stage.primary, 50)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(&stage.other, rows)?;
    let end = stage.primary.sql("SELECT pg_current_wal_lsn()")?;
    let received = format!("SELECT pg_last_wal_receive_lsn() >= '{end}'");
    wait_for(&stage, &received)?;
    damage(&stage, &at)?;
    stage.power_off(&stage.primary)?;
    damaged.sql("SELECT pg_wal_replay_resume()")?;
    stage.release()?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.other, "{} was promoted", primary.name);
    let both = [damaged.name.as_str(), stage.other.name.as_str()];
    scene.cluster.wait_whole_on(&both)?;
    stage.nobody_lacks(rows)?;
    scene.only_fenced(&stage.primary.name)
}

fn wait_for(stage: &Stage, query: &str) -> Result<()> {
    stage.scene.steps.wait(query, PATIENCE, || {
        ensure!(stage.favourite.sql(query)? == "t", "not yet");
        Ok(())
    })
}

/// The check sum of the record at this LSN, on the favourite's disk (`xl_crc` of `XLogRecord`).
fn damage(stage: &Stage, at: &str) -> Result<()> {
    let query =
        format!("SELECT file_name || ' ' || file_offset + 20 FROM pg_walfile_name_offset('{at}')");
    let answer = stage.primary.sql(&query)?;
    let (file, place) = answer.split_once(' ').context("file and offset")?;
    stage
        .scene
        .steps
        .say(&format!("damaging {file} at byte {place}"));
    let datadir = stage.scene.cluster.options.release.datadir(MAIN.name);
    let line = format!(
        "printf 'junk' | dd of={datadir}/pg_wal/{file} bs=1 seek={place} conv=notrunc status=none"
    );
    stage.favourite.as_postgres(&["sh", "-c", &line]).map(drop)
}
