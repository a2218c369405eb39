//! Sets the stage for an election: under maintenance Pacemaker does nothing, so a test can
//! give each node exactly the data, the connections and the power it wants, and then release
//! the cluster into one decision.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::cluster::state::NodeState;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// Name of the location rule that [`Stage::prefer`] and [`Stage::forbid`] make.
const RULE: &str = "lab-wish";
/// Time for Pacemaker to be done with all that it can do, several failed promotions included.
const SETTLING: Duration = Duration::from_secs(60);

/// A cluster of three nodes before its election.
pub struct Stage<'a> {
    /// The test's cluster.
    pub scene: &'a Scene,
    /// The primary when the stage was set.
    pub primary: Node,
    /// The standby that Pacemaker would promote first.
    pub favourite: Node,
    /// The other standby.
    pub other: Node,
}

impl<'a> Stage<'a> {
    /// Who is who in a whole cluster of three nodes.
    pub fn new(scene: &'a Scene) -> Result<Self> {
        let state = scene.cluster.state()?;
        let score = |node: &Node| -> i64 {
            let score = state.score(MAIN.resource, &node.name);
            score.and_then(|text| text.parse().ok()).unwrap_or(-1)
        };
        let mut standbys = scene.cluster.standbys()?;
        standbys.sort_by_key(|node| std::cmp::Reverse(score(node)));
        let Ok([favourite, other]) = <[Node; 2]>::try_from(standbys) else {
            bail!("two standbys are needed")
        };
        let primary = scene.cluster.primary()?;
        scene.steps.say(&format!(
            "{} is primary, {} the favourite, {} the other standby",
            primary.name, favourite.name, other.name
        ));
        Ok(Self {
            scene,
            primary,
            favourite,
            other,
        })
    }

    /// The favourite and the other standby.
    pub fn standbys(&self) -> [&Node; 2] {
        [&self.favourite, &self.other]
    }

    /// The same, under maintenance until [`Stage::release`].
    pub fn under_maintenance(scene: &'a Scene) -> Result<Self> {
        let stage = Self::new(scene)?;
        scene.pcs("property set maintenance-mode=true")?;
        stage.settle()?;
        Ok(stage)
    }

    /// Lets Pacemaker act until it has nothing left to do, or for a time: a role that goes
    /// back and forth for ever is judged by what it did to the data.
    pub fn release(&self) -> Result<()> {
        self.scene.pcs("property set maintenance-mode=false")?;
        if let Err(error) = self.settle() {
            self.scene.steps.say(&format!("{error:#}"));
        }
        Ok(())
    }

    /// Waits until Pacemaker has nothing left to do. Not by `crm_resource --wait`: it also
    /// waits for what Pacemaker would do at its next recheck.
    pub fn settle(&self) -> Result<()> {
        let mut idle = 0;
        let what = "Pacemaker to be done";
        self.scene.steps.wait(what, SETTLING, || {
            std::thread::sleep(Duration::from_millis(500));
            let said = self.coordinator_state()?;
            idle = if said.contains("S_IDLE") { idle + 1 } else { 0 };
            ensure!(idle >= 3, "{said}");
            Ok(())
        })
    }

    fn coordinator_state(&self) -> Result<String> {
        let node = self.scene.cluster.any()?;
        let coordinator = node.cluster_state()?.coordinator;
        ensure!(!coordinator.is_empty(), "no coordinator");
        node.run(&["crmadmin", "-S", &coordinator])
    }

    /// Writes `count` rows on `node`; asynchronous commits are acknowledged at once.
    pub fn write_rows(&self, node: &Node, count: u32) -> Result<()> {
        self.scene
            .steps
            .say(&format!("writing {count} rows on {}", node.name));
        let statement = format!(
            "INSERT INTO lab_writes(id) SELECT (SELECT coalesce(max(id), 0) FROM lab_writes) + i \
             FROM generate_series(1, {count}) AS i"
        );
        node.sql(&statement).map(drop)
    }

    /// Makes `megabytes` of WAL on `node`, and nothing else.
    pub fn write_wal(&self, node: &Node, megabytes: u32) -> Result<()> {
        let statement = format!(
            "SELECT count(pg_logical_emit_message(true, 'lab', repeat('x', 1000000))) \
             FROM generate_series(1, {megabytes})"
        );
        node.sql(&statement).map(drop)
    }

    /// Number of rows on `node`.
    pub fn rows(&self, node: &Node) -> Result<u64> {
        let count = node.sql("SELECT count(*) FROM lab_writes")?;
        count.parse().with_context(|| format!("rows: {count:?}"))
    }

    /// Waits until `node` holds `rows` rows.
    pub fn wait_rows(&self, node: &Node, rows: u64) -> Result<()> {
        let what = format!("{} to hold {rows} rows", node.name);
        self.scene.steps.wait(&what, Duration::from_secs(30), || {
            let there = self.rows(node)?;
            ensure!(there == rows, "{there} are there");
            Ok(())
        })
    }

    /// Cuts `nodes` off from replication; the primary sees them gone at once.
    pub fn disconnect(&self, nodes: &[&Node]) -> Result<()> {
        for node in nodes {
            self.scene.cluster.cut_replication(node, &MAIN)?;
            let statement = format!(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication \
                 WHERE application_name = '{}'",
                node.name
            );
            self.primary.sql(&statement)?;
        }
        Ok(())
    }

    /// Restarts PostgreSQL on `node` by hand, cleanly.
    pub fn restart(&self, node: &Node) -> Result<()> {
        let release = self.scene.cluster.options.release;
        self.scene
            .steps
            .say(&format!("restarting PostgreSQL on {} by hand", node.name));
        postgresql::control(node, release, &MAIN, "stop")?;
        postgresql::control(node, release, &MAIN, "start")
    }

    /// Wants the promoted role on `node`, as a `move` does that nobody cleared.
    pub fn prefer(&self, node: &Node) -> Result<()> {
        self.wish("INFINITY", node)
    }

    /// Forbids the promoted role on `node`, as a ban of the role does.
    pub fn forbid(&self, node: &Node) -> Result<()> {
        self.wish("-INFINITY", node)
    }

    fn wish(&self, score: &str, node: &Node) -> Result<()> {
        let role = self.scene.cluster.options.release.promoted;
        let line = format!(
            "constraint location {}-clone rule constraint-id={RULE} role={role} score={score} \
             #uname eq {}",
            MAIN.resource, node.name
        );
        self.scene.pcs(&line).map(drop)
    }

    /// Takes back what [`Stage::prefer`] or [`Stage::forbid`] wished.
    pub fn no_wish(&self) -> Result<()> {
        self.scene
            .pcs(&format!("constraint delete {RULE}"))
            .map(drop)
    }

    /// Cuts the power of `node`, and waits until the others miss it.
    pub fn power_off(&self, node: &Node) -> Result<()> {
        self.scene
            .steps
            .say(&format!("cutting the power of {}", node.name));
        self.scene.cluster.power.off(&node.name)?;
        let what = format!("{} to be missed", node.name);
        self.scene.steps.wait(&what, Duration::from_secs(30), || {
            let state = self.scene.cluster.state()?;
            let member = |n: &NodeState| n.name == node.name && n.online && !n.unclean;
            ensure!(!state.nodes.iter().any(member), "still a member");
            Ok(())
        })
    }

    /// Whoever is promoted, now or soon, must hold all `rows` rows, as a node that survived
    /// does.
    pub fn nothing_lost(&self, rows: u64) -> Result<Node> {
        let cluster = &self.scene.cluster;
        let primary = self.scene.steps.wait("a primary", PATIENCE, || {
            let primary = cluster.primary()?;
            let answer = primary.sql("SELECT pg_is_in_recovery()")?;
            ensure!(answer == "f", "{} is in recovery", primary.name);
            Ok(primary)
        })?;
        let there = self.rows(&primary)?;
        ensure!(
            there == rows,
            "{} was promoted with {there} of {rows} rows, {} are lost",
            primary.name,
            rows.saturating_sub(there)
        );
        Ok(primary)
    }
}
