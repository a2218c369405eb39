//! What is done to a running cluster, one function each; all return what clients saw of it.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::cluster::postgresql::MAIN;
use crate::measure::outage::{self, Outage};

/// The start of the slow resource takes so long.
const SLOW: &str = "resource create slow ocf:pacemaker:Dummy op_sleep=8 op start timeout=30s \
     op stop timeout=30s op monitor interval=300s timeout=30s --disabled";

/// Bytes of a row of what is dirtied: four of them fill a page of PostgreSQL.
const ROW: u32 = 1900;

/// `pcs resource move` of the primary.
pub fn switchover(cluster: &Cluster, moment: Duration) -> Result<Outage> {
    outage::of(cluster, moment, || {
        let target = cluster.standbys()?.pop().context("no standby")?;
        cluster.move_primary(&target.name)?;
        Ok(cluster.nodes.clone())
    })
}

/// kill -9 of the postmaster of the primary.
pub fn crash(cluster: &Cluster, moment: Duration) -> Result<Outage> {
    outage::of(cluster, moment, || {
        let victim = cluster.primary()?;
        let postmaster = cluster.postmaster(&victim, &MAIN)?;
        victim.run(&["kill", "-9", &postmaster.to_string()])?;
        Ok(cluster.nodes.clone())
    })
}

/// SIGSTOP to all processes of the primary's PostgreSQL.
pub fn frozen(cluster: &Cluster, moment: Duration) -> Result<Outage> {
    outage::of(cluster, moment, || {
        let victim = cluster.primary()?;
        victim.run(&["pkill", "-STOP", "-u", "postgres"])?;
        Ok(cluster.nodes.clone())
    })
}

/// The role moves in the transition in which a resource of somebody else starts, for 8 s.
pub fn slow_neighbour(cluster: &Cluster, moment: Duration) -> Result<Outage> {
    let words = |line: &str| -> Result<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        cluster.pcs(&words)
    };
    let role = cluster.options.release.promoted;
    words(SLOW)?;
    let outage = outage::of(cluster, moment, || {
        let target = cluster.standbys()?.pop().context("no standby")?;
        words("cluster cib /root/move.xml")?;
        words("-f /root/move.xml resource enable slow")?;
        words(&format!(
            "-f /root/move.xml constraint location pgsqld-clone rule constraint-id=away role={role} \
             score=INFINITY #uname eq {}",
            target.name
        ))?;
        words("cluster cib-push /root/move.xml --config")?;
        cluster.wait_promoted(&target.name)?;
        Ok(cluster.nodes.clone())
    })?;
    words("constraint delete away")?;
    words("resource delete slow --force")?;
    cluster.wait_whole()?;
    Ok(outage)
}

/// A switchover with so many MiB of changed pages that are not on disk yet.
pub fn dirty_switchover(cluster: &Cluster, moment: Duration, mebibytes: u32) -> Result<Outage> {
    let primary = cluster.primary()?;
    let rows = u64::from(mebibytes) * 1024 * 1024 / 8192 * 4;
    primary.sql("DROP TABLE IF EXISTS dirty")?;
    primary.sql("CREATE TABLE dirty(filler text)")?;
    primary.sql("ALTER TABLE dirty ALTER filler SET STORAGE PLAIN")?;
    primary.sql("CHECKPOINT")?;
    let fill =
        format!("INSERT INTO dirty SELECT repeat('x', {ROW}) FROM generate_series(1, {rows})");
    let long = Duration::from_secs(600);
    primary.run_within(
        long,
        &["runuser", "-u", "postgres", "--", "psql", "-qc", &fill],
    )?;
    wait_replayed(cluster)?;
    let dirty = "SELECT pg_size_pretty(count(*) * 8192) FROM pg_buffercache WHERE isdirty";
    let dirty = primary.sql(dirty)?;
    cluster.steps.say(&format!("{dirty} of dirty buffers"));
    switchover(cluster, moment)
}

/// Room for 2 GiB of changed pages, and nobody but a checkpoint that is asked for writes them.
pub fn keep_pages_dirty(cluster: &Cluster) -> Result<()> {
    let primary = cluster.primary()?;
    primary.sql("CREATE EXTENSION IF NOT EXISTS pg_buffercache")?;
    for node in &cluster.nodes {
        for setting in [
            "shared_buffers = '2560MB'",
            "max_wal_size = '16GB'",
            "checkpoint_timeout = '1h'",
            "bgwriter_lru_maxpages = 0",
        ] {
            node.sql(&format!("ALTER SYSTEM SET {setting}"))?;
        }
    }
    let clone = format!("{}-clone", MAIN.resource);
    cluster.pcs(&["resource", "restart", &clone])?;
    cluster.wait_whole()
}

/// Standbys that are far behind would not be promoted.
fn wait_replayed(cluster: &Cluster) -> Result<()> {
    let primary = cluster.primary()?;
    let limit = Duration::from_secs(300);
    cluster.steps.wait("the standbys to replay", limit, || {
        let behind = "SELECT count(*) FROM pg_stat_replication \
                      WHERE pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) < 1000000";
        let near = primary.sql(behind)?;
        anyhow::ensure!(near == "2", "{near} of 2 are near");
        Ok(())
    })
}

/// Power cut of the primary's node, which is that of Pacemaker's coordinator (DC), or is not.
pub fn power_cut(cluster: &Cluster, moment: Duration, with_coordinator: bool) -> Result<Outage> {
    place_primary(cluster, with_coordinator)?;
    outage::of_fencing(cluster, moment, || {
        let victim = cluster.primary()?;
        cluster.power.off(&victim.name)?;
        Ok(cluster.others(&victim.name))
    })
}

/// Moves the primary to the node of the coordinator, or away from it.
fn place_primary(cluster: &Cluster, with_coordinator: bool) -> Result<()> {
    let coordinator = cluster.state()?.coordinator;
    let is_there = cluster.primary()?.name == coordinator;
    if is_there == with_coordinator {
        return Ok(());
    }
    let target = if with_coordinator {
        coordinator
    } else {
        cluster.others(&coordinator)[0].name.clone()
    };
    cluster.move_primary(&target)?;
    cluster.wait_whole()
}
