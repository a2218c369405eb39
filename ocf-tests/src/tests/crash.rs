//! PostgreSQL dies or is stopped behind Pacemaker's back: it comes back and nobody is fenced.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::{self, MAIN};
use crate::cluster::state::Role;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// kill -9 of the primary's postmaster: recovered in place or elsewhere, without loss.
pub fn kill_postmaster_of_primary(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    kill_postmaster(scene, &victim)?;
    primary_recovers(scene, &victim)
}

/// kill -9 of a standby's postmaster: it is started again, clients notice nothing.
pub fn kill_postmaster_of_standby(scene: &mut Scene) -> Result<()> {
    let victim = scene.a_standby()?;
    kill_postmaster(scene, &victim)?;
    standby_recovers(scene, &victim)
}

/// A clean pg_ctl stop of the primary that Pacemaker knows nothing of.
pub fn pg_ctl_stop_of_primary(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    stop_by_hand(scene, &victim)?;
    primary_recovers(scene, &victim)
}

/// A smart stop of the primary by hand: it lets nobody in, and waits for its last session without
/// end. That is a failure, not a busy server.
pub fn smart_stop_of_primary(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    let postmaster = scene.cluster.postmaster(&victim, &MAIN)?;
    scene.steps.say(&format!("smart stop on {}", victim.name));
    victim.run(&["kill", "-TERM", &postmaster.to_string()])?;
    primary_recovers(scene, &victim)
}

/// With `restart_after_crash=off` the loss of one backend ends the whole server, which Pacemaker
/// then recovers like any other crash.
pub fn backend_killed_where_no_restart_follows(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    victim.sql("ALTER SYSTEM SET restart_after_crash = off")?;
    victim.sql("SELECT pg_reload_conf()")?;
    let client = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lab_client' LIMIT 1";
    let backend = victim.sql(client)?;
    victim.run(&["kill", "-9", &backend])?;
    primary_recovers(scene, &victim)
}

/// A backend that is busy does not notice that its postmaster is dead, and no server can start
/// beside it: it is told to end, and does.
pub fn busy_backend_of_a_dead_postmaster(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    let busy = "psql -qAtX -c 'DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$' >/dev/null 2>&1 &";
    victim.as_postgres(&["sh", "-c", busy])?;
    let query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO $$ BEGIN LOOP%'";
    scene
        .steps
        .wait("a busy backend", Duration::from_secs(10), || {
            ensure!(victim.sql(query)? != "0", "none yet");
            Ok(())
        })?;
    kill_postmaster(scene, &victim)?;
    primary_recovers(scene, &victim)?;
    let killed = "Killing process [0-9]* of the instance";
    let log = "/var/log/pacemaker/pacemaker.log";
    let grep = victim.output(&["grep", "-c", killed, log])?;
    ensure!(
        grep.stdout == "0",
        "{} processes had to be killed",
        grep.stdout
    );
    Ok(())
}

/// recovery.signal of a restore, and the backup_label of a backup that was taken while the server
/// ran, are in the data directory of a primary that crashes: it comes back as a standby, and can
/// be promoted again.
pub fn files_of_a_backup_left_behind(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    let begun = "SELECT pg_backup_start('lab', true); SELECT labelfile FROM pg_backup_stop(false)";
    let label = victim.sql(begun)?;
    let label = label.split_once('\n').context("no label")?.1.to_owned() + "\n";
    let owner = "postgres:postgres";
    victim.write(&format!("{datadir}/backup_label"), &label, owner, "0600")?;
    victim.write(&format!("{datadir}/recovery.signal"), "", owner, "0600")?;
    kill_postmaster(scene, &victim)?;
    primary_recovers(scene, &victim)?;
    if scene.cluster.primary()? != victim {
        scene.cluster.move_primary(&victim.name)?;
        scene.cluster.wait_promoted(&victim.name)?;
    }
    let other = scene.a_standby()?;
    scene.cluster.move_primary(&other.name)?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// A clean pg_ctl stop of a standby that Pacemaker knows nothing of.
pub fn pg_ctl_stop_of_standby(scene: &mut Scene) -> Result<()> {
    let victim = scene.a_standby()?;
    stop_by_hand(scene, &victim)?;
    standby_recovers(scene, &victim)
}

/// A standby that lost its power left postmaster.pid, and its number now belongs to some other
/// process of the same user, for which PostgreSQL would refuse to start: the agent removes it.
pub fn number_of_a_dead_postmaster_is_taken(scene: &mut Scene) -> Result<()> {
    let standby = scene.a_standby()?;
    scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    let squat = format!(
        "sleep 120 >/dev/null 2>&1 & \
         printf '%s\\n{datadir}\\n1\\n5432\\n' $! > {datadir}/postmaster.pid"
    );
    standby.as_postgres(&["sh", "-c", &squat])?;
    scene.pcs(&format!("node unstandby {}", standby.name))?;
    scene.cluster.wait_whole()?;
    let removed = "Removing .*postmaster.pid, since nothing of the instance runs: it names process";
    standby
        .run(&["grep", "-q", removed, "/var/log/pacemaker/pacemaker.log"])
        .context("the agent did not see the lock file")?;
    scene.undisturbed()
}

/// A standby crashes as often as `migration-threshold` says, with time in between. Where failures
/// count for ever it is out of service then, as `check --setup` says beforehand. Where they expire,
/// it goes on.
pub fn failures_that_expire_take_no_node_out_of_service(scene: &mut Scene) -> Result<()> {
    const MOST: usize = 3;
    let victim = scene.a_standby()?;
    scene.pcs(&format!(
        "resource defaults update migration-threshold={MOST}"
    ))?;
    let warned = victim.output(&["pgsqlms", "check", "--setup"])?.text();
    let warning = "migration-threshold is 3 and there is no failure-timeout";
    ensure!(warned.contains(warning), "it says nothing: {warned}");
    for crash in 1..MOST {
        crash_of(scene, &victim, crash)?;
        scene.cluster.wait_whole()?;
    }
    kill_postmaster(scene, &victim)?;
    scene.wait_failure(&victim, "pgsqld_monitor")?;
    is_out_of_service(scene, &victim)?;
    scene.let_pass(Duration::from_secs(20), "a node out of service");
    is_out_of_service(scene, &victim)?;
    scene.clean_up()?;
    scene.pcs("resource defaults update failure-timeout=20s")?;
    for _ in 0..MOST {
        crash_of(scene, &victim, 1)?;
        scene.cluster.wait_whole()?;
        scene
            .steps
            .wait("the failure to expire", Duration::from_secs(90), || {
                let counted = scene.cluster.state()?.fail_counts;
                ensure!(counted.is_empty(), "{counted:?}");
                Ok(())
            })?;
    }
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    scene.nobody_fenced()
}

/// Pacemaker runs nothing there; what the last crash left is there still.
fn is_out_of_service(scene: &Scene, victim: &Node) -> Result<()> {
    let what = format!("{} to be out of service", victim.name);
    scene.steps.wait(&what, Duration::from_secs(60), || {
        let standbys = scene.cluster.state()?.on(MAIN.resource, &Role::Unpromoted);
        ensure!(!standbys.contains(&victim.name), "{standbys:?}");
        ensure!(victim.sql("SELECT 1").is_err(), "it answers");
        Ok(())
    })
}

/// Kills its server; so many failures are on record then.
fn crash_of(scene: &Scene, victim: &Node, count: usize) -> Result<()> {
    kill_postmaster(scene, victim)?;
    let line = format!("{} on {}: {count}", MAIN.resource, victim.name);
    scene.steps.wait(&line, Duration::from_secs(60), || {
        let counted = scene.cluster.state()?.fail_counts;
        ensure!(counted.contains(&line), "{counted:?}");
        Ok(())
    })
}

fn kill_postmaster(scene: &Scene, victim: &Node) -> Result<()> {
    let postmaster = scene.cluster.postmaster(victim, &MAIN)?;
    scene
        .steps
        .say(&format!("kill -9 of the postmaster on {}", victim.name));
    victim
        .run(&["kill", "-9", &postmaster.to_string()])
        .map(drop)
}

fn stop_by_hand(scene: &Scene, victim: &Node) -> Result<()> {
    scene
        .steps
        .say(&format!("pg_ctl stop on {} by hand", victim.name));
    postgresql::control(victim, scene.cluster.options.release, &MAIN, "stop")
}

/// Before the cluster is judged whole, Pacemaker must have noticed: a failure is on record.
fn wait_noticed(scene: &Scene, victim: &Node) -> Result<()> {
    let what = format!("Pacemaker to notice on {}", victim.name);
    scene.steps.wait(&what, Duration::from_secs(60), || {
        let state = scene.cluster.state()?;
        ensure!(
            state
                .failures
                .iter()
                .any(|line| line.contains(&victim.name)),
            "no failure yet"
        );
        Ok(())
    })
}

fn primary_recovers(scene: &Scene, victim: &Node) -> Result<()> {
    wait_noticed(scene, victim)?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    let primary = scene.cluster.primary()?;
    scene.steps.say(&format!(
        "{} failed, {} is primary now",
        victim.name, primary.name
    ));
    scene.nobody_fenced()?;
    only_failed_on(scene, victim)?;
    scene.clean_up()
}

fn standby_recovers(scene: &Scene, victim: &Node) -> Result<()> {
    let primary = scene.cluster.primary()?;
    wait_noticed(scene, victim)?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    scene.nobody_fenced()?;
    only_failed_on(scene, victim)?;
    scene.clean_up()
}

/// The one failure on record is the monitor that saw the dead server.
fn only_failed_on(scene: &Scene, victim: &Node) -> Result<()> {
    let failures = scene.cluster.state()?.failures;
    let expected = |line: &String| {
        line.starts_with("pgsqld_monitor") && line.contains(&format!(" on {}:", victim.name))
    };
    ensure!(
        failures.iter().all(expected),
        "failed actions: {}",
        failures.join("; ")
    );
    Ok(())
}
