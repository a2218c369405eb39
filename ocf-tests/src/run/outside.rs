//! A standby outside of the cluster: a whole PostgreSQL, fed by the cluster's servers, of which
//! Pacemaker knows nothing. It runs on a node, but has an address, a port and a folder of its own.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// No node's, and in the network of the nodes.
const ADDRESS: &str = "10.99.0.70";
const DATA: &str = "/var/tmp/outside";
const PORT: u16 = 5439;
/// A base backup.
const LONGEST_COPY: Duration = Duration::from_secs(120);

/// Such a standby, which ends with the power of its host.
pub struct Outsider {
    on: Node,
}

impl Outsider {
    /// Makes it on `on` and starts it. It is fed by the first of `sources` that answers, whatever
    /// role that has, and calls itself `name`. `on` is none of them.
    pub fn start(scene: &Scene, on: &Node, sources: &[&Node], name: &str) -> Result<Self> {
        let own = format!("{ADDRESS}/24");
        on.run(&["ip", "address", "add", &own, "dev", "host0"])?;
        let addresses: Vec<String> = sources
            .iter()
            .map(|one| one.address().to_string())
            .collect();
        for to in &addresses {
            on.run(&["ip", "route", "add", to, "dev", "host0", "src", ADDRESS])?;
        }
        let source = format!(
            "host={} port={} user=postgres application_name={name} \
             keepalives_idle=3 keepalives_interval=1 keepalives_count=3 tcp_user_timeout=3000",
            addresses.join(","),
            MAIN.port
        );
        on.run(&["install", "-d", "-o", "postgres", "-m", "0700", DATA])?;
        let bindir = scene.cluster.options.release.bindir();
        let (copy, control) = (
            format!("{bindir}/pg_basebackup"),
            format!("{bindir}/pg_ctl"),
        );
        let as_postgres = ["runuser", "-u", "postgres", "--"];
        let words = [copy.as_str(), "-D", DATA, "-c", "fast", "-d", &source];
        on.run_within(LONGEST_COPY, &[&as_postgres[..], &words].concat())?;
        write(on, &source)?;
        let log = format!("{DATA}/server.log");
        on.as_postgres(&[&control, "-D", DATA, "-l", &log, "-w", "start"])?;
        Ok(Self { on: on.clone() })
    }

    /// Runs one SQL statement on it.
    pub fn sql(&self, statement: &str) -> Result<String> {
        self.on.sql_on(PORT, statement)
    }

    /// Waits until `question` has the answer `wanted` there.
    pub fn wait(&self, scene: &Scene, question: &str, wanted: &str) -> Result<()> {
        let what = format!("{wanted:?} to come to the standby outside");
        scene.steps.wait(&what, PATIENCE, || {
            let answer = self.sql(question)?;
            ensure!(answer == wanted, "it has {answer:?}");
            Ok(())
        })
    }
}

/// Debian keeps the nodes' configuration outside of the data directory: a copy has none.
fn write(on: &Node, source: &str) -> Result<()> {
    let settings = format!(
        "port = {PORT}\nlisten_addresses = ''\nunix_socket_directories = '/var/run/postgresql'\n\
         max_connections = 60\nmax_wal_senders = 10\nshared_buffers = 32MB\nhot_standby = on\n\
         dynamic_shared_memory_type = posix\nwal_retrieve_retry_interval = 500ms\n\
         primary_conninfo = '{source}'\n"
    );
    let files = [
        ("postgresql.conf", settings.as_str()),
        ("pg_hba.conf", "local all all trust\n"),
        ("pg_ident.conf", ""),
        ("standby.signal", ""),
    ];
    files.iter().try_for_each(|(name, text)| {
        let path = format!("{DATA}/{name}");
        on.write(&path, text, "postgres:postgres", "0600")
    })
}
