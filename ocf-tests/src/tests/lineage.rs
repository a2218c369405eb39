//! Data that are not what their node's name or record says: rebuilt, restored, on a branch that
//! somebody else opened, or on one that was opened by half, or further on than was voted.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::{self, MAIN};
use crate::cluster::{PATIENCE, prepare};
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::run::staging::Stage;
use crate::tests::paf_losses::lose_primary_and_synchronous_standby;

const BACKUP: &str = "/var/tmp/backup";
const ARCHIVE: &str = "/var/tmp/archive";
/// Made by a `restore_command` when PostgreSQL is in the middle of a promotion.
const HALFWAY: &str = "/var/tmp/halfway";

/// The primary and the synchronous standby are lost. The primary's disk is new, and an admin makes
/// it a copy of the last node: it is not what it was, and vouches for nothing.
pub fn rebuilt_primary_vouches_for_nothing(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = lose_primary_and_synchronous_standby(&stage)?;
    let (old, favourite) = (&stage.primary, &stage.favourite);
    stage.refused(rows, &old.name)?;
    let power = &scene.cluster.power;
    prepare::boot(power, std::slice::from_ref(old), &scene.steps)?;
    copy_from(scene, old, favourite)?;
    scene.cluster.start_stack(std::slice::from_ref(old))?;
    scene.pcs("resource cleanup")?;
    stage.refused(rows, &stage.primary.name)?;
    scene.pcs(&format!("resource clear pgsqld-clone {}", stage.other.name))?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.other, "{} was promoted", primary.name);
    scene.cluster.wait_whole()?;
    scene.only_fenced(&stage.primary.name)
}

/// The data directory of `node` becomes a copy of that of `source`, as a standby's.
fn copy_from(scene: &Scene, node: &Node, source: &Node) -> Result<()> {
    let line = format!("{} becomes a copy of {}", node.name, source.name);
    scene.steps.say(&line);
    let release = scene.cluster.options.release;
    let (host, datadir) = (source.address().to_string(), release.datadir(MAIN.name));
    postgresql::base_backup(node, &host, &MAIN, &datadir)?;
    postgresql::mark_standby(node, release, &MAIN)
}

/// Under maintenance an admin makes another node the primary, by hand and without loss, and the
/// others follow it. Afterwards Pacemaker gives the role back to the node that had it, as nothing
/// but the old scores speaks for any: a primary is there, with all that was written meanwhile.
pub fn switchover_by_hand_is_adopted(scene: &mut Scene) -> Result<()> {
    let stage = switch_over_by_hand(scene)?;
    let rows = stage.rows(&stage.favourite)?;
    stage.release()?;
    whole_with(&stage, rows)
}

/// The same, and the others lag when Pacemaker takes over again: the new primary's own writes are
/// not given up for a node that has less of the same branch.
pub fn switchover_by_hand_with_writes_that_nobody_else_has(scene: &mut Scene) -> Result<()> {
    let stage = switch_over_by_hand(scene)?;
    for node in [&stage.primary, &stage.other] {
        scene.cluster.cut_replication(node, &MAIN)?;
    }
    stage.write_rows(&stage.favourite, 20)?;
    let rows = stage.rows(&stage.favourite)?;
    stage.release()?;
    stage.nobody_lacks(rows)?;
    scene.cluster.heal_network()?;
    whole_with(&stage, rows)
}

/// Under maintenance still when this returns, and without stickiness.
fn switch_over_by_hand(scene: &Scene) -> Result<Stage<'_>> {
    scene.pcs("resource defaults update resource-stickiness=0")?;
    let stage = Stage::under_maintenance(scene)?;
    let release = scene.cluster.options.release;
    let (old, new) = (&stage.primary, &stage.favourite);
    stage.write_rows(old, 50)?;
    let rows = stage.rows(old)?;
    stage.wait_rows(&stage.other, rows)?;
    stage.wait_rows(new, rows)?;
    postgresql::control(old, release, &MAIN, "stop")?;
    promote_by_hand(scene, new)?;
    postgresql::mark_standby(old, release, &MAIN)?;
    move_address(scene, old, new)?;
    postgresql::control(old, release, &MAIN, "start")?;
    stage.write_rows(new, 50)?;
    let rows = stage.rows(new)?;
    for node in [old, &stage.other] {
        stage.wait_rows(node, rows)?;
    }
    scene.pcs("resource refresh")?;
    Ok(stage)
}

fn promote_by_hand(scene: &Scene, node: &Node) -> Result<()> {
    scene.steps.say(&format!("promoting {} by hand", node.name));
    let release = scene.cluster.options.release;
    postgresql::control(node, release, &MAIN, "promote")?;
    scene.steps.wait("the promotion", PATIENCE, || {
        let recovery = node.sql("SELECT pg_is_in_recovery()")?;
        ensure!(recovery == "f", "still in recovery");
        node.sql("CHECKPOINT").map(drop)
    })
}

/// As an admin moves it, where Pacemaker does nothing.
fn move_address(scene: &Scene, from: &Node, to: &Node) -> Result<()> {
    let line = format!("the address goes from {} to {}", from.name, to.name);
    scene.steps.say(&line);
    let (address, prefix) = (MAIN.vip.to_string(), format!("{}/24", MAIN.vip));
    from.run(&["ip", "address", "del", &prefix, "dev", "host0"])?;
    to.run(&["ip", "address", "add", &prefix, "dev", "host0"])?;
    // Instead of the announcement that IPaddr2 sends.
    for node in scene.cluster.others(&to.name) {
        node.run(&["ip", "neigh", "flush", "to", &address])?;
    }
    Ok(())
}

fn conf(scene: &Scene) -> String {
    let folder = scene.cluster.options.release.confdir(MAIN.name);
    format!("{folder}/conf.d/zz-test.conf")
}

/// A primary is there with all rows, and everybody follows it; nobody was fenced for it.
fn whole_with(stage: &Stage, rows: u64) -> Result<()> {
    stage.nothing_lost(rows)?;
    stage.scene.cluster.wait_whole()?;
    stage.nobody_lacks(rows)?;
    stage.scene.nobody_fenced()
}

/// The database is restored from a backup to a point in time, on a timeline of its own, and all
/// nodes are made from it while the resource is disabled. Enabled, it is served: nobody holds
/// anything else.
pub fn restored_database_is_adopted(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let (old, rest) = (&stage.primary, [&stage.favourite, &stage.other]);
    stage.write_rows(old, 50)?;
    let rows = stage.rows(old)?;
    back_up(scene, old)?;
    scene.steps.say("a mistake of somebody");
    old.sql("DELETE FROM lab_writes")?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    scene.pcs("resource disable pgsqld-clone --wait=60")?;
    restore(scene, old)?;
    for node in rest {
        copy_from(scene, node, old)?;
    }
    let release = scene.cluster.options.release;
    postgresql::control(old, release, &MAIN, "stop")?;
    postgresql::mark_standby(old, release, &MAIN)?;
    scene.pcs("resource enable pgsqld-clone")?;
    stage.settle_or_say();
    whole_with(&stage, rows)
}

fn back_up(scene: &Scene, node: &Node) -> Result<()> {
    scene.steps.say(&format!("a backup on {}", node.name));
    let socket = ["-h", "127.0.0.1", "-U", "postgres", "-D", BACKUP];
    let access = scene.cluster.options.release.confdir(MAIN.name) + "/pg_hba.conf";
    let allow = format!("sed -i '1i host replication all 127.0.0.1/32 trust' {access}");
    node.run(&["sh", "-c", &allow])?;
    node.sql("SELECT pg_reload_conf()")?;
    let how = ["-X", "stream", "-c", "fast"];
    let words = [&["pg_basebackup"][..], &socket, &how].concat();
    node.as_postgres(&words).map(drop)
}

/// To the end of the backup, and promoted; it runs when this returns.
fn restore(scene: &Scene, node: &Node) -> Result<()> {
    scene.steps.say(&format!("restoring {}", node.name));
    let release = scene.cluster.options.release;
    let datadir = release.datadir(MAIN.name);
    let script = format!(
        "rm -rf {datadir} && cp -a {BACKUP} {datadir} && chmod 0700 {datadir} && \
         touch {datadir}/recovery.signal"
    );
    node.as_postgres(&["sh", "-c", &script])?;
    let lines = "restore_command = 'false'\nrecovery_target = 'immediate'\n\
                 recovery_target_action = 'promote'\n";
    node.write(&conf(scene), lines, "postgres:postgres", "0644")?;
    postgresql::control(node, release, &MAIN, "start")?;
    scene.steps.wait("the end of the recovery", PATIENCE, || {
        let recovery = node.sql("SELECT pg_is_in_recovery()")?;
        ensure!(recovery == "f", "it recovers");
        node.sql("CHECKPOINT").map(drop)
    })?;
    node.run(&["rm", "-f", &conf(scene)]).map(drop)
}

/// The winner's server is killed in the middle of its promotion, when PostgreSQL has made the new
/// timeline's first file and asks the archive for the parent's history: no branch was opened, and
/// the winner still holds most. No other node is promoted over it.
pub fn promotion_that_ended_halfway(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let winner = &stage.favourite;
    let timeline = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)";
    let parent = stage.primary.sql(timeline)?;
    let command = format!(
        "if test %f = {parent}.history && ! test -e {HALFWAY}; then touch {HALFWAY}; sleep 60; \
         fi; false"
    );
    stage.configure(winner, &format!("restore_command = '{command}'"))?;
    stage.disconnect(&[&stage.other])?;
    stage.write_rows(&stage.primary, 50)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(winner, rows)?;
    let early = winner.run(&["test", "-e", HALFWAY]);
    ensure!(early.is_err(), "the archive was asked before the promotion");
    stage.power_off(&stage.primary)?;
    scene.cluster.heal_network()?;
    scene.pcs("property set maintenance-mode=false")?;
    scene
        .steps
        .wait("half of the promotion", Duration::from_secs(60), || {
            winner.run(&["test", "-e", HALFWAY])
        })?;
    scene.steps.say("killing all processes of postgres");
    winner.run(&["pkill", "-KILL", "-u", "postgres"])?;
    stage.settle_or_say();
    let primary = stage.nothing_lost(rows)?;
    let both = [stage.favourite.name.as_str(), &stage.other.name];
    scene.cluster.wait_whole_on(&both)?;
    stage.nobody_lacks(rows)?;
    scene.steps.say(&format!("{} is primary", primary.name));
    scene.only_fenced(&stage.primary.name)
}

/// A promotion replays from the archive what the winner had not received when it voted. Its node
/// is lost before any monitor of it; the standby that followed it, and confirmed commits to it, is
/// promoted.
pub fn promotion_that_replayed_more_than_was_voted(scene: &mut Scene) -> Result<()> {
    no_monitor_of_a_primary(scene)?;
    let stage = Stage::under_maintenance(scene)?;
    let (old, winner, follower) = (&stage.primary, &stage.favourite, &stage.other);
    hold_on_to_a_dead_connection(&stage)?;
    scene.cluster.cut_replication(winner, &MAIN)?;
    stage.disconnect(&[follower])?;
    stage.write_local(old, 50)?;
    let archived = archive(&stage)?;
    stage.power_off(old)?;
    stage.release()?;
    let only = std::slice::from_ref(winner);
    scene
        .cluster
        .wait_promoted_among(only, Duration::from_secs(60))?;
    ensure!(
        stage.rows(winner)? == archived,
        "nothing was replayed from the archive: this shows nothing"
    );
    scene.cluster.heal_network()?;
    stage.write_rows(winner, 50)?;
    let rows = stage.rows(winner)?;
    stage.wait_rows(follower, rows)?;
    stage.power_off(winner)?;
    scene.cluster.bring_back(old)?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == *follower, "{} was promoted", primary.name);
    Ok(())
}

/// The time between a promotion and its first monitor becomes as long as the test needs it.
fn no_monitor_of_a_primary(scene: &Scene) -> Result<()> {
    let role = scene.cluster.options.release.role_promoted;
    scene
        .pcs(&format!(
            "resource update pgsqld op monitor role={role} interval=15s timeout=10s enabled=false"
        ))
        .map(drop)
}

/// The winner does not notice that its primary is silent, so it asks the archive for nothing before
/// its promotion.
fn hold_on_to_a_dead_connection(stage: &Stage) -> Result<()> {
    let winner = &stage.favourite;
    let lines = format!(
        "wal_receiver_timeout = 0\nrestore_command = 'cp {ARCHIVE}/%f %p'\n\
         primary_conninfo = 'host={} port={} user=postgres application_name={}'",
        MAIN.vip, MAIN.port, winner.name
    );
    stage.configure(winner, &lines)?;
    let scene = stage.scene;
    scene.steps.wait("it to stream again", PATIENCE, || {
        let query = format!(
            "SELECT count(*) FROM pg_stat_replication WHERE application_name = '{}' \
             AND state = 'streaming' AND backend_start > now() - interval '10 s'",
            winner.name
        );
        ensure!(stage.primary.sql(&query)? == "1", "it does not");
        Ok(())
    })
}

/// What the primary wrote so far becomes an archive that the winner can read; returns how many rows
/// are in it.
fn archive(stage: &Stage) -> Result<u64> {
    let (old, winner) = (&stage.primary, &stage.favourite);
    let datadir = stage.scene.cluster.options.release.datadir(MAIN.name);
    let rows = stage.rows(old)?;
    let segment = old.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")?;
    old.sql("SELECT pg_switch_wal()")?;
    let from = old
        .root()
        .join(format!("{}/pg_wal/{segment}", &datadir[1..]));
    winner.run(&["install", "-d", "-o", "postgres", ARCHIVE])?;
    let name = format!("{ARCHIVE}/{segment}");
    let to = winner.root().join(&name[1..]);
    std::fs::copy(&from, &to).with_context(|| format!("archiving {segment}"))?;
    winner.run(&["chown", "postgres:postgres", &name])?;
    Ok(rows)
}
