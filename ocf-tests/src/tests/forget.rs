//! `pgsqlms forget`: a new database takes the place of the one that was elected.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::host::shell::ends_with;
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// Tools of Pacemaker, of which one takes the agent with it once it has written.
const DEADLY: &str = "/root/deadly";
/// All that survives everything, and what this node keeps itself.
const ON_RECORD: &str = "cibadmin --query --scope nodes; cat /var/lib/pgsqlms/pgsqld.ledger";

fn forget(node: &Node, code: i32, line: &str, words: &[&str]) -> Result<()> {
    let said = node.output(&["sh", "-c", line])?;
    ends_with(&said, code, words).context(line.to_owned())
}

/// A node of which nothing can be seen, a server that runs, and a person who does not confirm:
/// nothing is touched. Then the new database is put in the place of the one before, which all
/// ledgers know; the command is killed on the way, and called again.
pub fn new_database_is_elected(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let (node, rest) = (&stage.primary, [&stage.favourite, &stage.other]);
    stage.write_rows(node, 50)?;
    stage.wait_rows(&stage.favourite, 50)?;
    let system = system_of(node)?;
    refuses_what_it_cannot_see(&stage)?;
    scene.steps.say("another database, of which all are made");
    make_anew(scene, node)?;
    for other in rest {
        let (host, data) = (node.address().to_string(), datadir(scene));
        postgresql::base_backup(other, &host, &MAIN, &data)?;
        postgresql::mark_standby(other, scene.cluster.options.release, &MAIN)?;
    }
    postgresql::control(node, scene.cluster.options.release, &MAIN, "stop")?;
    postgresql::mark_standby(node, scene.cluster.options.release, &MAIN)?;
    is_refused(&stage)?;
    is_killed_and_called_again(node)?;
    scene.pcs("resource enable pgsqld-clone")?;
    scene.cluster.wait_whole()?;
    let primary = scene.cluster.primary()?;
    ensure!(primary == *node, "{} was promoted", primary.name);
    ensure!(system_of(node)? != system, "the old database is served");
    scene.cluster.move_primary(&stage.other.name)?;
    scene.cluster.wait_whole()?;
    remembers_nothing(scene, &system)?;
    scene.nobody_fenced()
}

/// While it runs, and while a node is away; the resource is disabled when this returns.
fn refuses_what_it_cannot_see(stage: &Stage) -> Result<()> {
    let (scene, node) = (stage.scene, &stage.primary);
    let before = node.run(&["sh", "-c", ON_RECORD])?;
    forget(
        node,
        2,
        "pgsqlms forget --yes",
        &["it runs on", "not disabled"],
    )?;
    let other = &stage.other;
    other.run_within(PATIENCE, &["pcs", "cluster", "stop"])?;
    scene.pcs("resource disable pgsqld-clone --wait=60")?;
    let away = format!("{} is away", other.name);
    forget(node, 3, "pgsqlms forget --yes", &[&away])?;
    scene.cluster.start_stack(std::slice::from_ref(other))?;
    scene.settle_pacemaker()?;
    scene.wait_stopped(&MAIN, &scene.cluster.nodes)?;
    scene.steps.wait("all to be seen stopped", PATIENCE, || {
        forget(
            node,
            0,
            "pgsqlms forget --dry-run",
            &["Nothing was touched"],
        )
    })?;
    // A node that has just joined is probed twice: between the two nobody knows what it runs.
    scene.steps.wait("the question to be asked", PATIENCE, || {
        forget(node, 1, "echo no | pgsqlms forget", &["Not confirmed"])
    })?;
    let reigns = |text: &str| text.matches("reign-pgsqld").count();
    let after = node.run(&["sh", "-c", ON_RECORD])?;
    ensure!(
        reigns(&before) > 0 && reigns(&after) == reigns(&before),
        "{before}\nbecame {after}"
    );
    Ok(())
}

fn datadir(scene: &Scene) -> String {
    scene.cluster.options.release.datadir(MAIN.name)
}

/// It runs when this returns.
fn make_anew(scene: &Scene, node: &Node) -> Result<()> {
    let (data, release) = (datadir(scene), scene.cluster.options.release);
    let initdb = format!("{}/initdb", release.bindir());
    node.run(&["find", &data, "-mindepth", "1", "-delete"])?;
    node.as_postgres(&[&initdb, "-D", &data, "--locale", "C.UTF-8"])?;
    postgresql::control(node, release, &MAIN, "start")?;
    // No standby is there that could confirm it.
    let table = format!("SET synchronous_commit = local; {}", postgresql::TABLE);
    node.sql(&table).map(drop)
}

fn system_of(node: &Node) -> Result<String> {
    node.sql("SELECT system_identifier FROM pg_control_system()")
}

/// What would happen without it; the resource is disabled again when this returns.
fn is_refused(stage: &Stage) -> Result<()> {
    let scene = stage.scene;
    scene.pcs("resource enable pgsqld-clone")?;
    let said = "grep -h 'another database' /var/log/pacemaker/pacemaker.log";
    scene.steps.wait("a refusal", Duration::from_secs(90), || {
        let mut nodes = scene.cluster.nodes.iter();
        let refuses = |node: &Node| node.run(&["sh", "-c", said]).is_ok();
        ensure!(nodes.any(refuses), "nobody says it");
        Ok(())
    })?;
    ensure!(scene.cluster.primary().is_err(), "there is a primary");
    scene.pcs("resource disable pgsqld-clone --wait=60")?;
    scene.pcs("resource cleanup")?;
    scene.settle_pacemaker()?;
    scene.wait_stopped(&MAIN, &scene.cluster.nodes)
}

fn is_killed_and_called_again(node: &Node) -> Result<()> {
    let script = format!(
        "mkdir {DEADLY} && for tool in cibadmin crm_node crm_resource attrd_updater; do \
         ln -s /usr/sbin/$tool {DEADLY}/$tool; done && \
         printf '#!/bin/sh\\n/usr/sbin/crm_attribute \"$@\"\\nkill -9 $PPID\\n' \
         >{DEADLY}/crm_attribute && chmod 755 {DEADLY}/crm_attribute"
    );
    node.run(&["sh", "-c", &script])?;
    let killed = format!("HA_SBIN_DIR={DEADLY} pgsqlms forget --yes");
    forget(node, 137, &killed, &["In its place"])?;
    forget(node, 137, &killed, &["In its place"])?;
    forget(node, 0, "pgsqlms forget --yes", &["Forgotten"])?;
    forget(node, 0, "pgsqlms forget --yes", &["nothing to forget"])
}

/// Nor do the others, on which nobody called it.
fn remembers_nothing(scene: &Scene, system: &str) -> Result<()> {
    let of_it = format!("sys={system}");
    scene.steps.wait("all to have forgotten", PATIENCE, || {
        for node in &scene.cluster.nodes {
            let text = node.run(&["sh", "-c", ON_RECORD])?;
            ensure!(!text.contains(&of_it), "{} remembers: {text}", node.name);
        }
        Ok(())
    })
}
