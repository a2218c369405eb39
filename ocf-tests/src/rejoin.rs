//! A node that comes back: by itself, or, where its data has diverged, by the one manual step
//! that an operator then owes it.
//!
//! A primary that loses power between writing a record and sending it holds WAL that nobody else
//! has. No agent may throw that away unasked: the node stays a standby that follows nobody until
//! `pg_rewind` has run.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::Cluster;
use crate::node::Node;
use crate::postgresql::MAIN;

/// How long a node may take to follow before its data is looked at.
const REJOIN: Duration = Duration::from_secs(45);

impl Cluster {
    /// Boots `node` and starts its cluster stack; waits until it streams, rewinding it if it
    /// has diverged, and until the cluster is whole.
    pub fn rejoin(&self, node: &Node) -> Result<()> {
        self.bring_back(node)?;
        let what = format!("{} to follow or to show that it diverged", node.name);
        let diverged = self.steps.wait(&what, REJOIN, || self.has_diverged(node))?;
        if diverged {
            self.rewind(node)?;
        }
        self.wait_whole()
    }

    /// `false` once the node streams; an error while neither is certain.
    fn has_diverged(&self, node: &Node) -> Result<bool> {
        let primary = self.primary()?;
        ensure!(primary != *node, "{} is promoted", node.name);
        let query = format!(
            "SELECT count(*) FROM pg_stat_replication WHERE application_name = '{}' \
             AND state = 'streaming'",
            node.name
        );
        if primary.sql(&query)? == "1" {
            return Ok(false);
        }
        let fork = fork_of(&primary)?;
        let beyond = format!("SELECT pg_last_wal_replay_lsn() > '{fork}'::pg_lsn");
        ensure!(node.sql(&beyond)? == "t", "it holds nothing beyond {fork}");
        Ok(true)
    }

    fn rewind(&self, node: &Node) -> Result<()> {
        let clone = format!("{}-clone", MAIN.resource);
        self.steps
            .say(&format!("{} has diverged: pg_rewind by hand", node.name));
        self.pcs(&["resource", "ban", &clone, &node.name, "--wait=60"])?;
        let release = self.options.release;
        let rewind = format!("{}/pg_rewind", release.bindir());
        let datadir = release.datadir(MAIN.name);
        let source = format!(
            "host={} port={} user=postgres dbname=postgres",
            MAIN.vip, MAIN.port
        );
        let out = node.as_postgres(&[&rewind, "-D", &datadir, "--source-server", &source])?;
        self.steps.note(&out);
        self.pcs(&["resource", "clear", &clone, &node.name])?;
        Ok(())
    }
}

/// Where the primary's timeline left the one before.
fn fork_of(primary: &Node) -> Result<String> {
    let query = "SELECT pg_read_file('pg_wal/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) \
                 || '.history')";
    let history = primary.sql(query)?;
    let last = history.lines().rfind(|line| !line.trim().is_empty());
    let fork = last.and_then(|line| line.split_whitespace().nth(1));
    Ok(fork.context("the history file is empty")?.to_owned())
}
