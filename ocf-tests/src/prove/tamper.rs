//! What happens to the evidence of an election, by the commands that admins use.

use std::fmt;

use anyhow::Result;

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::{Node, on_each};
use crate::run::scene::Scene;

const FILE: &str = "/root/old.xml";

/// What happens between two faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// Nothing.
    Nothing,
    /// The dead primary is removed from the cluster.
    Removal,
    /// The configuration of before the round is put back.
    OldConfiguration,
    /// The attributes of the dead primary that the record of elections consists of are deleted.
    Attributes,
    /// Pacemaker is restarted on all nodes that have power.
    Restart,
    /// `synchronous_standby_names` names one other standby alone, before the first fault.
    Rule,
}

/// All of them.
pub const ALL: &[Tampering] = &[
    Tampering::Nothing,
    Tampering::Removal,
    Tampering::OldConfiguration,
    Tampering::Attributes,
    Tampering::Restart,
    Tampering::Rule,
];

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "the evidence stays",
            Self::Removal => "the dead primary is removed from the cluster",
            Self::OldConfiguration => "an old configuration is put back",
            Self::Attributes => "reign and claim of the dead primary are deleted",
            Self::Restart => "Pacemaker is restarted everywhere",
            Self::Rule => "the rule was changed before",
        })
    }
}

/// The configuration of this moment, to be put back later.
pub fn remember(scene: &Scene) -> Result<String> {
    scene.cluster.any()?.run(&["pcs", "cluster", "cib"])
}

impl Tampering {
    /// Does it after `dead`, the old primary, has lost power; returns the nodes that are left to
    /// the cluster.
    pub fn happens(self, scene: &Scene, dead: &Node, old: &str) -> Result<Vec<Node>> {
        scene.steps.say(&self.to_string());
        match self {
            Self::Nothing | Self::Rule => {}
            Self::Removal => {
                remove(scene, dead)?;
                return Ok(scene.cluster.others(&dead.name));
            }
            Self::OldConfiguration => {
                let node = scene.cluster.any()?;
                node.write(FILE, old, "root:root", "0600")?;
                node.run(&["pcs", "cluster", "cib-push", FILE, "--config"])?;
            }
            Self::Attributes => forget(scene, dead)?,
            Self::Restart => restart(scene, dead)?,
        }
        Ok(scene.cluster.nodes.clone())
    }
}

/// As the cookbook removes a node, for one that will not come back.
fn remove(scene: &Scene, dead: &Node) -> Result<()> {
    let rest = scene.cluster.others(&dead.name);
    on_each(&rest, Node::start_pcsd)?;
    let line = format!("cluster node remove {} --skip-offline --force", dead.name);
    scene.pcs(&line).map(drop)
}

fn forget(scene: &Scene, dead: &Node) -> Result<()> {
    let node = scene.cluster.any()?;
    for fact in ["reign", "claim"] {
        let name = format!("{fact}-{}", MAIN.resource);
        let words = [
            "crm_attribute",
            "--node",
            &dead.name,
            "--name",
            &name,
            "--delete",
        ];
        // One that is not there is deleted as well.
        node.output(&words)?;
    }
    Ok(())
}

fn restart(scene: &Scene, dead: &Node) -> Result<()> {
    let rest = scene.cluster.others(&dead.name);
    on_each(&rest, |node| {
        node.run_within(PATIENCE, &["systemctl", "restart", "pacemaker"])
            .map(drop)
    })
}

/// The standby that may lag is the only one to wait for from now on; the monitor of the primary
/// gets to know it.
pub fn change_rule(scene: &Scene, primary: &Node, standby: &Node) -> Result<()> {
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    let path = format!("{confdir}/conf.d/synchronous.conf");
    let text = format!("synchronous_standby_names = '{}'\n", standby.name);
    primary.write(&path, &text, "postgres:postgres", "0644")?;
    primary.sql("SELECT pg_reload_conf()")?;
    let monitor = std::time::Duration::from_secs(17);
    scene.let_pass(monitor, "the monitor publishes the rule");
    Ok(())
}
