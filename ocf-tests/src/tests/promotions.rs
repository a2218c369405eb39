//! Promotions that PostgreSQL cannot finish by itself: the winner of an election is a standby whose
//! replay is held up, or whose settings are too small for the primary's WAL.

use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{MAIN, control};
use crate::machine::node::Node;
use crate::run::fault::signal_postmaster;
use crate::run::scene::Scene;

/// While this file is there, the archive does not answer. A reboot removes it.
const HANG: &str = "/run/archive-hangs";
const REPLAY: &str = "SELECT pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn()";
/// Its rows are read by a session that its removal ends.
const READ_TABLE: &str = "CREATE TABLE read_for_long AS SELECT generate_series(1, 1000) AS g";
/// Sessions of a standby that read for long, with a snapshot.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM read_for_long; \
                    SELECT pg_sleep(900)";

/// Adds lines to the configuration of a node's server.
pub fn configure(scene: &Scene, node: &Node, lines: &str) -> Result<()> {
    scene.steps.say(&format!("{}: {lines}", node.name));
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    let path = format!("{confdir}/conf.d/zz-test.conf");
    node.write(&path, &format!("{lines}\n"), "postgres:postgres", "0644")
}

/// As an admin restarts a server, without the cluster.
pub fn restart_by_hand(scene: &Scene, node: &Node) -> Result<()> {
    scene.pcs("property set maintenance-mode=true")?;
    let release = scene.cluster.options.release;
    control(node, release, &MAIN, "restart")?;
    scene.pcs("property set maintenance-mode=false")?;
    scene.settle_pacemaker()
}

/// Whether the replay of a standby is paused.
pub fn paused(node: &Node) -> Result<()> {
    let paused = node.sql("SELECT pg_is_wal_replay_paused()")?;
    ensure!(paused == "t", "{} replays", node.name);
    Ok(())
}

/// The primary was given more connections than its standbys, whose replay PostgreSQL pauses for
/// it. That is said while all is well; and when the primary dies one of them takes over. It is
/// started with as much as the WAL demands, also by every later start.
pub fn settings_smaller_than_the_primarys(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    configure(scene, &old, "max_connections = 200")?;
    restart_by_hand(scene, &old)?;
    old.sql("CREATE TABLE grown(i int)")?;
    for node in &rest {
        scene
            .steps
            .wait("PostgreSQL to pause the replay", PATIENCE, || paused(node))?;
        said_of(scene, node)?;
    }
    scene.undisturbed()?;
    scene.cut_power(&old)?;
    let new = scene
        .cluster
        .wait_promoted_among(&rest, Duration::from_secs(60))?;
    let connections = new.sql("SHOW max_connections")?;
    ensure!(connections == "200", "max_connections is {connections}");
    scene.writes_go_on()?;
    scene.cluster.rejoin(&old)?;
    let third = rest.iter().find(|node| **node != new).context("third")?;
    signal_postmaster(&scene.cluster, third, "KILL")?;
    scene
        .steps
        .wait("it to replay again", PATIENCE, || replays(third))?;
    scene.cluster.wait_whole()?;
    scene.only_fenced(&old.name)
}

fn replays(node: &Node) -> Result<()> {
    let answer = node.sql(REPLAY)?;
    ensure!(answer == "t", "{} has not replayed all", node.name);
    Ok(())
}

fn said_of(scene: &Scene, node: &Node) -> Result<()> {
    let what = format!("{} to be named, and no candidate before others", node.name);
    scene.steps.wait(&what, Duration::from_secs(60), || {
        let state = scene.cluster.state()?;
        let score = state.score(MAIN.resource, &node.name).unwrap_or("none");
        ensure!(score == "1", "its score is {score}");
        let named = |(on, name, value): &(String, String, String)| {
            *on == node.name
                && name.starts_with("impaired-")
                && value.contains("max_connections=60")
        };
        ensure!(state.attributes.iter().any(named), "nothing is said");
        Ok(())
    })
}

/// Only one of the standbys has settings that are too small. The other one wins.
pub fn standby_with_smaller_settings_is_the_last_choice(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    let (first, second) = (&rest[0], &rest[1]);
    configure(scene, &old, "max_connections = 200")?;
    configure(scene, second, "max_connections = 200")?;
    scene.pcs(&format!("node standby {} --wait=60", second.name))?;
    scene.pcs(&format!("node unstandby {} --wait=60", second.name))?;
    restart_by_hand(scene, &old)?;
    old.sql("CREATE TABLE grown(i int)")?;
    scene
        .steps
        .wait("PostgreSQL to pause the replay", PATIENCE, || paused(first))?;
    said_of(scene, first)?;
    scene.undisturbed()?;
    scene.cut_power(&old)?;
    let new = scene
        .cluster
        .wait_promoted_among(&rest, Duration::from_secs(60))?;
    ensure!(new == *second, "{} is promoted", new.name);
    scene.writes_go_on()?;
    configure(scene, first, "max_connections = 200")?;
    scene.pcs(&format!("node standby {} --wait=60", first.name))?;
    scene.pcs(&format!("node unstandby {} --wait=60", first.name))?;
    scene.cluster.rejoin(&old)?;
    let state = scene.cluster.state()?;
    let named = |(_, name, _): &(String, String, String)| name.starts_with("impaired-");
    ensure!(!state.attributes.iter().any(named), "still said");
    scene.only_fenced(&old.name)
}

/// Readers hold up the replay of both standbys without limit when the primary dies. They would
/// lose their sessions by any restart: the winner ends them, and needs none.
pub fn replay_held_up_by_readers(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    old.sql(READ_TABLE)?;
    for node in &rest {
        configure(
            scene,
            node,
            "max_standby_streaming_delay = -1\nmax_standby_archive_delay = -1",
        )?;
        node.sql("SELECT pg_reload_conf()")?;
    }
    let mut readers = Vec::new();
    for node in &rest {
        scene
            .steps
            .wait("the table", PATIENCE, || node.sql("TABLE read_for_long"))?;
        readers.push(read(node)?);
    }
    scene.let_pass(Duration::from_secs(3), "the readers take their snapshots");
    old.sql("DELETE FROM read_for_long")?;
    old.sql("VACUUM read_for_long")?;
    for node in &rest {
        scene.steps.wait("replay to stand still", PATIENCE, || {
            let query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'startup' \
                         AND wait_event LIKE 'RecoveryConflict%'";
            ensure!(node.sql(query)? == "1", "no conflict on {}", node.name);
            Ok(())
        })?;
    }
    let before = scene.postmasters()?;
    scene.cut_power(&old)?;
    let new = scene
        .cluster
        .wait_promoted_among(&rest, Duration::from_secs(40))?;
    let now = new.sql("SELECT pg_postmaster_start_time()")?;
    ensure!(
        before.iter().any(|line| line.starts_with(&now)),
        "{} was restarted",
        new.name
    );
    scene.writes_go_on()?;
    for mut reader in readers {
        // The other standby's reader may go on reading.
        let _ = reader.kill();
        let _ = reader.wait();
    }
    for node in &rest {
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE query LIKE '%pg_sleep(900)%' AND pid <> pg_backend_pid()";
        node.sql(end)?;
    }
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

fn read(node: &Node) -> Result<Child> {
    let words = ["runuser", "-u", "postgres", "--", "psql", "-XAtq"];
    let mut command = node.command(&words)?;
    command.args(["-d", "postgres"]);
    for statement in READ.split("; ") {
        command.args(["-c", statement]);
    }
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    silent.spawn().context("a reader")
}

/// The archive hangs on all nodes when the primary dies. One of the standbys is promoted, with what
/// it has itself, and nobody is banned; and a standby that crashes now starts all the same.
pub fn restore_command_that_hangs(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    let line = format!("restore_command = 'if test -e {HANG}; then sleep 600; fi; false'");
    for node in &rest {
        configure(scene, node, &line)?;
        node.sql("SELECT pg_reload_conf()")?;
        node.write(HANG, "", "root:root", "0644")?;
    }
    scene.cut_power(&old)?;
    let new = scene
        .cluster
        .wait_promoted_among(&rest, Duration::from_secs(90))?;
    scene.writes_go_on()?;
    let state = scene.cluster.state()?;
    ensure!(state.fail_counts.is_empty(), "{:?}", state.fail_counts);
    let third = rest.iter().find(|node| **node != new).context("third")?;
    signal_postmaster(&scene.cluster, third, "KILL")?;
    let both = [new.name.as_str(), third.name.as_str()];
    scene.cluster.wait_whole_on(&both)?;
    for node in &rest {
        node.run(&["rm", "-f", HANG])?;
        // On the new primary nothing of it may be left.
        let _ = node.output(&["pkill", "-u", "postgres", "-x", "sleep"]);
    }
    scene.cluster.rejoin(&old)?;
    ensure!(scene.cluster.primary()? == new, "the primary moved");
    scene.only_fenced(&old.name)
}

/// A standby is restarted while a transaction with many subtransactions is open on the primary: it
/// lets nobody in until that has ended. The start does not fail for it; and when the primary dies
/// it is not in the way of the other one.
pub fn start_during_many_subtransactions(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let standby = scene.a_standby()?;
    let other = scene.cluster.others(&old.name);
    let other = other.iter().find(|node| **node != standby);
    let other = other.context("other")?.clone();
    let mut open = subtransactions(&old)?;
    scene.let_pass(Duration::from_secs(3), "the transaction gets going");
    old.sql("CHECKPOINT")?;
    scene
        .steps
        .wait("its replay", PATIENCE, || replays(&standby))?;
    standby.sql("CHECKPOINT")?;
    signal_postmaster(&scene.cluster, &standby, "KILL")?;
    scene.let_pass(Duration::from_secs(100), "a start that would take too long");
    let state = scene.cluster.state()?;
    let failed = |line: &&String| !line.contains("monitor");
    let failed: Vec<_> = state.failures.iter().filter(failed).collect();
    ensure!(failed.is_empty(), "{failed:?}");
    let closed = standby.sql("SELECT 1");
    ensure!(
        closed.is_err(),
        "{} is open: nothing was shown",
        standby.name
    );
    scene.cut_power(&old)?;
    let _ = open.kill();
    let _ = open.wait();
    let rest = [other, standby];
    let limit = Duration::from_secs(60);
    scene.cluster.wait_promoted_among(&rest, limit)?;
    scene.writes_go_on()?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

fn subtransactions(node: &Node) -> Result<Child> {
    let many = "CREATE TABLE IF NOT EXISTS subs(i int)";
    node.sql(many)?;
    let open = "BEGIN; DO $$BEGIN FOR n IN 1..100 LOOP BEGIN INSERT INTO subs VALUES (n); \
                EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END$$; \
                SELECT pg_sleep(900)";
    let words = ["runuser", "-u", "postgres", "--", "psql", "-XAtq"];
    let mut command = node.command(&words)?;
    command.args(["-d", "postgres", "-c", open]);
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    silent.spawn().context("a transaction")
}

/// A standby replays with a delay, and was restarted: what it holds is on its disk, and replayed in
/// a quarter of an hour. Its vote is needed, and it gives one; the other standby wins.
pub fn delayed_standby_votes_with_what_it_holds(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let delayed = scene.a_standby()?;
    let rest = scene.cluster.others(&old.name);
    let other = rest.iter().find(|node| **node != delayed);
    let other = other.context("other")?.clone();
    configure(scene, &delayed, "recovery_min_apply_delay = '15min'")?;
    delayed.sql("SELECT pg_reload_conf()")?;
    scene.let_pass(Duration::from_secs(5), "commits that are not replayed");
    scene.pcs(&format!("node standby {} --wait=60", delayed.name))?;
    scene.pcs(&format!("node unstandby {} --wait=60", delayed.name))?;
    scene.steps.wait("replay to be delayed", PATIENCE, || {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'startup' \
                     AND wait_event = 'RecoveryApplyDelay'";
        ensure!(delayed.sql(query)? == "1", "it is not");
        Ok(())
    })?;
    scene.cut_power(&old)?;
    let new = scene
        .cluster
        .wait_promoted_among(&rest, Duration::from_secs(60))?;
    ensure!(new == other, "{} is promoted", new.name);
    configure(scene, &delayed, "recovery_min_apply_delay = 0")?;
    delayed.sql("SELECT pg_reload_conf()")?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}
