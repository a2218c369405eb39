//! PostgreSQL of the lab: configuration, priming of a primary, copies for the standbys.
//!
//! Configuration stays in Debian's folder under /etc, outside of the data directory,
//! so that a copy of the data never brings another node's settings along.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;

use crate::host::progress::Steps;
use crate::host::release::Release;
use crate::machine::network;
use crate::machine::node::{Node, on_each};

/// One PostgreSQL cluster that is replicated over the nodes.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Debian's name of it.
    pub name: &'static str,
    /// Port of all its servers.
    pub port: u16,
    /// Address that follows its primary.
    pub vip: Ipv4Addr,
    /// Id of its resource in Pacemaker.
    pub resource: &'static str,
    /// Id of its address in Pacemaker.
    pub vip_resource: &'static str,
}

/// The instance every cluster of the lab has.
pub const MAIN: Instance = Instance {
    name: "main",
    port: 5432,
    vip: network::VIP,
    resource: "pgsqld",
    vip_resource: "pgsql-pri-ip",
};

/// A second instance, for tests that want two in one cluster.
pub const SECOND: Instance = Instance {
    name: "second",
    port: 5433,
    vip: network::VIP2,
    resource: "pgsqld2",
    vip_resource: "pgsql-pri-ip2",
};

/// For clusters whose commits wait for standbys; kept in a file of its own, see `Cluster`.
pub fn synchronous(nodes: usize) -> String {
    format!("synchronous_standby_names = '{}'\n", rule("ANY", nodes))
}

/// A rule for a cluster of `nodes`: a commit is then on so many of them that a majority has it, and
/// a majority of votes is enough to know it. One of three may be lost, two of five.
pub fn rule(how: &str, nodes: usize) -> String {
    let names: Vec<_> = (1..=nodes).map(|number| format!("srv{number}")).collect();
    let most = (nodes.saturating_sub(1) / 2).max(1);
    format!("{how} {most} ({})", names.join(","))
}

/// The table that the lab's client writes to.
pub const TABLE: &str =
    "CREATE TABLE lab_writes(id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())";

/// Settings of the server of `instance` on `node`.
pub fn settings(instance: &Instance, node: &str) -> String {
    let Instance {
        name, port, vip, ..
    } = instance;
    format!(
        "# Written by the cluster lab.
listen_addresses = '*'
port = {port}
max_connections = 60
shared_buffers = 32MB
dynamic_shared_memory_type = posix
wal_level = replica
wal_log_hints = on
hot_standby = on
max_wal_senders = 10
wal_keep_size = 256MB
max_wal_size = 512MB
primary_conninfo = 'host={vip} port={port} user=postgres application_name={node} connect_timeout=3 \
keepalives_idle=3 keepalives_interval=1 keepalives_count=3'
logging_collector = on
log_directory = '/var/log/postgresql'
log_filename = 'postgresql-{name}.log'
log_line_prefix = '%m [%p] %q%u@%d/%a '
log_rotation_age = 0
log_checkpoints = on
log_replication_commands = on
"
    )
}

/// Client authentication: everybody of the lab, but no replication from itself or from the
/// address that follows the primary, so that a standby can never stream from itself.
pub fn host_based_authentication(node: &Node, vip: Ipv4Addr) -> String {
    format!(
        "# Written by the cluster lab.
local all all trust
local replication all reject
host replication all {own}/32 reject
host replication all {vip}/32 reject
host replication all 127.0.0.0/8 reject
host replication all 10.99.0.0/24 trust
host all all 127.0.0.0/8 trust
host all all 10.99.0.0/24 trust
",
        own = node.address()
    )
}

/// Makes `instance` on all `nodes`: a primary on the first, streaming copies on the others.
/// Afterwards all are shut down cleanly and marked as standbys, ready for the agent.
pub fn prime(nodes: &[Node], release: &Release, instance: &Instance, steps: &Steps) -> Result<()> {
    let Some((first, others)) = nodes.split_first() else {
        return Ok(());
    };
    steps.say(&format!(
        "PostgreSQL: making the instance {}",
        instance.name
    ));
    on_each(nodes, |node| create(node, release, instance))?;
    control(first, release, instance, "start")?;
    first.sql_on(instance.port, TABLE)?;
    // Each copy takes two of the ten `max_wal_senders`, and then one as a standby.
    let at_once = if others.len() <= 4 { 4 } else { 2 };
    for some in others.chunks(at_once) {
        on_each(some, |node| copy(node, first, release, instance))?;
    }
    let sentence = format!("{} standbys of {} to stream", others.len(), instance.name);
    steps.wait(&sentence, Duration::from_secs(60), || {
        streaming(first, instance, others.len())
    })?;
    control(first, release, instance, "stop")?;
    on_each(others, |node| control(node, release, instance, "stop"))?;
    on_each(nodes, |node| mark_standby(node, release, instance))
}

/// Runs Debian's pg_ctlcluster past systemd, which would start the server on its own terms.
pub fn control(node: &Node, release: &Release, instance: &Instance, action: &str) -> Result<()> {
    let (skip, mode) = ("--skip-systemctl-redirect", ["-m", "fast"]);
    let mut words = vec!["pg_ctlcluster", skip];
    if action == "stop" {
        words.extend(mode);
    }
    words.extend([release.postgresql, instance.name, action]);
    node.as_postgres(&words).map(drop)
}

fn create(node: &Node, release: &Release, instance: &Instance) -> Result<()> {
    let port = instance.port.to_string();
    node.run(&[
        "pg_createcluster",
        "--port",
        &port,
        "--start-conf",
        "manual",
        "--locale",
        "C.UTF-8",
        release.postgresql,
        instance.name,
    ])?;
    let conf = release.confdir(instance.name);
    let path = format!("{conf}/conf.d/lab.conf");
    node.write(
        &path,
        &settings(instance, &node.name),
        "postgres:postgres",
        "0644",
    )?;
    let rules = host_based_authentication(node, instance.vip);
    node.write(
        &format!("{conf}/pg_hba.conf"),
        &rules,
        "postgres:postgres",
        "0640",
    )
}

/// Fills the data directory of `node` anew from the server at `host`.
pub fn base_backup(node: &Node, host: &str, instance: &Instance, data: &str) -> Result<()> {
    let port = instance.port.to_string();
    node.run(&["find", data, "-mindepth", "1", "-delete"])?;
    let server = ["pg_basebackup", "-h", host, "-p", &port, "-U", "postgres"];
    let how = ["-D", data, "-X", "stream", "-c", "fast"];
    node.as_postgres(&[&server[..], &how[..]].concat())?;
    Ok(())
}

/// A standby made from `primary`; during priming it streams from the primary's own address.
fn copy(node: &Node, primary: &Node, release: &Release, instance: &Instance) -> Result<()> {
    let data = release.datadir(instance.name);
    let (host, port) = (primary.address().to_string(), instance.port);
    base_backup(node, &host, instance, &data)?;
    mark_standby(node, release, instance)?;
    let early = format!("{}/conf.d/priming.conf", release.confdir(instance.name));
    let text = format!("primary_conninfo = 'host={host} port={port} user=postgres'\n");
    node.write(&early, &text, "postgres:postgres", "0644")?;
    control(node, release, instance, "start")?;
    node.run(&["rm", &early]).map(drop)
}

fn streaming(primary: &Node, instance: &Instance, wanted: usize) -> Result<()> {
    let query = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' \
                 AND replay_lsn = pg_current_wal_lsn()";
    let count = primary.sql_on(instance.port, query)?;
    anyhow::ensure!(count == wanted.to_string(), "{count} of {wanted} stream");
    Ok(())
}

/// Makes the server of `node` come up in recovery the next time it starts.
pub fn mark_standby(node: &Node, release: &Release, instance: &Instance) -> Result<()> {
    let path = format!("{}/standby.signal", release.datadir(instance.name));
    node.write(&path, "", "postgres:postgres", "0600")
}
