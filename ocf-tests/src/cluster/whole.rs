//! Judging a cluster by its real state, and waiting until it is as it should be.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::postgresql::{Instance, MAIN};
use crate::cluster::state::{Role, State};
use crate::cluster::{Cluster, Options, PATIENCE};
use crate::host::progress::Steps;
use crate::machine::node::Node;

impl Cluster {
    /// Boots a cluster, starts its stack and waits until it is whole.
    pub fn start(options: Options, steps: &Steps) -> Result<Self> {
        let cluster = Self::boot(options, steps)?;
        cluster.start_stack(&cluster.nodes)?;
        cluster.wait_whole()?;
        Ok(cluster)
    }

    /// What Pacemaker says, asked on any node where it runs.
    pub fn state(&self) -> Result<State> {
        self.any()?.cluster_state()
    }

    /// The node with the promoted instance of the main resource.
    pub fn primary(&self) -> Result<Node> {
        self.primary_of(&MAIN)
    }

    /// The node with the promoted instance of `instance`.
    pub fn primary_of(&self, instance: &Instance) -> Result<Node> {
        let name = self.state()?.only(instance.resource, &Role::Promoted)?;
        self.node(&name).cloned()
    }

    /// The nodes with an unpromoted instance of the main resource.
    pub fn standbys(&self) -> Result<Vec<Node>> {
        let names = self.state()?.on(MAIN.resource, &Role::Unpromoted);
        names.iter().map(|name| self.node(name).cloned()).collect()
    }

    /// Waits until the cluster is whole: see [`Cluster::whole`].
    pub fn wait_whole(&self) -> Result<()> {
        let names = self.names();
        self.steps.wait("the cluster to be whole", PATIENCE, || {
            self.whole(&MAIN, &names)
        })
    }

    /// Waits until the cluster is whole with only the nodes `names` in it.
    pub fn wait_whole_on(&self, names: &[&str]) -> Result<()> {
        let what = format!("a whole cluster on {}", names.join(", "));
        self.steps
            .wait(&what, PATIENCE, || self.whole(&MAIN, names))
    }

    /// Waits until `name` has the promoted instance, whatever the other nodes do.
    pub fn wait_promoted(&self, name: &str) -> Result<()> {
        self.steps
            .wait(&format!("{name} to be promoted"), PATIENCE, || {
                let promoted = self.state()?.only(MAIN.resource, &Role::Promoted)?;
                ensure!(promoted == name, "{promoted} is promoted");
                Ok(())
            })
    }

    /// Waits until one of `nodes` is the primary, by its own word too.
    pub fn wait_promoted_among(&self, nodes: &[Node], limit: Duration) -> Result<Node> {
        self.steps.wait("a new primary", limit, || {
            let primary = self.primary()?;
            ensure!(nodes.contains(&primary), "{} is promoted", primary.name);
            let recovery = primary.sql("SELECT pg_is_in_recovery()")?;
            ensure!(recovery == "f", "{} is in recovery", primary.name);
            Ok(primary)
        })
    }

    /// Names of all nodes.
    pub fn names(&self) -> Vec<&str> {
        self.nodes.iter().map(|node| node.name.as_str()).collect()
    }

    /// Real state, not only Pacemaker's word: exactly the nodes `names` are online and run
    /// `instance`, one of them promoted and not in recovery, all others in recovery and
    /// streaming from it, the address is with it, nothing is pending, and each standby has a
    /// score with which Pacemaker may promote it.
    pub fn whole(&self, instance: &Instance, names: &[&str]) -> Result<()> {
        self.serving(instance, names)?;
        let state = self.state()?;
        for name in names {
            let score = state.score(instance.resource, name).unwrap_or("none");
            let may = score == "INFINITY" || score.parse::<i64>().is_ok_and(|number| number > 0);
            ensure!(may, "the promotion score of {name} is {score}");
        }
        Ok(())
    }

    /// The same without a look at the scores: an agent may set them only some time after a
    /// standby has connected.
    pub fn serving(&self, instance: &Instance, names: &[&str]) -> Result<()> {
        let state = self.state()?;
        for node in &state.nodes {
            let wanted = names.contains(&node.name.as_str());
            let able = node.online && !node.standby && !node.pending && !node.unclean;
            ensure!(able || !wanted, "{} is not online", node.name);
        }
        let primary = state.only(instance.resource, &Role::Promoted)?;
        let mut running = state.on(instance.resource, &Role::Unpromoted);
        running.push(primary.clone());
        running.sort();
        let mut wanted = names.to_vec();
        wanted.sort_unstable();
        ensure!(
            running == wanted,
            "{} runs on {running:?}",
            instance.resource
        );
        let trouble = state
            .instances
            .iter()
            .find_map(|i| Some((i, i.trouble.as_ref()?)));
        ensure!(trouble.is_none(), "trouble: {trouble:?}");
        let address = state.only(instance.vip_resource, &Role::Started)?;
        ensure!(
            address == primary,
            "the address is on {address}, the primary on {primary}"
        );
        self.replicating(instance, &primary, names)
    }

    fn replicating(&self, instance: &Instance, primary: &str, names: &[&str]) -> Result<()> {
        for name in names {
            let answer = self
                .node(name)?
                .sql_on(instance.port, "SELECT pg_is_in_recovery()")?;
            ensure!(
                answer == if *name == primary { "f" } else { "t" },
                "{name}: {answer}"
            );
        }
        let query = "SELECT application_name, state FROM pg_stat_replication";
        let answer = self.node(primary)?.sql_on(instance.port, query)?;
        let streams: BTreeMap<&str, &str> = answer
            .lines()
            .filter_map(|line| line.split_once('|'))
            .collect();
        for name in names.iter().filter(|name| **name != primary) {
            let stream = streams.get(name).copied().unwrap_or("not connected");
            ensure!(
                stream == "streaming",
                "{name} is {stream} at the primary {primary}"
            );
        }
        Ok(())
    }
}
