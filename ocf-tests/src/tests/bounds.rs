//! Every action ends before its time-out, with a reason, whatever hangs.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::cluster::agent;
use crate::cluster::postgresql::MAIN;
use crate::cluster::state::Role;
use crate::host::shell;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// A directory service that never tells the groups of anybody.
const MODULE: &str = "#include <unistd.h>\n\
     int _nss_hang_initgroups_dyn(void) { for (;;) pause(); }\n";
const HUNG_TOOLS: &str = "/root/hung-tools";
const TOOLS: [&str; 5] = [
    "crm_attribute",
    "attrd_updater",
    "cibadmin",
    "crm_node",
    "crm_mon",
];
/// Seconds that each action has by hand.
const TIME: u64 = 40;

/// The directory that knows the groups of accounts hangs: a node starts all the same.
pub fn directory_service_that_hangs(scene: &mut Scene) -> Result<()> {
    let standby = scene.a_standby()?;
    scene.pcs(&format!("node standby {} --wait=90", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    let switch = |from: &str, to: &str| {
        let edit = format!("s/^group:.*{from}.*/group: {to}/");
        standby.run(&["sed", "-i", &edit, "/etc/nsswitch.conf"])
    };
    install_module(&standby)?;
    switch("files", "files hang")?;
    scene.pcs(&format!("node unstandby {}", standby.name))?;
    let started = "Pacemaker to have started it";
    let up = scene.steps.wait(started, Duration::from_secs(50), || {
        let on = scene.cluster.state()?.on(MAIN.resource, &Role::Unpromoted);
        ensure!(on.contains(&standby.name), "only on {on:?}");
        Ok(())
    });
    switch("hang", "files")?;
    up?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

fn install_module(node: &Node) -> Result<()> {
    let folder = node.root().join("root");
    let source = folder.join("hang.c");
    std::fs::write(&source, MODULE)?;
    let library = node.root().join("usr/lib/libnss_hang.so.2");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-nostdlib", "-o"]);
    shell::run(compiler.arg(&library).arg(&source)).map(drop)
}

/// The disk of the data hangs under each verb in turn: each answers within its time.
pub fn hung_disk_under_each_verb(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    scene.pcs(&format!("node standby {} --wait=90", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    scene.pcs("property set maintenance-mode=true")?;
    // So that the agent itself has to write.
    let data = scene.cluster.options.release.datadir(MAIN.name);
    standby.run(&["rm", "-f", &format!("{data}/standby.signal")])?;
    with_hung_disk(&standby, || {
        fails(scene, &standby, "start")?;
        answers(scene, &standby, "monitor", &[7])?;
        answers(scene, &standby, "stop", &[0])
    })?;
    with_hung_disk(&primary, || {
        answers(scene, &primary, "monitor", &[8, 1])?;
        answers(scene, &primary, "notify", &[0, 1])?;
        answers(scene, &primary, "promote", &[0, 1])?;
        fails(scene, &primary, "demote")?;
        fails(scene, &primary, "stop")
    })?;
    scene.pcs("property set maintenance-mode=false")?;
    scene.pcs(&format!("node unstandby {}", standby.name))?;
    scene.pcs("resource cleanup")?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

fn with_hung_disk(node: &Node, act: impl FnOnce() -> Result<()>) -> Result<()> {
    node.hang_disk()?;
    let done = act();
    node.thaw_disk()?;
    done
}

/// All tools of Pacemaker hang: a standby starts, and a primary is demoted, in good time.
pub fn tools_of_pacemaker_that_hang(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    for node in [&primary, &standby] {
        node.run(&["mkdir", "-p", HUNG_TOOLS])?;
        for tool in TOOLS {
            let path = format!("{HUNG_TOOLS}/{tool}");
            node.write(&path, "#!/bin/sh\nexec sleep 600\n", "root:root", "0755")?;
        }
    }
    scene.pcs(&format!("node standby {} --wait=90", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    scene.pcs("property set maintenance-mode=true")?;
    answers(scene, &standby, "start", &[0])?;
    answers(scene, &standby, "stop", &[0])?;
    answers(scene, &primary, "demote", &[0])?;
    scene.pcs("property set maintenance-mode=false")?;
    scene.pcs(&format!("node unstandby {}", standby.name))?;
    scene.pcs("resource cleanup")?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

fn fails(scene: &Scene, node: &Node, action: &str) -> Result<()> {
    let said = by_hand(scene, node, action, &[1])?;
    ensure!(said.contains("ocf-exit-reason:"), "no reason: {said}");
    Ok(())
}

fn answers(scene: &Scene, node: &Node, action: &str, codes: &[i32]) -> Result<()> {
    by_hand(scene, node, action, codes).map(drop)
}

/// Runs the action as Pacemaker would, in the background: what sleeps in the kernel ends for
/// nobody, not for `timeout` either. Returns what it said.
fn by_hand(scene: &Scene, node: &Node, action: &str, codes: &[i32]) -> Result<String> {
    let release = scene.cluster.options.release;
    let script = format!(
        "rm -f /root/code; export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=pgsqld \
         HA_RSCTMP=/run/resource-agents HA_SBIN_DIR=$(test -d {HUNG_TOOLS} && echo {HUNG_TOOLS} \
         || echo /usr/sbin) OCF_RESKEY_bindir={} OCF_RESKEY_pgdata={} OCF_RESKEY_datadir={} \
         OCF_RESKEY_pghost=/var/run/postgresql OCF_RESKEY_pgport={} \
         OCF_RESKEY_CRM_meta_timeout={} OCF_RESKEY_CRM_meta_on_node={}; \
         (/{} {action} >/dev/null 2>/root/said; echo $? >/root/code) >/dev/null 2>&1 &",
        release.bindir(),
        release.confdir(MAIN.name),
        release.datadir(MAIN.name),
        MAIN.port,
        TIME * 1000,
        node.name,
        agent::PATH
    );
    node.run(&["sh", "-c", &script])?;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(TIME) {
        if let Ok(code) = node.run(&["cat", "/root/code"]) {
            let (code, said) = (code.trim().to_owned(), node.run(&["cat", "/root/said"])?);
            let text = format!("{action}: {code} after {:?}: {said}", begin.elapsed());
            scene.steps.say(&text);
            let code: i32 = code.parse().context("no code")?;
            ensure!(codes.contains(&code), "{text}");
            return Ok(said);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("{action} has not ended after {TIME} s")
}
