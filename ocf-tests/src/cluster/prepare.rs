//! Prepared clusters: everything set up once, shut down, and kept as one saved layer per node.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cluster::agent::Agent;
use crate::cluster::pacemaker;
use crate::cluster::postgresql::{self, MAIN};
use crate::host::progress::Steps;
use crate::host::release::Release;
use crate::host::{cache, paths};
use crate::machine::node::{Node, on_each};
use crate::machine::power::Power;
use crate::machine::rootfs;
use crate::machine::warden::Plan;

/// Raised by hand whenever the steps below change what they make.
const VERSION: u32 = 1;

/// What a prepared cluster is made for.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Debian release of the nodes.
    pub release: &'static Release,
    /// Number of nodes.
    pub nodes: usize,
    /// The agent whose meta-data shape the cluster configuration.
    pub agent: Agent,
}

/// The layers a cluster is booted from.
#[derive(Debug, Clone)]
pub struct Layers {
    /// Root file system.
    pub rootfs: PathBuf,
    /// Folder of the nodes' saved layers.
    pub prepared: PathBuf,
}

/// The prepared cluster of `recipe`, made now if it is not there yet.
pub fn ensure(recipe: &Recipe, steps: &Steps) -> Result<Layers> {
    let rootfs = rootfs::ensure(recipe.release, steps)?;
    let folder = paths::prepared();
    fs::create_dir_all(&folder)?;
    let ready = folder.join(key(recipe)?);
    let _lock = cache::lock(&folder.join("lock"))?;
    if !ready.exists() {
        make(recipe, &rootfs, &ready, steps).context("cannot prepare a cluster")?;
    }
    Ok(Layers {
        rootfs,
        prepared: ready,
    })
}

fn key(recipe: &Recipe) -> Result<String> {
    let agent = recipe.agent.key()?;
    let mut hasher = DefaultHasher::new();
    (VERSION, rootfs::key(recipe.release)).hash(&mut hasher);
    // Sources that shape the layers: a change in them makes a new prepared cluster.
    let sources = [
        include_str!("pacemaker.rs"),
        include_str!("postgresql.rs"),
        include_str!("stack.rs"),
    ];
    sources.hash(&mut hasher);
    let (release, nodes) = (recipe.release.name, recipe.nodes);
    Ok(format!(
        "{release}-{nodes}-{agent}-{:016x}",
        hasher.finish()
    ))
}

fn make(recipe: &Recipe, rootfs: &Path, ready: &Path, steps: &Steps) -> Result<()> {
    steps.say(&format!(
        "preparing a cluster of {} nodes (about a minute)",
        recipe.nodes
    ));
    let plan = Plan {
        id: "prep".to_owned(),
        nodes: recipe.nodes,
        rootfs: rootfs.to_owned(),
        prepared: None,
        on_disk: true,
        data_disks: false,
        detached: false,
    };
    let power = Power::launch(&plan)?;
    let nodes: Vec<Node> = (1..=recipe.nodes)
        .map(|i| Node::new("prep", power.pid(), i))
        .collect();
    for node in &nodes {
        recipe.agent.install(&node.root())?;
        // A node finds its own address there when it boots.
        if nodes.len() > rootfs::NAMED {
            fs::write(node.root().join("etc/hosts"), rootfs::hosts(nodes.len()))?;
        }
    }
    boot(&power, &nodes, steps)?;
    steps.say("corosync and pcs: setting up");
    pacemaker::set_up_corosync(&nodes)?;
    postgresql::prime(&nodes, recipe.release, &MAIN, steps)?;
    steps.say("Pacemaker: writing the configuration");
    pacemaker::write_cib(&nodes, recipe.release, &MAIN)?;
    on_each(&nodes, clean)?;
    nodes.iter().try_for_each(|node| power.off(&node.name))?;
    save(&nodes, ready)?;
    power.shut_down()?;
    steps.say("the prepared cluster is ready");
    Ok(())
}

/// Gives power to `nodes` and waits until all have booted.
pub fn boot(power: &Power, nodes: &[Node], steps: &Steps) -> Result<()> {
    on_each(nodes, |node| power.on(&node.name))?;
    let names = nodes
        .iter()
        .map(|node| node.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    steps.wait(&format!("{names} to boot"), Duration::from_secs(90), || {
        nodes.iter().try_for_each(Node::booted)
    })
}

/// Removes traces of the preparation that a later look at the logs would trip over.
fn clean(node: &Node) -> Result<()> {
    // pcsd may take longer than a minute to stop when asked nicely.
    node.run(&["systemctl", "kill", "--signal=KILL", "pcsd"])?;
    node.run(&["systemctl", "stop", "rsyslog"])?;
    let script = "find /var/log -type f -delete; rm -rf /var/log/journal; sync -f /var/log";
    node.run(&["sh", "-c", script]).map(drop)
}

fn save(nodes: &[Node], ready: &Path) -> Result<()> {
    let making = ready.with_extension("making");
    cache::remove_tree(&making)?;
    fs::create_dir_all(&making)?;
    for node in nodes {
        let upper = paths::run("prep")
            .join("nodes")
            .join(&node.name)
            .join("upper");
        // The overlay is still mounted by the warden, but nothing writes to it any more.
        fs::rename(&upper, making.join(&node.name))
            .with_context(|| format!("cannot save {}", upper.display()))?;
    }
    fs::rename(&making, ready)?;
    Ok(())
}
