//! Processes of PostgreSQL that hang or are too many: busy is not dead, and one mute node does
//! not stop the others.
//!
//! A row is one of the table in docs/faults.md.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::fault::{Fault, signal_postmaster, signal_servants};
use crate::run::scene::Scene;

const CHECKPOINTER: &str = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
const STARTUP: &str = "pgrep -u postgres -f 'startup recovering' | head -1";
/// From the fault to a primary: a monitor notices it (25 s), demote gives it up (20 s), and stop
/// ends it (about 25 s). With a fenced node it was 93 s.
const LONGEST: Duration = Duration::from_secs(90);
/// Replay of it takes some seconds.
const MUCH_WAL: &str = "CREATE TABLE much AS SELECT g, repeat('x', 100) FROM \
                        generate_series(1, 1000000) AS g";

/// Row 4: the walreceiver of a standby freezes: commits go on with the other one, nothing moves,
/// and once it runs again the standby catches up.
pub fn frozen_walreceiver(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    Fault::FrozenReplication.inject(&scene.cluster, &standby)?;
    scene.let_pass(Duration::from_secs(35), "two rounds of monitors");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.writes_go_on()?;
    scene.undisturbed()?;
    Fault::FrozenReplication.heal(&scene.cluster, &standby)?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// Row 21, B2: superusers have taken the reserved connections too. The primary is busy, not
/// dead; asked to go it stops cleanly, and a standby takes over.
pub fn no_connection_left_for_anybody(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let sleep = "for i in $(seq 80); do psql -XAtq -h 127.0.0.1 -U postgres -d postgres \
                 -c 'SELECT pg_sleep(120)' >/dev/null 2>&1 & done; wait";
    let mut crowd = old
        .command(&["sh", "-c", sleep])?
        .spawn()
        .context("crowd")?;
    scene.steps.wait(
        "all connections to be taken",
        Duration::from_secs(20),
        || {
            ensure!(old.sql("SELECT 1").is_err(), "there is room for another");
            Ok(())
        },
    )?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    let state = scene.cluster.state()?;
    ensure!(state.failures.is_empty(), "{:?}", state.failures);
    scene.pcs(&format!("node standby {} --wait=90", old.name))?;
    crowd.wait()?;
    let rest = scene.cluster.others(&old.name);
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.pcs(&format!("node unstandby {}", old.name))?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// Row 24: the shutdown checkpoint of the primary takes longer than its stop may, and the time of
/// the stop is too short to see that nothing moves. It is not stopped hard: the node is fenced,
/// and comes back as a standby.
pub fn stop_that_takes_too_long(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    scene.pcs("resource update pgsqld op demote timeout=20s")?;
    scene.pcs("resource update pgsqld op stop timeout=20s")?;
    scene.cluster.wait_whole()?;
    signal_servants(&old, "STOP", CHECKPOINTER, 1)?;
    scene.pcs(&format!("resource ban pgsqld-clone {}", old.name))?;
    let rest = scene.cluster.others(&old.name);
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.pcs(&format!("resource clear pgsqld-clone {}", old.name))?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

/// B7: a standby is frozen at the moment when the primary's node loses power. The other one is
/// promoted all the same, and soon. (Where commits wait for any one of the two, the frozen one is
/// needed: `paf_losses::synchronous_commits_outlive_a_double_fault`.)
pub fn mute_standby_does_not_block_the_election(scene: &mut Scene) -> Result<()> {
    let (old, mute) = (scene.cluster.primary()?, scene.a_standby()?);
    let other = scene.cluster.others(&old.name);
    let other = other.iter().find(|node| **node != mute).context("other")?;
    signal_postmaster(&scene.cluster, &mute, "STOP")?;
    signal_servants_of_all(&mute)?;
    scene.cut_power(&old)?;
    let (candidate, limit) = (std::slice::from_ref(other), Duration::from_secs(30));
    scene.cluster.wait_promoted_among(candidate, limit)?;
    // Pacemaker may have started it anew by itself.
    let _ = mute.output(&["pkill", "-CONT", "-u", "postgres"]);
    scene.cluster.rejoin_all()?;
    ensure!(scene.cluster.primary()? == *other, "the primary moved");
    scene.writes_go_on()
}

/// A frozen postmaster's children still answer: all of them freeze.
fn signal_servants_of_all(node: &Node) -> Result<()> {
    node.run(&["pkill", "-STOP", "-u", "postgres"]).map(drop)
}

/// B10: no checkpoint can be made on any standby when the primary's node loses power. None is
/// needed for a failover.
pub fn failover_waits_for_no_checkpoint(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    for node in &rest {
        signal_servants(node, "STOP", CHECKPOINTER, 1)?;
    }
    scene.cut_power(&old)?;
    scene
        .cluster
        .wait_promoted_among(&rest, Duration::from_secs(30))?;
    for node in &rest {
        node.run(&["pkill", "-CONT", "-u", "postgres"])?;
    }
    scene.cluster.rejoin_all()?;
    scene.only_fenced(&old.name)
}

/// B12: replay is paused on both standbys when the primary's node loses power. What they hold
/// counts, not what they have replayed, and a paused one is promoted.
pub fn paused_replay_is_no_obstacle(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    for node in &rest {
        node.sql("SELECT pg_wal_replay_pause()")?;
    }
    scene.writes_go_on()?;
    scene.cut_power(&old)?;
    scene.cluster.wait_promoted_among(&rest, PATIENCE)?;
    for node in &rest {
        if node.sql("SELECT pg_is_in_recovery()")? == "t" {
            node.sql("SELECT pg_wal_replay_resume()")?;
        }
    }
    scene.cluster.rejoin_all()?;
    scene.only_fenced(&old.name)
}

/// Row 26, B4 and B5: the crash recovery of the primary hardly moves, and is killed on the way.
/// Nobody is fenced, and the cluster ends whole.
pub fn long_crash_recovery_is_killed(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    victim.sql(MUCH_WAL)?;
    signal_postmaster(&scene.cluster, &victim, "KILL")?;
    let limit = Duration::from_secs(60);
    let startup = scene.steps.wait("recovery to begin", limit, || {
        let found = victim.run(&["sh", "-c", STARTUP])?;
        ensure!(!found.trim().is_empty(), "no startup process");
        victim.run(&["kill", "-STOP", found.trim()])?;
        Ok(found.trim().to_owned())
    })?;
    scene.let_pass(Duration::from_secs(20), "recovery takes its time");
    // It may be over: Pacemaker could have ended it together with its server.
    let _ = signal_postmaster(&scene.cluster, &victim, "KILL");
    let _ = victim.output(&["kill", "-9", &startup]);
    let rest = scene.cluster.others(&victim.name);
    let (all, names) = (
        scene.cluster.names(),
        [rest[0].name.as_str(), rest[1].name.as_str()],
    );
    let what = "a whole cluster, with or without the node";
    scene.steps.wait(what, PATIENCE, || {
        let whole = scene.cluster.whole(&MAIN, &all);
        whole.or_else(|_| scene.cluster.whole(&MAIN, &names))
    })?;
    scene.writes_go_on()?;
    // A start that failed is not tried again on its node unless an admin says so.
    scene.clean_up()?;
    scene.nobody_fenced()
}

/// B14: a client that streams from a standby is frozen. The standby stops in time all the same.
pub fn standby_with_a_frozen_downstream_stops(scene: &mut Scene) -> Result<()> {
    let standby = scene.a_standby()?;
    let receive = "mkdir -p /tmp/wal; chown postgres /tmp/wal; cd /tmp; \
                   exec runuser -u postgres -- pg_receivewal -D /tmp/wal -h 127.0.0.1 -U postgres \
                   --no-loop";
    let hba = format!(
        "{}/pg_hba.conf",
        scene.cluster.options.release.confdir(MAIN.name)
    );
    standby.run(&[
        "sed",
        "-i",
        "1i host replication all 127.0.0.1/32 trust",
        &hba,
    ])?;
    standby.sql("SELECT pg_reload_conf()")?;
    let mut downstream = standby.command(&["sh", "-c", receive])?.spawn()?;
    scene
        .steps
        .wait("the downstream", Duration::from_secs(20), || {
            let count = standby.sql("SELECT count(*) FROM pg_stat_replication")?;
            ensure!(count == "1", "{count} connected");
            Ok(())
        })?;
    standby.run(&["pkill", "-STOP", "-x", "pg_receivewal"])?;
    scene.pcs(&format!("node standby {} --wait=90", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    standby.run(&["pkill", "-KILL", "-x", "pg_receivewal"])?;
    // It stopped itself together with its child, and was not killed with it.
    downstream.kill()?;
    downstream.wait()?;
    scene.pcs(&format!("node unstandby {}", standby.name))?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// B15: the process id in the postmaster.pid of a node that is stopped belongs to another
/// program by now. Nothing runs, so nothing failed.
pub fn reused_process_id(scene: &mut Scene) -> Result<()> {
    let standby = scene.a_standby()?;
    scene.pcs(&format!("node standby {} --wait=90", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    let script = format!(
        "cd /; setsid runuser -u postgres -- sleep 600 >/dev/null 2>&1 & sleep 1; \
         pid=$(pgrep -u postgres -x sleep); \
         printf '%s\\n{datadir}\\n1700000000\\n5432\\n/var/run/postgresql\\n*\\n 1 2\\nready   \\n' \
         $pid > {datadir}/postmaster.pid; chown postgres: {datadir}/postmaster.pid"
    );
    standby.run(&["sh", "-c", &script])?;
    scene.pcs("resource refresh pgsqld-clone")?;
    scene.let_pass(Duration::from_secs(10), "the probes");
    scene.undisturbed()?;
    standby.run(&["pkill", "-u", "postgres", "-x", "sleep"])?;
    scene.pcs(&format!("node unstandby {}", standby.name))?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// The postmaster of the primary is frozen: it answers nobody, and does not stop. `stop` ends it
/// before its node is fenced for it. It comes back as a standby, and whoever holds most is
/// promoted, which may be this node.
pub fn frozen_primary_is_ended_and_not_fenced(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let postmaster = scene.cluster.postmaster(&old, &MAIN)?;
    let begin = Instant::now();
    signal_postmaster(&scene.cluster, &old, "STOP")?;
    scene.wait_failure(&old, "pgsqld_demote")?;
    scene.cluster.wait_whole()?;
    let took = begin.elapsed();
    scene.steps.say(&format!("whole again after {took:.1?}"));
    let now = scene.cluster.postmaster(&old, &MAIN)?;
    ensure!(
        now != postmaster,
        "the frozen postmaster {now} is still there"
    );
    scene.writes_go_on()?;
    ensure!(took < LONGEST, "whole again after {took:.1?}");
    scene.clean_up()?;
    scene.nobody_fenced()
}

/// The checkpointer of the primary is frozen: the primary answers, and its stop comes to no end.
pub fn frozen_checkpointer_is_ended_and_not_fenced(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    signal_servants(&old, "STOP", CHECKPOINTER, 1)?;
    let begin = Instant::now();
    scene.pcs(&format!(
        "resource ban pgsqld-clone {} --promoted",
        old.name
    ))?;
    // Half of the time of the demotion goes by with a checkpoint, while clients are served.
    wait_promoted_elsewhere(scene, &old, begin)?;
    let down = scene.downtime()?;
    ensure!(down < LONGEST, "down for {down:.1?}");
    scene.pcs("resource clear pgsqld-clone")?;
    scene.clean_up()?;
    scene.nobody_fenced()
}

fn wait_promoted_elsewhere(scene: &Scene, old: &Node, begin: Instant) -> Result<()> {
    let rest = scene.cluster.others(&old.name);
    let limit = Duration::from_secs(180);
    scene.cluster.wait_promoted_among(&rest, limit)?;
    let took = begin.elapsed();
    scene
        .steps
        .say(&format!("another primary after {took:.1?}"));
    scene.writes_go_on()?;
    scene.nobody_fenced()
}

/// After a power cut the server that was the primary starts as a standby, and hangs before its
/// control file says so (as where the sync of a large data directory takes longer than the start
/// may). It is a standby: it is stopped hard, and its node is not fenced again.
pub fn hung_start_after_a_power_cut(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    old.sql(MUCH_WAL)?;
    scene.cut_power(&old)?;
    let rest = scene.cluster.others(&old.name);
    scene.cluster.wait_promoted_among(&rest, PATIENCE)?;
    scene.cluster.bring_back(&old)?;
    let freeze = "for i in $(seq 3000); do pid=$(pgrep -u postgres -f ': startup') && kill -STOP \
                  $pid && exit 0; sleep 0.01; done; exit 1";
    old.run_within(Duration::from_secs(60), &["sh", "-c", freeze])?;
    scene.wait_failure(&old, "pgsqld_start")?;
    // SIGKILL leaves a postmaster.pid.
    scene.steps.wait("the stop", Duration::from_secs(70), || {
        let found = old.output(&["pgrep", "-u", "postgres", "-x", "postgres"])?;
        ensure!(found.stdout.is_empty(), "it runs on {}", old.name);
        Ok(())
    })?;
    let fencings = scene.cluster.power.fencings()?;
    // One fencing is an "off" and an "on".
    ensure!(
        fencings.iter().filter(|one| one.what == "off").count() == 1,
        "fenced again: {fencings:?}"
    );
    scene.writes_go_on()?;
    scene.pcs("resource cleanup")?;
    scene.cluster.rejoin_all()?;
    scene.only_fenced(&old.name)
}
