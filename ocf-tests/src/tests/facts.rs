//! Facts that mislead: what the agent cannot see, or sees differently than it is, decides nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::fault::signal_postmaster;
use crate::run::misled;
use crate::run::scene::Scene;

/// A function of the same name as the server's own, which tells that it was called.
const TRAP: &str = "CREATE TABLE trapped (at timestamptz); \
     CREATE FUNCTION public.pg_is_in_recovery() RETURNS bool LANGUAGE plpgsql AS \
     'BEGIN INSERT INTO public.trapped VALUES (now()); RETURN true; END'";
/// Pacemaker on the primary's node may not look into processes of others, as in a hardened unit
/// or a container: the server that runs is known all the same, nobody else is promoted, and the
/// node works.
pub fn agent_that_may_not_trace_processes(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let before = scene.postmasters()?;
    scene.pcs("property set maintenance-mode=true")?;
    harden(scene, &primary)?;
    scene.pcs("property set maintenance-mode=false")?;
    scene.cluster.wait_whole()?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    one_primary(scene)?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    ensure!(scene.postmasters()? == before, "PostgreSQL was restarted");
    scene.undisturbed()?;
    scene.pcs(&format!("node standby {} --wait=60", primary.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&primary))?;
    scene.pcs(&format!("node unstandby {} --wait=60", primary.name))?;
    scene.cluster.wait_whole()?;
    one_primary(scene)?;
    scene.undisturbed()
}

/// Restarts Pacemaker on the node, without the right to look into processes of others.
pub fn harden(scene: &Scene, node: &Node) -> Result<()> {
    scene
        .steps
        .say(&format!("no CAP_SYS_PTRACE for Pacemaker on {}", node.name));
    misled::blind_agent(node)?;
    scene
        .steps
        .wait("Pacemaker to be back", Duration::from_secs(60), || {
            node.run(&["crm_mon", "-1"]).map(drop)
        })
}

/// That exactly one node is open for writing.
pub fn one_primary(scene: &Scene) -> Result<()> {
    let open = |node: &&Node| {
        node.sql("SELECT pg_is_in_recovery()")
            .is_ok_and(|it| it == "f")
    };
    let open: Vec<_> = scene.cluster.nodes.iter().filter(open).collect();
    let names: Vec<_> = open.iter().map(|node| node.name.as_str()).collect();
    ensure!(names.len() == 1, "open for writing: {names:?}");
    Ok(())
}

/// Defaults of the role and of the database reach no session of the agent's: monitors, a
/// switchover and a failover go on, and no function of somebody else's is run.
pub fn session_defaults_reach_no_session_of_the_agent(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    old.sql(TRAP)?;
    misled::set_defaults(&old)?;
    scene.let_pass(Duration::from_secs(35), "two rounds of monitors");
    scene.undisturbed()?;
    let new = scene.a_standby()?;
    scene.cluster.move_primary(&new.name)?;
    scene.cluster.wait_promoted(&new.name)?;
    scene.undisturbed()?;
    signal_postmaster(&scene.cluster, &new, "KILL")?;
    let again = "one primary after its postmaster was killed";
    scene.steps.wait(again, PATIENCE, || one_primary(scene))?;
    scene.settle_pacemaker()?;
    let primary = scene.cluster.primary()?;
    misled::reset_defaults(&primary)?;
    let called = primary.sql("SELECT count(*) FROM public.trapped")?;
    ensure!(called == "0", "somebody else's function was run: {called}");
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

/// The database `postgres` is gone when the primary dies: another node is promoted.
pub fn database_postgres_is_gone(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    drop_database(&old)?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    scene.undisturbed()?;
    scene.cut_power(&old)?;
    let rest = scene.cluster.others(&old.name);
    scene.steps.wait("another primary", PATIENCE, || {
        let promoted = scene.cluster.primary()?;
        ensure!(rest.contains(&promoted), "{} is promoted", promoted.name);
        in_template1(&promoted, "CREATE DATABASE postgres")
    })?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

/// Monitors hold sessions in it for moments.
fn drop_database(node: &Node) -> Result<()> {
    in_template1(node, "DROP DATABASE postgres").or_else(|_| {
        std::thread::sleep(Duration::from_secs(2));
        in_template1(node, "DROP DATABASE postgres")
    })
}

fn in_template1(node: &Node, statement: &str) -> Result<()> {
    let words = ["psql", "-XAtq", "-d", "template1", "-c", statement];
    node.as_postgres(&words).map(drop)
}

/// postgres puts a link to a file of root's, then a FIFO, in the place of PG_VERSION: the start
/// fails with a reason and at once, no line of that file is in any log, and the node comes back
/// once the file is repaired.
pub fn what_stands_in_pg_version_is_told_to_nobody(scene: &mut Scene) -> Result<()> {
    let standby = scene.a_standby()?;
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    let path = format!("{datadir}/PG_VERSION");
    scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    standby.as_postgres(&["mv", &path, &format!("{path}.good")])?;
    for trick in [["ln", "-s", "/etc/shadow"].as_slice(), &["mkfifo"]] {
        let words = [trick, &[path.as_str()]].concat();
        standby.as_postgres(&words)?;
        scene.pcs(&format!("node unstandby {}", standby.name))?;
        scene.wait_failure(&standby, "pgsqld_start")?;
        tells_no_secret(&standby)?;
        scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
        standby.as_postgres(&["rm", &path])?;
        scene.pcs("resource cleanup")?;
    }
    standby.as_postgres(&["mv", &format!("{path}.good"), &path])?;
    scene.pcs(&format!("node unstandby {}", standby.name))?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

fn tells_no_secret(node: &Node) -> Result<()> {
    let look = "secret=$(head -n1 /etc/shadow) && \
                ! grep -rqF \"$secret\" /var/log/pacemaker /var/lib/pacemaker/cib && \
                ! journalctl --no-pager | grep -qF \"$secret\" && \
                ! crm_mon -1 | grep -qF \"$secret\"";
    node.run(&["sh", "-c", look])
        .map(drop)
        .context("a line of /etc/shadow is in a log")
}

/// The primary freezes and local clients fill its socket's queue before a monitor comes: a
/// connection is refused at once then, which is no sign of life.
pub fn frozen_primary_with_a_full_queue(scene: &mut Scene) -> Result<()> {
    let victim = scene.cluster.primary()?;
    signal_postmaster(&scene.cluster, &victim, "STOP")?;
    misled::fill_queue(&victim)?;
    scene
        .steps
        .wait("Pacemaker to notice", Duration::from_secs(90), || {
            let state = scene.cluster.state()?;
            ensure!(!state.failures.is_empty(), "no failure yet");
            Ok(())
        })?;
    let rest = scene.cluster.others(&victim.name);
    let names = [rest[0].name.as_str(), rest[1].name.as_str()];
    let all = scene.cluster.names();
    scene.steps.wait("a whole cluster", PATIENCE, || {
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
