//! Faults that mislead: what the agent sees is not what is, or what it needs does not move.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::Cluster;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;

const DROP_IN: &str = "/etc/systemd/system/pacemaker.service.d/hardened.conf";
/// A restart of the cluster stack stops what runs on the node first.
const RESTART: Duration = Duration::from_secs(120);
const ARCHIVE: &str = "conf.d/soak.conf";

/// What applications may have as defaults, and what a grudge may set.
pub const DEFAULTS: [&str; 8] = [
    "default_transaction_isolation = 'serializable'",
    "default_transaction_deferrable = on",
    "default_transaction_read_only = on",
    "search_path = public, pg_catalog",
    "statement_timeout = '1ms'",
    "lock_timeout = '1ms'",
    "session_preload_libraries = 'no_such_library'",
    "row_security = off",
];

/// Pacemaker on `node` may not look into processes of others from now on.
pub fn blind_agent(node: &Node) -> Result<()> {
    node.run(&["mkdir", "-p", "/etc/systemd/system/pacemaker.service.d"])?;
    let text = "[Service]\nCapabilityBoundingSet=~CAP_SYS_PTRACE\n";
    node.write(DROP_IN, text, "root:root", "0644")?;
    node.run(&["systemctl", "daemon-reload"])?;
    node.run_within(RESTART, &["systemctl", "restart", "pacemaker"])
        .map(drop)
}

/// From the next start of Pacemaker on it may.
pub fn seeing_agent(node: &Node) -> Result<()> {
    node.run(&["rm", "-f", DROP_IN])?;
    node.run(&["systemctl", "daemon-reload"]).map(drop)
}

/// Sets all of `DEFAULTS` for the agent's role in its database.
pub fn set_defaults(primary: &Node) -> Result<()> {
    DEFAULTS
        .iter()
        .try_for_each(|default| alter(primary, "SET", default))
}

/// Takes them away.
pub fn reset_defaults(primary: &Node) -> Result<()> {
    let names = DEFAULTS
        .iter()
        .filter_map(|default| default.split(' ').next());
    names
        .into_iter()
        .try_for_each(|name| alter(primary, "RESET", name))
}

/// Without a wait for a standby that may be what is broken.
fn alter(primary: &Node, action: &str, default: &str) -> Result<()> {
    let statement = format!(
        "SET synchronous_commit = local; \
         ALTER ROLE postgres IN DATABASE postgres {action} {default}"
    );
    primary.sql(&statement).map(drop)
}

/// Has every server archive its WAL, by a command that can be made to hang, and every standby
/// wait for its readers without end. For a cluster that is about to be started, or restarted.
pub fn prepare_archive(cluster: &Cluster) -> Result<()> {
    cluster
        .nodes
        .iter()
        .try_for_each(|node| write_archive(cluster, node, "true"))
}

fn write_archive(cluster: &Cluster, node: &Node, command: &str) -> Result<()> {
    let path = cluster.options.release.confdir(MAIN.name) + "/" + ARCHIVE;
    let text = format!(
        "archive_mode = on\narchive_command = '{command}'\nmax_standby_streaming_delay = -1\n"
    );
    node.write(&path, &text, "postgres:postgres", "0644")
}

/// The archiver's command does not end any more, once there is WAL to archive.
pub fn hang_archiver(cluster: &Cluster, node: &Node) -> Result<()> {
    write_archive(cluster, node, "sleep 3600")?;
    reload(cluster, node)
}

/// It does again.
pub fn free_archiver(cluster: &Cluster, node: &Node) -> Result<()> {
    write_archive(cluster, node, "true")?;
    reload(cluster, node)?;
    node.output(&["pkill", "-f", "sleep 3600"]).map(drop)
}

fn reload(cluster: &Cluster, node: &Node) -> Result<()> {
    let postmaster = cluster.postmaster(node, &MAIN)?.to_string();
    node.run(&["kill", "-s", "HUP", &postmaster]).map(drop)
}

/// Local clients fill the queue of the socket of a frozen server: a connection is refused at
/// once then, which is no sign of life. They are gone after half a minute.
pub fn fill_queue(node: &Node) -> Result<()> {
    let crowd = "for i in $(seq 400); do PGCONNECT_TIMEOUT=2 timeout 30 psql -XAtq \
                 -h /var/run/postgresql -d postgres -c 'SELECT 1' >/dev/null 2>&1 & done; wait";
    leave_running(node, crowd)
}

/// A reader on a standby keeps it from replaying what the primary wrote.
pub fn block_replay(cluster: &Cluster, standby: &Node) -> Result<()> {
    let primary = cluster.primary()?;
    ensure!(primary != *standby, "{} is the primary", standby.name);
    primary.sql("CREATE TABLE IF NOT EXISTS lab_blocked()")?;
    let has_table = || standby.sql("SELECT * FROM lab_blocked").is_ok();
    ensure!(soon(has_table), "the standby does not replay");
    let reader = "psql -XAtq -d postgres -c 'BEGIN; SELECT * FROM lab_blocked; \
                  SELECT pg_sleep(600)' >/dev/null 2>&1";
    leave_running(standby, reader)?;
    let reads = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let there = || standby.sql(reads).is_ok_and(|found| found.contains('1'));
    ensure!(soon(there), "the reader does not read");
    primary
        .sql("SET synchronous_commit = local; TRUNCATE lab_blocked")
        .map(drop)
}

/// Whether it holds within some seconds.
fn soon(holds: impl Fn() -> bool) -> bool {
    (0..50).any(|_| {
        let is_so = holds();
        if !is_so {
            std::thread::sleep(Duration::from_millis(100));
        }
        is_so
    })
}

/// Ends the reader.
pub fn unblock_replay(node: &Node) -> Result<()> {
    node.output(&["pkill", "-f", "lab_blocked"]).map(drop)
}

/// Runs a script as the system user that ends by itself, with the node at the latest.
fn leave_running(node: &Node, script: &str) -> Result<()> {
    let words = ["runuser", "-u", "postgres", "--", "sh", "-c", script];
    let mut child = node.command(&words)?.spawn().context("script")?;
    // A thread takes its exit code.
    std::thread::spawn(move || child.wait());
    Ok(())
}
