//! How a cluster is to be: what a caller wants of it, and what a running one was made with.

use std::fs;

use anyhow::{Result, bail};

use crate::cluster::agent::Agent;
use crate::cluster::pacemaker;
use crate::cluster::prepare::Recipe;
use crate::host::paths;
use crate::host::release::{self, Release};

/// How a cluster is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its name: two clusters with different names run side by side.
    pub id: String,
    /// Number of nodes.
    pub nodes: usize,
    /// Debian release of the nodes.
    pub release: &'static Release,
    /// Commits wait for one standby.
    pub synchronous: bool,
    /// Agent that the nodes get.
    pub agent: Agent,
    /// Corosync's token time-out in ms.
    pub token: u32,
    /// Nothing is set up on its nodes.
    pub bare: bool,
    /// The data of each node's PostgreSQL is on a disk of its own: see [`crate::machine::disk`].
    pub data_disks: bool,
    /// Outlives this process.
    pub detached: bool,
}

impl Options {
    /// Three nodes of the default release with the agent of the environment.
    pub fn new(id: &str) -> Result<Self> {
        Ok(Self {
            id: id.to_owned(),
            nodes: 3,
            release: release::find(release::DEFAULT)?,
            synchronous: false,
            agent: Agent::from_environment()?,
            token: pacemaker::TOKEN,
            bare: false,
            data_disks: false,
            detached: false,
        })
    }

    /// What it is prepared from.
    pub fn recipe(&self) -> Recipe {
        Recipe {
            release: self.release,
            nodes: self.nodes,
            agent: self.agent.clone(),
        }
    }
}

/// The options in one line, for [`recall`].
pub fn remember(options: &Options) -> String {
    format!(
        "{} {} {} {} {}",
        options.nodes,
        options.release.name,
        options.synchronous,
        options.agent.name(),
        options.token
    )
}

/// The options of the running cluster `id`, which [`remember`] wrote.
pub fn recall(id: &str) -> Result<Options> {
    let text = fs::read_to_string(paths::run(id).join("options"))?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [nodes, release, synchronous, agent, token] = words[..] else {
        bail!("unreadable options of cluster {id}: {text:?}");
    };
    Ok(Options {
        nodes: nodes.parse()?,
        release: release::find(release)?,
        synchronous: synchronous == "true",
        agent: Agent::named(agent)?,
        token: token.parse()?,
        bare: false,
        data_disks: false,
        detached: true,
        id: id.to_owned(),
    })
}
