//! A running cluster: boot it from its prepared layers, operate it, ask it, wait for it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::options::{self, Options};
use crate::cluster::postgresql::{self, Instance, MAIN};
use crate::cluster::{pacemaker, prepare};
use crate::host::paths;
use crate::host::progress::Steps;
use crate::machine::node::{Node, on_each};
use crate::machine::power::Power;
use crate::machine::warden::Plan;
use crate::machine::{network, rootfs};

/// Time for a cluster to become whole after whatever a test did to it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A cluster of booted nodes.
pub struct Cluster {
    /// How it was made.
    pub options: Options,
    /// Its nodes, those without power too.
    pub nodes: Vec<Node>,
    /// Its warden.
    pub power: Power,
    /// Where it reports what it does.
    pub steps: Steps,
}

impl Cluster {
    /// Boots the nodes of a prepared cluster; neither corosync nor Pacemaker runs yet.
    pub fn boot(options: Options, steps: &Steps) -> Result<Self> {
        let (rootfs, prepared) = if options.bare {
            (rootfs::ensure(options.release, steps)?, None)
        } else {
            let layers = prepare::ensure(&options.recipe(), steps)?;
            (layers.rootfs, Some(layers.prepared))
        };
        let plan = Plan {
            id: options.id.clone(),
            nodes: options.nodes,
            rootfs,
            prepared,
            on_disk: std::env::var("PGSQLMS_LAB_STORAGE").is_ok_and(|value| value == "disk"),
            data_disks: options.data_disks,
            detached: options.detached,
        };
        let power = Power::launch(&plan)?;
        fs::write(
            paths::run(&options.id).join("options"),
            options::remember(&options),
        )?;
        let nodes = (1..=options.nodes)
            .map(|i| Node::new(&options.id, power.pid(), i))
            .collect();
        let cluster = Self {
            options,
            nodes,
            power,
            steps: steps.clone(),
        };
        cluster
            .nodes
            .iter()
            .try_for_each(|node| cluster.furnish(node))?;
        prepare::boot(&cluster.power, &cluster.nodes, steps)?;
        Ok(cluster)
    }

    /// The cluster `id` that `lab up` left running.
    pub fn attach(id: &str, steps: &Steps) -> Result<Self> {
        let power = Power::attach(id)?;
        let options = options::recall(id)?;
        let nodes = (1..=options.nodes)
            .map(|i| Node::new(id, power.pid(), i))
            .collect();
        Ok(Self {
            options,
            nodes,
            power,
            steps: steps.clone(),
        })
    }

    /// What differs from the prepared layer is written before the first boot.
    fn furnish(&self, node: &Node) -> Result<()> {
        let root = node.root();
        self.options.agent.install(&root)?;
        if self.options.bare {
            return Ok(());
        }
        if self.options.synchronous {
            let path = format!(
                "{}/conf.d/synchronous.conf",
                self.options.release.confdir("main")
            );
            let text = postgresql::synchronous(self.options.nodes);
            fs::write(root.join(path.trim_start_matches('/')), text)?;
        }
        if self.options.token != pacemaker::TOKEN {
            let path = root.join("etc/corosync/corosync.conf");
            let text = fs::read_to_string(&path)?;
            let (old, new) = (pacemaker::TOKEN, self.options.token);
            ensure!(
                text.contains(&format!("token: {old}")),
                "no token in corosync.conf"
            );
            fs::write(
                &path,
                text.replace(&format!("token: {old}"), &format!("token: {new}")),
            )?;
        }
        Ok(())
    }

    /// Node called `name`.
    pub fn node(&self, name: &str) -> Result<&Node> {
        self.nodes
            .iter()
            .find(|n| n.name == name)
            .with_context(|| format!("no node {name}"))
    }

    /// All nodes but `name`.
    pub fn others(&self, name: &str) -> Vec<Node> {
        self.nodes
            .iter()
            .filter(|node| node.name != name)
            .cloned()
            .collect()
    }

    /// Starts corosync and Pacemaker on `nodes`, on each by itself.
    pub fn start_stack(&self, nodes: &[Node]) -> Result<()> {
        let names = nodes
            .iter()
            .map(|node| node.name.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        self.steps.say(&format!("pcs cluster start on {names}"));
        on_each(nodes, |node| {
            node.run_within(PATIENCE, &["pcs", "cluster", "start"])
                .map(drop)
        })
    }

    /// Starts pcsd everywhere, which `pcs … --all` needs and which prepared nodes do not run.
    pub fn start_pcsd(&self) -> Result<()> {
        on_each(&self.nodes, |node| node.start_pcsd())
    }

    /// A node where Pacemaker runs, with quorum if there is one: a node that was cut off has
    /// a view of its own.
    pub fn any(&self) -> Result<&Node> {
        let running: Vec<&Node> = self.nodes.iter().filter(|node| node.stack_runs()).collect();
        let quorate = |node: &&&Node| node.cluster_state().is_ok_and(|state| state.quorum);
        let found = running.iter().find(quorate).or(running.first());
        found.copied().context("Pacemaker runs on no node")
    }

    /// Runs `pcs` on a node where Pacemaker runs.
    pub fn pcs(&self, words: &[&str]) -> Result<String> {
        let mut all = vec!["pcs"];
        all.extend(words);
        self.steps.say(&all.join(" "));
        self.any()?.run_within(PATIENCE, &all)
    }

    /// `pcs resource move` of the promoted role, and the `clear` that old releases need.
    pub fn move_primary(&self, target: &str) -> Result<()> {
        let flag = self.options.release.promoted_flag();
        let clone = format!("{}-clone", MAIN.resource);
        self.pcs(&["resource", "move", &clone, target, &flag, "--wait=90"])?;
        self.pcs(&["resource", "clear", &clone]).map(drop)
    }

    /// Process id, inside the node, of the postmaster of `instance`.
    pub fn postmaster(&self, node: &Node, instance: &Instance) -> Result<i32> {
        let path = format!(
            "{}/postmaster.pid",
            self.options.release.datadir(instance.name)
        );
        let text = node.run(&["head", "-n1", &path])?;
        text.trim()
            .parse()
            .with_context(|| format!("{path}: {text:?}"))
    }

    /// Cuts PostgreSQL's traffic to and from `node`, as a broken replication network does;
    /// corosync and fencing go on. [`Cluster::heal_network`] ends it.
    pub fn cut_replication(&self, node: &Node, instance: &Instance) -> Result<()> {
        let (address, port) = (node.address(), instance.port);
        let warden = self.power.pid();
        network::filter(warden, &format!("ip saddr {address} tcp dport {port} drop"))?;
        network::filter(warden, &format!("ip daddr {address} tcp sport {port} drop"))
    }

    /// Plugs all cables and lets all packets through again.
    pub fn heal_network(&self) -> Result<()> {
        network::clear_filters(self.power.pid())?;
        for node in &self.nodes {
            if self.power.is_on(&node.name)? {
                node.plug(true)?;
            }
        }
        Ok(())
    }

    /// Boots a node again after a power cut and starts its cluster stack.
    pub fn bring_back(&self, node: &Node) -> Result<()> {
        prepare::boot(&self.power, std::slice::from_ref(node), &self.steps)?;
        self.start_stack(std::slice::from_ref(node))
    }

    /// Takes the cluster down and forgets it.
    pub fn shut_down(self) -> Result<()> {
        self.power.shut_down()
    }
}
