//! What runs on a node, and what does not: a number, a name or a look that is refused prove
//! neither.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::fault::signal_postmaster;
use crate::run::scene::Scene;
use crate::tests::facts::{harden, one_primary};

/// The number in an old `postmaster.pid` is another process's for as long as it likes, as a
/// backend of a second instance has it; then the file is empty, as power loss leaves it; then the
/// same is true of the lock file beside the socket. The node comes back each time.
pub fn lock_file_of_a_process_that_stays(scene: &mut Scene) -> Result<()> {
    let standby = scene.a_standby()?;
    let path = format!(
        "{}/postmaster.pid",
        scene.cluster.options.release.datadir(MAIN.name)
    );
    let stranger = "cd /; setsid runuser -u postgres -- sleep 900 >/dev/null 2>&1 & sleep 1; \
                    pid=$(pgrep -n -u postgres -x sleep) && printf '%s\\n/data\\n1700000000\\n5432\\n\
                    /var/run/postgresql\\n*\\n 1 2\\nready   \\n' $pid";
    let beside = "/var/run/postgresql/.s.PGSQL.5432.lock".to_owned();
    let of_ours = stranger.replace("/data", path.trim_end_matches("/postmaster.pid"));
    for (text, path) in [
        (stranger, &path),
        ("true", &path),
        (of_ours.as_str(), &beside),
    ] {
        scene.pcs(&format!("node standby {} --wait=90", standby.name))?;
        scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
        let script = format!("{{ {text}; }} > {path} && chown postgres: {path}");
        standby.run(&["sh", "-c", &script])?;
        scene.pcs(&format!("node unstandby {}", standby.name))?;
        scene.cluster.wait_whole()?;
    }
    standby.run(&["pgrep", "-u", "postgres", "-x", "sleep"])?;
    scene.undisturbed()
}

/// Somebody repairs the old primary in single-user mode while the resource is disabled, and
/// somebody else refreshes it: nobody is disturbed. A start refuses, and what stops the
/// resource ends the repair; nobody is fenced.
pub fn single_user_mode_is_no_fault(scene: &mut Scene) -> Result<()> {
    let node = scene.cluster.primary()?;
    scene.pcs("resource disable pgsqld-clone --wait=90")?;
    scene.wait_stopped(&MAIN, &scene.cluster.nodes)?;
    repair(scene, &node)?;
    scene.pcs("resource refresh pgsqld-clone")?;
    scene.let_pass(Duration::from_secs(20), "probes");
    ensure!(scene.cluster.state()?.failures.is_empty(), "a failure");
    ensure!(is_repaired(scene, &node), "the repair was ended");
    scene.nobody_fenced()?;
    scene.pcs("resource enable pgsqld-clone")?;
    scene.wait_failure(&node, "pgsqld_start")?;
    let ended = "the repair to be ended";
    scene.steps.wait(ended, PATIENCE, || {
        ensure!(!is_repaired(scene, &node), "it runs");
        Ok(())
    })?;
    scene.settle_pacemaker()?;
    scene.nobody_fenced()?;
    scene.pcs("resource cleanup pgsqld-clone")?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

fn repair(scene: &Scene, node: &Node) -> Result<()> {
    let release = scene.cluster.options.release;
    let (data, conf) = (release.datadir(MAIN.name), release.confdir(MAIN.name));
    let script = format!(
        "cd /; rm -f {data}/standby.signal; (sleep 900 | setsid runuser -u postgres -- \
         {}/postgres --single -D {conf} postgres) >/root/single.log 2>&1 &",
        release.bindir()
    );
    node.run(&["sh", "-c", &script])?;
    let begun = "a repair in single-user mode";
    scene.steps.wait(begun, Duration::from_secs(30), || {
        ensure!(is_repaired(scene, node), "no lock file of it");
        Ok(())
    })
}

fn is_repaired(scene: &Scene, node: &Node) -> bool {
    let data = scene.cluster.options.release.datadir(MAIN.name);
    let look =
        format!("pid=$(head -n1 {data}/postmaster.pid) && test $pid -lt 0 && kill -0 ${{pid#-}}");
    node.run(&["sh", "-c", &look]).is_ok()
}

/// The server's program has a name of its own, as that of a rebranded PostgreSQL: it is
/// started, watched, moved, killed and restarted like any other.
pub fn server_of_another_name(scene: &mut Scene) -> Result<()> {
    let bindir = scene.cluster.options.release.bindir();
    scene.pcs("resource disable pgsqld-clone --wait=90")?;
    scene.wait_stopped(&MAIN, &scene.cluster.nodes)?;
    let script = format!(
        "cp -a $(dirname {bindir}) /opt/brand && cd /opt/brand/bin && \
         mv postgres dbserver && printf '#!/bin/sh\\nexec /opt/brand/bin/dbserver \"$@\"\\n' \
         > postgres && chmod 755 postgres"
    );
    for node in &scene.cluster.nodes {
        node.run(&["sh", "-c", &script])?;
    }
    scene.pcs("resource update pgsqld bindir=/opt/brand/bin")?;
    scene.pcs("resource enable pgsqld-clone")?;
    scene.cluster.wait_whole()?;
    let old = scene.cluster.primary()?;
    old.run(&["pgrep", "-x", "dbserver"])
        .context("the server has its usual name")?;
    let new = scene.a_standby()?;
    scene.cluster.move_primary(&new.name)?;
    scene.cluster.wait_promoted(&new.name)?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()?;
    signal_postmaster(&scene.cluster, &new, "KILL")?;
    let again = "one primary after its postmaster was killed";
    scene.steps.wait(again, PATIENCE, || one_primary(scene))?;
    scene.settle_pacemaker()?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

/// Nobody may look into the server's processes, not even as its own user (a program with a
/// file capability), and on the same node runs another server of the same user: what runs is
/// known all the same, also where it does not.
pub fn servers_that_nobody_may_look_into(scene: &mut Scene) -> Result<()> {
    let node = scene.cluster.primary()?;
    let bindir = scene.cluster.options.release.bindir();
    scene.pcs("property set maintenance-mode=true")?;
    harden(scene, &node)?;
    scene.pcs("property set maintenance-mode=false")?;
    let standby = |word: &str| scene.pcs(&format!("node {word} {} --wait=90", node.name));
    standby("standby")?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&node))?;
    let other = format!(
        "setcap cap_ipc_lock+ep {bindir}/postgres && cd /tmp && \
         runuser -u postgres -- {bindir}/initdb -D /tmp/other >/dev/null && \
         runuser -u postgres -- {bindir}/pg_ctl -w -D /tmp/other -l /tmp/other.log \
         -o '-p 6000 -k /tmp' start"
    );
    node.run(&["sh", "-c", &other])?;
    scene.pcs("resource refresh pgsqld-clone")?;
    scene.let_pass(Duration::from_secs(20), "probes");
    scene.nobody_fenced()?;
    standby("unstandby")?;
    scene.cluster.wait_whole()?;
    scene.cluster.move_primary(&node.name)?;
    scene.cluster.wait_promoted(&node.name)?;
    scene.cluster.wait_whole()?;
    one_primary(scene)?;
    scene.let_pass(Duration::from_secs(20), "one round of monitors");
    scene.nobody_fenced()?;
    ensure!(scene.cluster.primary()? == node, "the primary moved");
    standby("standby")?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&node))?;
    one_primary(scene)?;
    standby("unstandby")?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}
