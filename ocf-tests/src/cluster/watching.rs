//! The operation that waits for a crash of the primary, as the reference has it.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::Cluster;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;

/// Prints the number of a monitor of the agent that has a handle on the process `$1` open, and
/// has been running for at most two seconds: it will wait for a while yet.
const WAITING: &str = "for pid in $(pgrep -f 'heartbeat/pgsqlms monitor$'); do \
     [ $(ps -o etimes= -p $pid) -le 2 ] || continue; \
     for fd in /proc/$pid/fd/*; do \
     [ \"$(readlink $fd)\" = 'anon_inode:[pidfd]' ] || continue; \
     grep -q \"^Pid:[[:space:]]*$1$\" /proc/$pid/fdinfo/${fd##*/} && echo $pid && exit 0; \
     done; done; exit 1";

impl Cluster {
    /// Gives the resource the operation, in the place of the usual monitor of the primary.
    pub fn watch_primary(&self) -> Result<()> {
        self.watch_primary_each("1s")
    }

    /// The same with another interval.
    pub fn watch_primary_each(&self, interval: &str) -> Result<()> {
        let role = self.options.release.role_promoted;
        let line = format!(
            "resource update pgsqld op monitor interval={interval} role={role} timeout=60s \
             on-fail=demote"
        );
        let words: Vec<_> = line.split_whitespace().collect();
        self.pcs(&words).map(drop)
    }

    /// Waits until a monitor on `node` has begun to wait for the end of its postmaster.
    pub fn wait_watched(&self, node: &Node, limit: Duration) -> Result<()> {
        let what = format!("a monitor on {} to wait for a crash", node.name);
        self.steps.wait(&what, limit, || {
            let postmaster = self.postmaster(node, &MAIN)?.to_string();
            let output = node.output(&["sh", "-c", WAITING, "sh", &postmaster])?;
            ensure!(output.code == 0, "none does");
            Ok(())
        })
    }
}
