//! Replication slots that the agent looks after (`slots=nodes`): a standby that was away, through a
//! failover, streams on; nobody else's slot is touched; no disk is filled.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// WAL is recycled as soon as nothing but a slot keeps it.
const RECYCLE: &str = "wal_keep_size = 64MB\nmin_wal_size = 32MB\nmax_wal_size = 64MB\n";
/// What a standby is told whose WAL is gone.
const GONE: &str = "has already been removed";
/// More files than `RECYCLE` leaves, 320 MB, no faster than a standby follows.
const WRITE: &str = "DO $$ BEGIN FOR i IN 1..20 LOOP PERFORM pg_logical_emit_message(false, 'lab', \
                     'x'); PERFORM pg_switch_wal(); PERFORM pg_sleep(0.3); END LOOP; END $$";

/// A standby is away while WAL far beyond what is kept anyway is written and recycled, the primary
/// loses its power, and the new one writes and recycles as much. The standby comes back and streams
/// on, from the slot that the new primary had for it when it was a standby itself.
pub fn standby_that_was_away_streams_on_after_a_failover(scene: &mut Scene) -> Result<()> {
    set_up(scene, Some("4GB"))?;
    let (old, new, away) = the_three(scene)?;
    slots_follow(scene, &old, &new, &away)?;
    let left = come_back_after_a_failover(scene, &old, &new, &away)?;
    streams(scene, &away, "streaming")?;
    let flushed = away.sql("SELECT pg_last_wal_receive_lsn()")?;
    scene
        .steps
        .say(&format!("{} went at {left} and has {flushed}", away.name));
    ensure!(
        !was_refused(&away)?,
        "{} asked for WAL that is gone",
        away.name
    );
    scene.cluster.bring_back(&old)?;
    scene.cluster.wait_whole()?;
    none_has_passed(&scene.cluster.nodes)?;
    scene.writes_go_on()?;
    scene.only_fenced(&old.name)
}

/// The same without slots, which shows that the WAL is gone then: the standby needs a rebuild.
pub fn standby_that_was_away_is_lost_without_slots(scene: &mut Scene) -> Result<()> {
    set_up(scene, None)?;
    let (old, new, away) = the_three(scene)?;
    come_back_after_a_failover(scene, &old, &new, &away)?;
    let refused = format!("{} to ask for WAL that is gone", away.name);
    scene.steps.wait(&refused, PATIENCE, || {
        ensure!(was_refused(&away)?, "it has not asked so far");
        Ok(())
    })?;
    streams(scene, &away, "")?;
    scene.cluster.bring_back(&old)?;
    // The new primary has recycled what the old one lacks, too.
    for node in [&away, &old] {
        rebuild(scene, node)?;
    }
    scene.cluster.wait_whole()?;
    scene.only_fenced(&old.name)
}

/// A node is removed from the cluster: its slots go on all others, and nobody else's.
pub fn slots_of_a_removed_node_go_and_foreign_ones_stay(scene: &mut Scene) -> Result<()> {
    set_up(scene, Some("4GB"))?;
    let (primary, standby, removed) = the_three(scene)?;
    for node in [&primary, &standby] {
        node.sql("SELECT pg_create_physical_replication_slot('barman', true)")?;
        node.sql("SELECT pg_create_physical_replication_slot('srv9')")?;
        // As if a node had been removed while this one was away.
        node.sql("SELECT pg_create_physical_replication_slot('pgsqlms_srv9', true)")?;
    }
    scene.cluster.start_pcsd()?;
    scene.pcs(&format!("cluster node remove {} --force", removed.name))?;
    for (node, other) in [(&primary, &standby), (&standby, &primary)] {
        let wanted = format!("barman pgsqlms_{} srv9", other.name);
        has_slots(scene, node, &wanted)?;
    }
    scene.writes_go_on()?;
    scene.nobody_fenced()
}

/// More WAL is written than may be kept: the disk does not fill, it is said, and the slot is made
/// again.
pub fn wal_kept_for_an_absent_standby_is_bounded(scene: &mut Scene) -> Result<()> {
    set_up(scene, Some("128MB"))?;
    let (primary, _, away) = the_three(scene)?;
    leave(scene, &away)?;
    write_and_recycle(&primary)?;
    write_and_recycle(&primary)?;
    let said = format!(
        "grep -F 'Replication slot pgsqlms_{} has lost WAL' {LOG}",
        away.name
    );
    scene.steps.wait("the primary to say so", PATIENCE, || {
        primary.run(&["sh", "-c", &said]).map(drop)
    })?;
    let question = format!(
        "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pgsqlms_{}' AND wal_status <> \
         'lost'",
        away.name
    );
    scene
        .steps
        .wait("its slot to be whole again", PATIENCE, || {
            ensure!(primary.sql(&question)? == "1", "it is lost");
            Ok(())
        })?;
    let size = primary.sql("SELECT sum(size) / 1048576 < 400 FROM pg_ls_waldir()")?;
    ensure!(size == "t", "the WAL has grown");
    rebuild(scene, &away)?;
    has_all_slots(scene, &away)?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

const LOG: &str = "/var/log/pacemaker/pacemaker.log";

/// Has slots kept, with so much WAL for each at most; or only WAL recycled.
fn set_up(scene: &Scene, bound: Option<&str>) -> Result<()> {
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    for node in &scene.cluster.nodes {
        let own = bound.map(|bound| {
            format!(
                "primary_slot_name = 'pgsqlms_{}'\nmax_slot_wal_keep_size = {bound}\n",
                node.name
            )
        });
        let text = format!("{RECYCLE}{}", own.unwrap_or_default());
        let path = format!("{confdir}/conf.d/zz-slots.conf");
        node.write(&path, &text, "postgres:postgres", "0644")?;
        node.sql("SELECT pg_reload_conf()")?;
    }
    if bound.is_none() {
        return Ok(());
    }
    scene.pcs("resource update pgsqld slots=nodes")?;
    for node in &scene.cluster.nodes {
        has_all_slots(scene, node)?;
    }
    scene.cluster.wait_whole()
}

fn has_all_slots(scene: &Scene, node: &Node) -> Result<()> {
    let others = scene.cluster.others(&node.name);
    let names: Vec<_> = others
        .iter()
        .map(|one| format!("pgsqlms_{}", one.name))
        .collect();
    has_slots(scene, node, &names.join(" "))
}

fn has_slots(scene: &Scene, node: &Node, wanted: &str) -> Result<()> {
    let what = format!("the slots of {} to be {wanted}", node.name);
    let names = "SELECT string_agg(slot_name, ' ' ORDER BY slot_name) FROM pg_replication_slots";
    scene.steps.wait(&what, PATIENCE, || {
        let found = node.sql(names)?;
        ensure!(found == wanted, "they are {found}");
        Ok(())
    })
}

/// The primary, the standby that is to take over, and the one that will be away.
fn the_three(scene: &Scene) -> Result<(Node, Node, Node)> {
    let primary = scene.cluster.primary()?;
    let mut standbys = scene.cluster.standbys()?;
    let away = standbys.pop().context("two standbys")?;
    let new = standbys.pop().context("two standbys")?;
    Ok((primary, new, away))
}

/// All stream: the slots on a standby let go of what the others have.
fn slots_follow(scene: &Scene, primary: &Node, standby: &Node, other: &Node) -> Result<()> {
    write_and_recycle(primary)?;
    let written = primary.sql("SELECT pg_current_wal_lsn()")?;
    standby.sql("CHECKPOINT")?;
    primary.sql("CHECKPOINT")?;
    let position = |of: &Node| {
        standby.sql(&format!(
            "SELECT pg_wal_lsn_diff('{written}', restart_lsn) < 100000000 FROM pg_replication_slots \
             WHERE slot_name = 'pgsqlms_{}'",
            of.name
        ))
    };
    let what = format!("the slots on {} to follow", standby.name);
    scene.steps.wait(&what, PATIENCE, || {
        standby.sql("CHECKPOINT")?;
        for node in [primary, other] {
            ensure!(position(node)? == "t", "that of {} does not", node.name);
        }
        none_has_passed(&scene.cluster.nodes)
    })
}

/// No slot on a standby is beyond what its node has, where all nodes are up.
fn none_has_passed(nodes: &[Node]) -> Result<()> {
    let slots = "SELECT slot_name, restart_lsn FROM pg_replication_slots WHERE NOT active AND \
                 slot_name LIKE 'pgsqlms%' AND pg_is_in_recovery()";
    for node in nodes {
        for line in node.sql(slots)?.lines() {
            let (slot, restart) = line.split_once('|').context("name and place")?;
            let name = slot.trim_start_matches("pgsqlms_");
            let Some(of) = nodes.iter().find(|node| node.name == name) else {
                continue;
            };
            let has = format!(
                "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE \
                 pg_current_wal_flush_lsn() END >= '{restart}'"
            );
            ensure!(
                of.sql(&has)? == "t",
                "{slot} on {} is at {restart}",
                node.name
            );
        }
    }
    Ok(())
}

/// Writes more files of WAL than are kept without a reason, and has PostgreSQL recycle.
fn write_and_recycle(primary: &Node) -> Result<()> {
    let before = primary.sql("SELECT pg_current_wal_lsn()")?;
    primary.sql(WRITE)?;
    let much = format!("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '{before}') > 300000000");
    ensure!(primary.sql(&much)? == "t", "too little was written");
    for _ in 0..2 {
        primary.sql("CHECKPOINT")?;
    }
    Ok(())
}

fn leave(scene: &Scene, away: &Node) -> Result<()> {
    scene.pcs(&format!("node standby {} --wait=90", away.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(away))
}

/// Makes a standby anew from the primary. Its slots do not come with the copy.
fn rebuild(scene: &Scene, node: &Node) -> Result<()> {
    leave(scene, node)?;
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    postgresql::base_backup(node, &MAIN.vip.to_string(), &MAIN, &datadir)?;
    scene
        .pcs(&format!("node unstandby {}", node.name))
        .map(drop)
}

/// Returns where the standby was when it went.
fn come_back_after_a_failover(
    scene: &Scene,
    old: &Node,
    new: &Node,
    away: &Node,
) -> Result<String> {
    wait_for_commits_on(scene, old, new)?;
    let left = away.sql("SELECT pg_last_wal_receive_lsn()")?;
    leave(scene, away)?;
    write_and_recycle(old)?;
    let end = old.sql("SELECT pg_current_wal_lsn()")?;
    let what = format!("{} to have all and to recycle", new.name);
    scene.steps.wait(&what, PATIENCE, || {
        let has = new.sql(&format!("SELECT pg_last_wal_replay_lsn() >= '{end}'"))?;
        ensure!(has == "t", "it is behind");
        new.sql("CHECKPOINT").map(drop)
    })?;
    scene.let_pass(Duration::from_secs(20), "monitors");
    scene.cut_power(old)?;
    scene.cluster.wait_promoted(&new.name)?;
    write_and_recycle(new)?;
    scene.let_pass(Duration::from_secs(20), "monitors");
    scene.pcs(&format!("node unstandby {}", away.name))?;
    Ok(left)
}

/// The primary's commits wait for the one that will take over, and for nobody who is away: so the
/// power cut loses nothing, and no guard waits for the word of the other.
fn wait_for_commits_on(scene: &Scene, primary: &Node, standby: &Node) -> Result<()> {
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    let path = format!("{confdir}/conf.d/zz-sync.conf");
    let text = format!("synchronous_standby_names = '{}'\n", standby.name);
    primary.write(&path, &text, "postgres:postgres", "0644")?;
    primary.sql("SELECT pg_reload_conf()")?;
    scene.let_pass(Duration::from_secs(20), "monitors");
    scene.cluster.wait_whole()
}

/// Waits until the walreceiver of a node is in this state; blank if it has none.
fn streams(scene: &Scene, node: &Node, state: &str) -> Result<()> {
    let what = format!("{} to stream: {state:?}", node.name);
    scene.steps.wait(&what, PATIENCE, || {
        let found = node.sql("SELECT status FROM pg_stat_wal_receiver")?;
        ensure!(found == state, "its receiver is {found:?}");
        Ok(())
    })
}

fn was_refused(node: &Node) -> Result<bool> {
    let words = format!(
        "grep -c '{GONE}' /var/log/postgresql/postgresql-{}.log || true",
        MAIN.name
    );
    Ok(node.run(&["sh", "-c", &words])?.trim() != "0")
}
