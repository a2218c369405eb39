//! What a test gets: a whole cluster, a client that writes to it, and words to judge with.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::cluster::postgresql::{Instance, MAIN};
use crate::cluster::{Cluster, PATIENCE};
use crate::host::progress::Steps;
use crate::machine::node::Node;
use crate::watch::client::{Client, Report};

/// The set-up of a test.
pub struct Scene {
    /// The cluster, whole when the test begins (unless the test starts it itself).
    pub cluster: Cluster,
    /// Writes through the address of the primary; none in tests that want silence.
    pub client: Option<Client>,
    /// Where the test says what it does.
    pub steps: Steps,
}

impl Scene {
    /// Runs `pcs` with the words of `line` on a node where Pacemaker runs.
    pub fn pcs(&self, line: &str) -> Result<String> {
        self.cluster
            .pcs(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Cuts the power of `node` and waits until the cluster had it confirmed by the power switch.
    pub fn cut_power(&self, node: &Node) -> Result<()> {
        self.steps
            .say(&format!("cutting the power of {}", node.name));
        self.cluster.power.off(&node.name)?;
        let what = format!("{} to be fenced", node.name);
        self.steps.wait(&what, Duration::from_secs(60), || {
            let fencings = self.cluster.power.fencings()?;
            ensure!(
                fencings.iter().any(|f| f.node == node.name),
                "no request so far"
            );
            Ok(())
        })
    }

    /// Moves the primary to `target` while `on_the_way` happens; that the move fails of it is no
    /// error. The command itself waits for the end of the move, and may leave its constraint.
    pub fn move_during<T>(
        &self,
        target: &str,
        on_the_way: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let seen = std::thread::scope(|scope| {
            let mover = scope.spawn(|| self.cluster.move_primary(target));
            let seen = on_the_way()?;
            if let Ok(Err(error)) = mover.join() {
                self.steps.say(&format!("the move: {error:#}"));
            }
            anyhow::Ok(seen)
        })?;
        if let Err(error) = self.pcs("resource clear pgsqld-clone") {
            self.steps.say(&format!("nothing to clear: {error:#}"));
        }
        Ok(seen)
    }

    /// Passes when no action failed, no fail count is left and nobody was fenced.
    pub fn undisturbed(&self) -> Result<()> {
        let state = self.cluster.state()?;
        ensure!(
            state.failures.is_empty(),
            "failed actions: {}",
            state.failures.join("; ")
        );
        ensure!(
            state.fail_counts.is_empty(),
            "fail counts: {}",
            state.fail_counts.join("; ")
        );
        self.nobody_fenced()
    }

    /// Passes when no action failed but those of `dead`, and no other node has a fail count.
    pub fn undisturbed_but(&self, dead: &Node) -> Result<()> {
        let state = self.cluster.state()?;
        let failed = state.failures.iter().chain(&state.fail_counts);
        let others: Vec<_> = failed.filter(|line| !line.contains(&dead.name)).collect();
        ensure!(others.is_empty(), "failed: {others:?}");
        Ok(())
    }

    /// Passes when the cluster never asked the power switch for anything.
    pub fn nobody_fenced(&self) -> Result<()> {
        let fencings = self.cluster.power.fencings()?;
        ensure!(fencings.is_empty(), "fenced: {fencings:?}");
        Ok(())
    }

    /// Passes when `name` and no other node was fenced.
    pub fn only_fenced(&self, name: &str) -> Result<()> {
        let fencings = self.cluster.power.fencings()?;
        ensure!(
            fencings.iter().any(|f| f.node == name),
            "{name} was not fenced"
        );
        ensure!(
            fencings.iter().all(|f| f.node == name),
            "fenced: {fencings:?}"
        );
        Ok(())
    }

    /// Wipes the record of failures, as an operator does once a node is repaired.
    pub fn clean_up(&self) -> Result<()> {
        self.pcs("resource cleanup")?;
        self.cluster.wait_whole()?;
        let state = self.cluster.state()?;
        ensure!(
            state.fail_counts.is_empty(),
            "fail counts: {}",
            state.fail_counts.join("; ")
        );
        Ok(())
    }

    /// Waits until Pacemaker has a failure of `action` on `node` on record.
    pub fn wait_failure(&self, node: &Node, action: &str) -> Result<()> {
        let what = format!("a failure of {action} on {}", node.name);
        self.steps.wait(&what, Duration::from_secs(90), || {
            let state = self.cluster.state()?;
            let on_node = format!(" on {}:", node.name);
            let found = |line: &String| line.starts_with(action) && line.contains(&on_node);
            ensure!(state.failures.iter().any(found), "none so far");
            Ok(())
        })
    }

    /// Waits until the client's writes are acknowledged again.
    pub fn writes_go_on(&self) -> Result<()> {
        match &self.client {
            Some(client) => client.wait_writing(&self.steps, Duration::from_secs(30)),
            None => bail!("this test has no client"),
        }
    }

    /// Longest time without an acknowledged write so far.
    pub fn downtime(&self) -> Result<Duration> {
        match &self.client {
            Some(client) => Ok(client.downtime()),
            None => bail!("this test has no client"),
        }
    }

    /// A standby to do something to: the last one, which the agent likes least.
    pub fn a_standby(&self) -> Result<Node> {
        match self.cluster.standbys()?.pop() {
            Some(node) => Ok(node),
            None => bail!("no standby"),
        }
    }

    /// Waits until `instance` runs on no node, judged by its processes.
    pub fn wait_stopped(&self, instance: &Instance, nodes: &[Node]) -> Result<()> {
        let what = format!("{} to be stopped", instance.resource);
        self.steps.wait(&what, Duration::from_secs(60), || {
            for node in nodes {
                ensure!(
                    self.cluster.postmaster(node, instance).is_err(),
                    "it runs on {}",
                    node.name
                );
            }
            Ok(())
        })
    }

    /// Start time and process id of the main postmaster of every node: changes with any restart.
    pub fn postmasters(&self) -> Result<Vec<String>> {
        let query = "SELECT pg_postmaster_start_time(), pg_is_in_recovery()";
        self.cluster
            .nodes
            .iter()
            .map(|node| node.sql_on(MAIN.port, query))
            .collect()
    }

    /// Waits until the server of `node` is a standby.
    pub fn wait_standby(&self, node: &Node) -> Result<()> {
        let what = format!("{} to be no primary any more", node.name);
        self.steps.wait(&what, PATIENCE, || {
            let recovery = node.sql("SELECT pg_is_in_recovery()")?;
            ensure!(recovery == "t", "it is writable");
            Ok(())
        })
    }

    /// Waits until Pacemaker has nothing to do any more.
    pub fn settle_pacemaker(&self) -> Result<()> {
        let words = ["crm_resource", "--wait", "--timeout=60"];
        self.cluster.any()?.run_within(PATIENCE, &words).map(drop)
    }

    /// Lets time pass for a stated reason.
    pub fn let_pass(&self, time: Duration, why: &str) {
        self.steps.say(&format!("{why}: {} s pass", time.as_secs()));
        std::thread::sleep(time);
    }

    /// Ends the client and demands that nothing acknowledged is lost.
    pub fn settle(&mut self) -> Result<Option<Report>> {
        let Some(client) = self.client.take() else {
            return Ok(None);
        };
        client.wait_writing(&self.steps, Duration::from_secs(30))?;
        let report = client.finish(&self.steps)?;
        let some: Vec<_> = report.lost.iter().take(5).collect();
        ensure!(
            report.lost.is_empty(),
            "{} of {} acknowledged rows are lost, first {some:?}",
            report.lost.len(),
            report.acknowledged
        );
        let downtime = report.downtime.as_secs_f64();
        self.steps.say(&format!(
            "{} rows, none lost, {downtime:.1} s down",
            report.acknowledged
        ));
        Ok(Some(report))
    }
}
