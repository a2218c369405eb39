//! A receiver of WAL that is no node of the cluster: it has an address of its own, and what it
//! confirms is nowhere else.

use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::host::release::Release;
use crate::machine::node::Node;

/// No node's, and in the network of the nodes.
const ADDRESS: &str = "10.99.0.60";
const FOLDER: &str = "/var/tmp/foreign";

/// `pg_receivewal --synchronous`, on a node, but from another address.
pub struct Receiver {
    on: Node,
    child: Child,
}

impl Receiver {
    /// Starts it on `on`; it receives from `primary` and calls itself `name`.
    pub fn start(on: &Node, primary: &Node, name: &str, release: &Release) -> Result<Self> {
        let to = primary.address().to_string();
        let own = format!("{ADDRESS}/24");
        on.run(&["ip", "address", "add", &own, "dev", "host0"])?;
        let route = ["ip", "route", "add", &to, "dev", "host0", "src", ADDRESS];
        on.run(&route)?;
        on.run(&["install", "-d", "-o", "postgres", FOLDER])?;
        let program = format!("{}/pg_receivewal", release.bindir());
        let source = format!(
            "host={to} port={} user=postgres application_name={name} connect_timeout=2",
            MAIN.port
        );
        let words = ["runuser", "-u", "postgres", "--", &program, "--synchronous"];
        let mut command = on.command(&words)?;
        command.args(["-D", FOLDER, "-d", &source]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("a receiver of WAL")?;
        Ok(Self {
            on: on.clone(),
            child,
        })
    }

    /// Passes when `primary` counts it among its synchronous standbys, perhaps after others.
    pub fn is_synchronous(&self, primary: &Node) -> Result<()> {
        let query = format!(
            "SELECT coalesce(max(sync_state), 'none') FROM pg_stat_replication \
             WHERE client_addr = '{ADDRESS}' AND state = 'streaming'"
        );
        let state = primary.sql(&query)?;
        let may_confirm = ["quorum", "sync", "potential"].contains(&state.as_str());
        ensure!(may_confirm, "it is {state}");
        Ok(())
    }

    /// Ends it.
    pub fn stop(mut self) -> Result<()> {
        self.on.output(&["pkill", "-x", "pg_receivewal"])?;
        self.child.wait().map(drop).context("a receiver of WAL")
    }
}
