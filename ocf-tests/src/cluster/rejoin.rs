//! A node that comes back: by itself, or, where its data has diverged, by the one manual step
//! that an operator then owes it.
//!
//! A primary that loses power between writing a record and sending it holds WAL that nobody else
//! has. No agent may throw that away unasked: the node stays a standby that follows nobody until
//! `pg_rewind` has run.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::cluster::{Cluster, PATIENCE};
use crate::machine::node::Node;

/// How long a node may take to follow before its data is looked at.
const REJOIN: Duration = Duration::from_secs(45);
/// A follower that only lost its connection is back by then.
const SETTLING: Duration = Duration::from_secs(20);
/// What pg_rewind says (PostgreSQL 15 and older) of a node that was a primary too short for a
/// checkpoint.
const NO_CHECKPOINT: &str = "could not find previous WAL record";
/// The timeline of a node's WAL, by its files: for minutes after a promotion the control file of
/// either side names the one before, and a primary that crashed then looks as if it held WAL
/// beyond the place where that one was left.
const TIMELINE: &str = "SELECT max(('x' || left(name, 8))::bit(32)::int) FROM pg_ls_waldir() \
                        WHERE name ~ '^[0-9A-F]{24}$'";

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

    /// Starts the cluster stack wherever it does not run, and waits until the cluster is whole;
    /// a node that has diverged for some time is rewound.
    pub fn rejoin_all(&self) -> Result<()> {
        self.rejoin_these(&self.nodes)
    }

    /// The same where only `nodes` are left to the cluster.
    pub fn rejoin_these(&self, nodes: &[Node]) -> Result<()> {
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        let start = Instant::now();
        self.steps
            .wait("all nodes to follow", PATIENCE + REJOIN, || {
                let down = nodes.iter().filter(|node| !node.stack_runs());
                for node in down.collect::<Vec<_>>() {
                    self.bring_back(node)?;
                }
                let whole = self.whole(&MAIN, &names);
                if whole.is_err() && start.elapsed() > SETTLING {
                    self.rewind_diverged(nodes)?;
                }
                whole
            })
    }

    fn rewind_diverged(&self, nodes: &[Node]) -> Result<()> {
        let primary = self.primary()?;
        for node in nodes.iter().filter(|node| **node != primary) {
            if matches!(self.has_diverged(node), Ok(true)) {
                self.rewind(node)?;
            }
        }
        Ok(())
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
        let timeline = node.sql(TIMELINE)?.parse()?;
        let Some(fork) = fork_of(&primary, timeline)? else {
            // A timeline that died before anybody had followed it.
            return Ok(true);
        };
        let beyond = format!("SELECT pg_last_wal_replay_lsn() > '{fork}'::pg_lsn");
        ensure!(node.sql(&beyond)? == "t", "it holds nothing beyond {fork}");
        Ok(true)
    }

    /// The manual step that a node owes its operator whose data has diverged.
    pub fn rewind(&self, node: &Node) -> Result<()> {
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
        let rewind = [&rewind, "-D", &datadir, "--source-server", &source];
        let out = node.as_postgres(&rewind).or_else(|error| {
            ensure!(error.to_string().contains(NO_CHECKPOINT), error);
            self.recover(node)?;
            node.as_postgres(&rewind)
        })?;
        self.steps.note(&out);
        self.pcs(&["resource", "clear", &clone, &node.name])?;
        Ok(())
    }
}

impl Cluster {
    /// Ends the recovery of a node that was a primary too short for a checkpoint, as
    /// docs/cookbook.md says.
    fn recover(&self, node: &Node) -> Result<()> {
        let release = self.options.release;
        let datadir = release.datadir(MAIN.name);
        node.run(&["rm", "-f", &format!("{datadir}/standby.signal")])?;
        let script = format!(
            "cd /; {}/postgres --single -D {datadir} -c config_file={}/postgresql.conf template1 \
             </dev/null",
            release.bindir(),
            release.confdir(MAIN.name),
        );
        node.as_postgres(&["sh", "-c", &script]).map(drop)
    }
}

/// Where the primary's history left `timeline`, `None` if it never was on it; an error if it
/// is on it now.
fn fork_of(primary: &Node, timeline: u32) -> Result<Option<String>> {
    let query = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)";
    let current = primary.sql(query)?;
    ensure!(
        u32::from_str_radix(&current, 16)? != timeline,
        "the primary is on timeline {timeline} too"
    );
    let history = primary.sql(&format!("SELECT pg_read_file('pg_wal/{current}.history')"))?;
    Ok(fork_in(&history, timeline))
}

fn fork_in(history: &str, timeline: u32) -> Option<String> {
    history.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let number: u32 = words.next()?.parse().ok()?;
        words
            .next()
            .filter(|_| number == timeline)
            .map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_timeline_was_left_somewhere() {
        let history = "1\t0/50000A0\tno recovery target specified\n\n2\t0/6000000\tat\n";
        assert_eq!(fork_in(history, 1).as_deref(), Some("0/50000A0"));
        assert_eq!(fork_in(history, 2).as_deref(), Some("0/6000000"));
        assert_eq!(fork_in(history, 3), None);
    }
}
