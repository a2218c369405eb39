//! What an election did to the data: a promotion that lacks rows fails a test at once, a refusal has
//! to name what it is about.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::staging::Stage;

/// Time for Pacemaker to try a promotion and to have its refusal on record.
const REFUSAL: Duration = Duration::from_secs(60);

impl Stage<'_> {
    /// Nobody is promoted: Pacemaker has a refusal on record whose reason has `named` in it. Whoever
    /// is promoted without all `rows` rows, now or until Pacemaker is done, fails the test.
    pub fn refused(&self, rows: u64, named: &str) -> Result<()> {
        let what = format!("a refusal that names {named}");
        let loss = self.scene.steps.wait(&what, REFUSAL, || {
            if let Some(loss) = self.loss(rows) {
                return Ok(Some(loss));
            }
            let failures = self.scene.cluster.state()?.failures;
            let found = |line: &String| line.contains("Promotion refused") && line.contains(named);
            ensure!(failures.iter().any(found), "failed: {failures:?}");
            Ok(None)
        })?;
        if let Some(loss) = loss {
            bail!(loss);
        }
        self.settle_or_say();
        self.nobody_lacks(rows)
    }

    /// Whoever is promoted by now holds all `rows` rows.
    pub fn nobody_lacks(&self, rows: u64) -> Result<()> {
        match self.loss(rows) {
            Some(loss) => bail!(loss),
            None => Ok(()),
        }
    }

    fn loss(&self, rows: u64) -> Option<String> {
        let primary = self.scene.cluster.primary().ok()?;
        let open = primary.sql("SELECT NOT pg_is_in_recovery()").ok()? == "t";
        let there = self.rows(&primary).ok()?;
        let loss = open && there != rows;
        loss.then(|| format!("{} was promoted with {there} of {rows} rows", primary.name))
    }

    /// Waits until Pacemaker is done, or for a time: a role that goes back and forth for ever is
    /// judged by what it did to the data.
    pub fn settle_or_say(&self) {
        if let Err(error) = self.settle() {
            self.scene.steps.say(&format!("{error:#}"));
        }
    }

    /// Writes `count` rows on `node` that wait for no standby.
    pub fn write_local(&self, node: &Node, count: u32) -> Result<()> {
        self.scene.steps.say(&format!(
            "writing {count} rows on {} for no standby",
            node.name
        ));
        let statement = format!(
            "SET synchronous_commit = local; \
             INSERT INTO lab_writes(id) SELECT (SELECT coalesce(max(id), 0) FROM lab_writes) + i \
             FROM generate_series(1, {count}) AS i"
        );
        node.sql(&statement).map(drop)
    }

    /// Waits until `node` runs as a standby, whether it follows anybody or not.
    pub fn runs_as_standby(&self, node: &Node) -> Result<()> {
        let what = format!("{} to run as a standby", node.name);
        self.scene.steps.wait(&what, PATIENCE, || {
            let standbys = self.scene.cluster.standbys()?;
            ensure!(standbys.contains(node), "it does not");
            let recovery = node.sql("SELECT pg_is_in_recovery()")?;
            ensure!(recovery == "t", "it is writable");
            Ok(())
        })
    }

    /// Gives `node` lines of configuration, and has its server read them.
    pub fn configure(&self, node: &Node, lines: &str) -> Result<()> {
        self.scene.steps.say(&format!("{}: {lines}", node.name));
        let confdir = self.scene.cluster.options.release.confdir(MAIN.name);
        let path = format!("{confdir}/conf.d/zz-test.conf");
        node.write(&path, &format!("{lines}\n"), "postgres:postgres", "0644")?;
        node.sql("SELECT pg_reload_conf()").map(drop)
    }
}
