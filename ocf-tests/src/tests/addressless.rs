//! Standbys that need no address that moves, and one that is outside of the cluster: they follow
//! whoever is elected, and who is outside counts for nobody.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::outside::Outsider;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

const LOG: &str = "/var/log/postgresql/postgresql-main.log";
/// Within this time of the promotion all standbys stream. Most of it is a server that is stopped
/// and started as a standby; two nodes and a client share the processors.
const FOLLOWED: Duration = Duration::from_secs(10);
/// A node that loses its power says goodbye to nobody, and nobody else takes its address.
const NOTICE: &str =
    "keepalives_idle=3 keepalives_interval=1 keepalives_count=3 tcp_user_timeout=3000";
const RETRY: &str = "wal_retrieve_retry_interval = 500ms";

/// The address of the primary serves clients alone. Standbys name each other, and a standby
/// outside of the cluster streams from one of them. All follow a switchover and a power cut, each
/// soon after the promotion; nothing is found fault with.
pub fn all_follow_who_is_elected(scene: &mut Scene) -> Result<()> {
    name_each_other(scene)?;
    nothing_is_wrong_with_it(scene)?;
    let stage = Stage::new(scene)?;
    let (old, new, last) = (&stage.primary, &stage.favourite, &stage.other);
    let outside = Outsider::start(scene, last, &[new, old], "outside")?;
    marked(scene, &outside, "first")?;
    scene.cluster.move_primary(&new.name)?;
    scene.cluster.wait_whole()?;
    all_stream_soon(scene, new, &[old, last])?;
    marked(scene, &outside, "moved")?;
    // Else `old` might be given way to for what it has not received.
    scene.cluster.wait_whole()?;
    scene.cut_power(new)?;
    let left = [old.clone(), last.clone()];
    let third = scene.cluster.wait_promoted_among(&left, PATIENCE)?;
    let other = if third == *old { last } else { old };
    scene.cluster.wait_whole_on(&[&third.name, &other.name])?;
    all_stream_soon(scene, &third, &[other])?;
    marked(scene, &outside, "lost")?;
    scene.cluster.rejoin(new)?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    scene.only_fenced(&new.name)
}

/// A standby outside streams from the primary itself, under a rule and with slots for the nodes. It
/// gets no slot, confirms nothing, has no vote, and is in nobody's way.
pub fn receiver_outside_counts_for_nobody(scene: &mut Scene) -> Result<()> {
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    for node in &scene.cluster.nodes {
        let text = format!(
            "primary_slot_name = 'pgsqlms_{}'\nmax_slot_wal_keep_size = '4GB'\n{RETRY}\n",
            node.name
        );
        let path = format!("{confdir}/conf.d/zz-test.conf");
        node.write(&path, &text, "postgres:postgres", "0644")?;
        node.sql("SELECT pg_reload_conf()")?;
    }
    scene.pcs("resource update pgsqld slots=nodes")?;
    scene.cluster.wait_whole()?;
    let stage = Stage::new(scene)?;
    let (old, new, host) = (&stage.primary, &stage.favourite, &stage.other);
    let outside = Outsider::start(scene, host, &[old, new], "dr")?;
    let state = "SELECT sync_state FROM pg_stat_replication WHERE application_name = 'dr'";
    ensure!(old.sql(state)? == "async", "it confirms commits");
    marked(scene, &outside, "first")?;
    scene.let_pass(Duration::from_secs(20), "monitors");
    slots_are_of_nodes(scene)?;
    let status = old.run(&["pgsqlms", "status"])?;
    ensure!(!status.contains("dr"), "{status}");
    scene.cut_power(old)?;
    scene.cluster.wait_promoted(&new.name)?;
    marked(scene, &outside, "lost")?;
    scene.cluster.rejoin(old)?;
    scene.cluster.wait_whole()?;
    slots_are_of_nodes(scene)?;
    scene.writes_go_on()?;
    scene.only_fenced(&old.name)
}

/// Each names the other nodes, not itself, and wants one that takes writes.
pub fn name_each_other(scene: &Scene) -> Result<()> {
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    for node in &scene.cluster.nodes {
        let others = scene.cluster.others(&node.name);
        let hosts: Vec<&str> = others.iter().map(|other| other.name.as_str()).collect();
        let text = format!(
            "primary_conninfo = 'host={} user=postgres target_session_attrs=read-write \
             application_name={} {NOTICE}'\n{RETRY}\n",
            hosts.join(","),
            node.name
        );
        let path = format!("{confdir}/conf.d/zz-hosts.conf");
        node.write(&path, &text, "postgres:postgres", "0644")?;
        node.sql("SELECT pg_reload_conf()")?;
    }
    let by_name = "SELECT count(*) FROM pg_stat_wal_receiver WHERE conninfo LIKE '%read-write%' AND \
                   status = 'streaming'";
    for standby in scene.cluster.standbys()? {
        let what = format!("{} to stream from a list", standby.name);
        scene.steps.wait(&what, PATIENCE, || {
            ensure!(standby.sql(by_name)? == "1", "it does not");
            Ok(())
        })?;
    }
    scene.cluster.wait_whole()
}

fn nothing_is_wrong_with_it(scene: &Scene) -> Result<()> {
    for node in &scene.cluster.nodes {
        let found = node.output(&["pgsqlms", "check", "--setup"])?;
        let text = found.text();
        let about_it = |line: &&str| line.contains("primary_conninfo") || line.contains("pg_hba");
        let wrong: Vec<_> = text.lines().filter(about_it).collect();
        ensure!(wrong.is_empty(), "{}: {wrong:?}", node.name);
        ensure!(
            text.contains("nothing that is looked at is wrong in its configuration"),
            "{}: {text}",
            node.name
        );
    }
    Ok(())
}

/// How long after `primary` took writes each of the standbys began to stream.
fn all_stream_soon(scene: &Scene, primary: &Node, standbys: &[&Node]) -> Result<()> {
    let line = format!("grep 'ready to accept connections' {LOG} | tail -n 1 | cut -d ' ' -f 1-3");
    let opened = primary.run(&["sh", "-c", &line])?;
    for standby in standbys {
        let query = format!(
            "SELECT round(extract(epoch FROM backend_start - timestamptz '{}')::numeric, 2) FROM \
             pg_stat_replication WHERE application_name = '{}' AND state = 'streaming'",
            opened.trim(),
            standby.name
        );
        let seconds = primary.sql(&query)?;
        scene.steps.say(&format!(
            "{} connected {seconds} s after {} took writes",
            standby.name, primary.name
        ));
        let seconds: f64 = seconds.parse().with_context(|| standby.name.clone())?;
        ensure!(
            seconds < FOLLOWED.as_secs_f64(),
            "{} took {seconds} s",
            standby.name
        );
    }
    Ok(())
}

/// What is written on the primary now comes to the standby outside.
fn marked(scene: &Scene, outside: &Outsider, mark: &str) -> Result<()> {
    let primary = scene.cluster.primary()?;
    primary.sql("CREATE TABLE IF NOT EXISTS marks(mark text)")?;
    primary.sql(&format!("INSERT INTO marks VALUES ('{mark}')"))?;
    let question = format!("SELECT count(*) FROM marks WHERE mark = '{mark}'");
    outside.wait(scene, &question, "1")
}

fn slots_are_of_nodes(scene: &Scene) -> Result<()> {
    let names = "SELECT string_agg(slot_name, ' ' ORDER BY slot_name) FROM pg_replication_slots";
    for node in &scene.cluster.nodes {
        let others = scene.cluster.others(&node.name);
        let wanted: Vec<_> = others
            .iter()
            .map(|other| format!("pgsqlms_{}", other.name))
            .collect();
        let what = format!("the slots of {}", node.name);
        scene.steps.wait(&what, PATIENCE, || {
            let found = node.sql(names)?;
            ensure!(found == wanted.join(" "), "they are {found}");
            Ok(())
        })?;
    }
    Ok(())
}
