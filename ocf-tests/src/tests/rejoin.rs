//! A primary that crashed before it had sent its last rows comes back: with `rejoin=rewind` it
//! ends as a streaming standby whatever interrupts that, with `follow` it says what is wrong.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::scene::Scene;

const REWIND: &str = "resource update pgsqld rejoin=rewind";

/// The crashed node rewinds itself when its cluster stack starts again, and its log says what
/// it threw away.
pub fn diverged_primary_is_rewound(scene: &mut Scene) -> Result<()> {
    let old = diverge(scene)?;
    scene.pcs(REWIND)?;
    scene.cluster.bring_back(&old)?;
    scene.cluster.wait_whole()?;
    ensure!(scene.cluster.primary()? != old, "the primary moved back");
    tail_is_gone(&old)?;
    logged(&old, "bytes of WAL) is thrown away")?;
    settings_are_its_own(&old)?;
    scene.only_fenced(&old.name)
}

/// The power goes in the middle of pg_rewind: nothing is started on what it left, and the next
/// start of the node resumes.
pub fn interrupted_rewind_is_resumed(scene: &mut Scene) -> Result<()> {
    let old = diverge(scene)?;
    let primary = scene.cluster.primary()?;
    primary
        .sql("CREATE TABLE big AS SELECT g, repeat('x', 500) FROM generate_series(1, 100000) g")?;
    let file = primary.sql("SELECT pg_relation_filepath('big')")?;
    let bindir = scene.cluster.options.release.bindir();
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    let program = old
        .root()
        .join(format!("{bindir}/pg_rewind").trim_start_matches('/'));
    let real = program.with_extension("real");
    fs::rename(&program, &real)?;
    fs::write(
        &program,
        stops_at(&format!("{bindir}/pg_rewind.real"), &datadir, &file),
    )?;
    executable(&program)?;
    scene.pcs(REWIND)?;
    scene.cluster.bring_back(&old)?;
    scene
        .steps
        .wait("pg_rewind to be in the middle", PATIENCE, || {
            old.run(&["test", "-e", "/tmp/in-the-middle"]).map(drop)
        })?;
    scene.cut_power(&old)?;
    fs::rename(&real, &program)?;
    scene.cluster.bring_back(&old)?;
    scene.cluster.wait_whole()?;
    logged(&old, "Resuming a rewind that was interrupted")?;
    tail_is_gone(&old)?;
    ensure!(
        old.sql("SELECT count(*) FROM big")? == "100000",
        "rows of big are missing"
    );
    scene.only_fenced(&old.name)
}

/// Nobody asked for a rewind: the node runs as a standby that follows nobody, nothing fails,
/// and both its log and the primary's say what to do. A rewind that cannot work changes
/// nothing; once it can, it is done.
pub fn diverged_standby_stays_and_says_so(scene: &mut Scene) -> Result<()> {
    let old = diverge(scene)?;
    let primary = scene.cluster.primary()?;
    scene.cluster.bring_back(&old)?;
    scene.steps.wait("both logs to say so", PATIENCE, || {
        logged(&old, "This standby has diverged: it holds timeline ")?;
        logged(
            &primary,
            &format!("{} has diverged: it holds timeline", old.name),
        )
    })?;
    let query = ["attrd_updater", "-n", "diverged-pgsqld", "-Q", "-A"];
    let announced = primary.run(&query)?;
    ensure!(announced.contains(&old.name), "not announced: {announced}");
    scene.steps.say("making pg_rewind unusable");
    let program = format!("{}/pg_rewind", scene.cluster.options.release.bindir());
    old.run(&["chmod", "000", &program])?;
    scene.pcs(REWIND)?;
    scene.let_pass(Duration::from_secs(35), "two rounds of monitors");
    logged(&old, "cannot be rewound now")?;
    ensure!(
        old.sql("SELECT pg_is_in_recovery()")? == "t",
        "it is no standby"
    );
    let failures = scene.cluster.state()?.failures;
    ensure!(
        failures.is_empty(),
        "failed actions: {}",
        failures.join("; ")
    );
    old.run(&["chmod", "755", &program])?;
    scene.cluster.wait_whole()?;
    tail_is_gone(&old)?;
    scene.only_fenced(&old.name)?;
    scene.clean_up()
}

/// Makes the primary hold rows that no standby has, cuts its power, and waits until the others
/// are a whole cluster. Returns the node.
pub fn diverge(scene: &mut Scene) -> Result<Node> {
    let old = scene.cluster.primary()?;
    // What only the old primary has is lost on purpose here: no client may count on it.
    let client = scene.client.take().context("no client")?;
    let report = client.finish(&scene.steps)?;
    ensure!(report.lost.is_empty(), "lost before anything happened");
    let rest = scene.cluster.others(&old.name);
    for standby in &rest {
        scene.cluster.cut_replication(standby, &MAIN)?;
    }
    old.sql("CREATE TABLE tail AS SELECT generate_series(1, 50000) AS id")?;
    old.sql("UPDATE lab_writes SET at = now()")?;
    scene.cut_power(&old)?;
    scene.cluster.heal_network()?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    Ok(old)
}

pub fn tail_is_gone(node: &Node) -> Result<()> {
    let there = node.sql("SELECT to_regclass('tail') IS NULL")?;
    ensure!(there == "t", "{} still has what nobody else has", node.name);
    Ok(())
}

/// A rewind copies files of the primary: the node's own settings must not be among them.
pub fn settings_are_its_own(node: &Node) -> Result<()> {
    let conninfo = node.sql("SHOW primary_conninfo")?;
    let own = format!("application_name={}", node.name);
    ensure!(conninfo.contains(&own), "primary_conninfo is {conninfo}");
    Ok(())
}

pub fn logged(node: &Node, text: &str) -> Result<()> {
    let log = node.root().join("var/log/pacemaker/pacemaker.log");
    let log = fs::read(&log).with_context(|| format!("no {}", log.display()))?;
    let found = String::from_utf8_lossy(&log).contains(text);
    ensure!(found, "{:?} is not in the log of {}", text, node.name);
    Ok(())
}

/// pg_rewind that stops for ever once it has begun to copy `file`.
fn stops_at(real: &str, datadir: &str, file: &str) -> String {
    format!(
        "#!/bin/sh
case \" $* \" in *\" --dry-run \"*) exec {real} \"$@\";; esac
{real} \"$@\" &
while [ ! -e {datadir}/{file} ]; do :; done
kill -STOP $!
touch /tmp/in-the-middle
wait
"
    )
}

fn executable(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
