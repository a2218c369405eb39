//! Planned changes while something else holds the stop of the primary: an archiver, a receiver of
//! WAL that is frozen. Nobody is fenced, it takes seconds, and nothing is lost that was to be
//! archived.
//!
//! A row is one of the table in docs/faults.md.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::machine::node::Node;
use crate::run::fault::{signal_servants, use_up_wal};
use crate::run::scene::Scene;

/// The longest time without a primary that a planned change may take.
const MOST: Duration = Duration::from_secs(30);
/// More than fits into the buffers of a connection.
const MUCH: &str = "CREATE TABLE much AS SELECT g, repeat('x', 60) FROM generate_series(1, 1000000) \
                    AS g";
const READY: &str = "ls $0/pg_wal/archive_status | grep -c ready$ || true";

/// The archiver hangs in its command.
pub fn hung_archiver_holds_no_move(scene: &mut Scene) -> Result<()> {
    move_beside_archiver(scene, "sleep 3600", 1)
}

/// The archiver works, but a dozen segments would take minutes.
pub fn slow_archiver_holds_no_move(scene: &mut Scene) -> Result<()> {
    move_beside_archiver(scene, "sleep 15", 12)
}

fn move_beside_archiver(scene: &mut Scene, command: &str, segments: usize) -> Result<()> {
    let old = scene.cluster.primary()?;
    let settings = format!("archive_mode = on\narchive_command = '{command}'\n");
    restart_with(scene, &settings)?;
    use_up_wal(&old, segments)?;
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    let waiting = || -> Result<usize> {
        let count = old.run(&["sh", "-c", READY, &datadir])?;
        count.trim().parse().context("a number of files")
    };
    let before = waiting()?;
    ensure!(before >= segments, "only {before} files to archive");
    move_quickly(scene)?;
    let after = waiting()?;
    // The slow one may have ended a few.
    ensure!(after + 3 >= before, "of {before} files {after} are left");
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// A receiver of logical changes (pg_recvlogical, as Debezium does it) is frozen with much to
/// receive: PostgreSQL would not even write the shutdown checkpoint.
pub fn frozen_logical_receiver_holds_no_move(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    restart_with(scene, "wal_level = logical\n")?;
    old.sql("SELECT pg_create_logical_replication_slot('foreign_slot', 'test_decoding')")?;
    let words = "pg_recvlogical -d postgres -S foreign_slot --start -f /tmp/foreign/changes";
    let receiver = Receiver::start(scene, &old, words)?;
    receiver.freeze()?;
    old.sql(MUCH)?;
    move_quickly(scene)?;
    receiver.end()?;
    let slots = old.sql("SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'logical'")?;
    ensure!(
        slots == "1",
        "{slots} logical slots are left on {}",
        old.name
    );
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// pg_receivewal is frozen, and PostgreSQL itself would wait for it without end.
pub fn frozen_receiver_without_a_timeout_holds_no_move(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    restart_with(scene, "wal_sender_timeout = 0\n")?;
    let receiver = Receiver::start(scene, &old, "pg_receivewal -D /tmp/foreign --no-loop")?;
    receiver.freeze()?;
    old.sql(MUCH)?;
    move_quickly(scene)?;
    receiver.end()?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// The standby that is not the target is frozen: its walreceiver takes nothing, and PostgreSQL
/// would wait for it without end. The other one has all, and takes over.
pub fn frozen_standby_holds_no_move(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    restart_with(scene, "wal_sender_timeout = 0\nwal_receiver_timeout = 0\n")?;
    let frozen = scene.a_standby()?;
    let receiver = "SELECT pid FROM pg_stat_wal_receiver";
    signal_servants(&frozen, "STOP", receiver, 1)?;
    old.sql(MUCH)?;
    let target = scene.cluster.others(&old.name);
    let target = target
        .iter()
        .find(|node| **node != frozen)
        .context("a target")?;
    move_to(scene, &target.name.clone())?;
    frozen.run(&["pkill", "-CONT", "-u", "postgres"])?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// Has PostgreSQL on all nodes start anew with more settings, behind Pacemaker's back.
fn restart_with(scene: &Scene, settings: &str) -> Result<()> {
    let release = scene.cluster.options.release;
    let path = format!("{}/conf.d/zz-test.conf", release.confdir(MAIN.name));
    scene.pcs("property set maintenance-mode=true")?;
    for node in &scene.cluster.nodes {
        node.write(&path, settings, "postgres:postgres", "0644")?;
        postgresql::control(node, release, &MAIN, "restart")?;
    }
    scene.pcs("property set maintenance-mode=false")?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()
}

fn move_quickly(scene: &Scene) -> Result<()> {
    let target = scene.cluster.standbys()?[0].name.clone();
    move_to(scene, &target)
}

/// The downtime of the client is of the whole test, restarts included.
fn move_to(scene: &Scene, target: &str) -> Result<()> {
    let begin = Instant::now();
    let node = scene.cluster.node(target)?.clone();
    let took = scene.move_during(target, || {
        scene.cluster.wait_promoted_among(&[node], PATIENCE)?;
        Ok(begin.elapsed())
    })?;
    scene.steps.say(&format!("promoted after {took:.1?}"));
    scene.writes_go_on()?;
    scene.nobody_fenced()?;
    ensure!(took < MOST, "the move took {took:.1?}");
    Ok(())
}

/// A program on the node of a standby that receives from the primary, and is no standby.
struct Receiver {
    node: Node,
    program: String,
    child: std::process::Child,
}

impl Receiver {
    fn start(scene: &Scene, primary: &Node, words: &str) -> Result<Self> {
        let node = scene.a_standby()?;
        let (bindir, address) = (scene.cluster.options.release.bindir(), primary.address());
        let script = format!(
            "mkdir -p /tmp/foreign; chown postgres /tmp/foreign; cd /tmp; exec runuser -u postgres \
             -- {bindir}/{words} -h {address} -U postgres"
        );
        let child = node.command(&["sh", "-c", &script])?.spawn()?;
        let query = "SELECT count(*) FROM pg_stat_replication WHERE application_name LIKE 'pg\\_%'";
        scene
            .steps
            .wait("the receiver", Duration::from_secs(20), || {
                let count = primary.sql(query)?;
                ensure!(count == "1", "{count} connected");
                Ok(())
            })?;
        let program = words.split(' ').next().unwrap_or_default().to_owned();
        Ok(Self {
            node,
            program,
            child,
        })
    }

    fn freeze(&self) -> Result<()> {
        let words = ["pkill", "-STOP", "-x", &self.program];
        self.node.run(&words).map(drop)
    }

    fn end(self) -> Result<()> {
        let words = ["pkill", "-KILL", "-x", &self.program];
        self.node.run(&words).map(drop)
    }
}

/// What entered the node stopped itself together with the program, and keeps the node from
/// ending.
impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
