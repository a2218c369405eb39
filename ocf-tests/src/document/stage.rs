//! What the lab does beside a document's own commands: power cuts, nodes as packages leave them,
//! clients. A document asks for it in comments that readers do not see.

use std::fs;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::cluster::agent;
use crate::cluster::postgresql::{self, MAIN};
use crate::cluster::{Cluster, prepare};
use crate::host::shell;
use crate::machine::node::{Node, on_each};
use crate::machine::{network, rootfs};
use crate::run::scene::Scene;
use crate::watch::client::Client;

/// Fencing and a boot.
const LONGEST_BOOT: Duration = Duration::from_secs(60);

/// By how much one standby receives more than the next.
const HEAD_START: Duration = Duration::from_millis(300);

/// The nodes that a document speaks of now.
pub struct Stage {
    members: Vec<String>,
}

impl Stage {
    /// The nodes `names`.
    pub fn new(names: &[&str]) -> Self {
        let names = names.iter();
        Self {
            members: names.map(|name| (*name).to_owned()).collect(),
        }
    }

    /// The nodes that `all#` means and that must be whole at the end of a chapter.
    pub fn members(&self, cluster: &Cluster) -> Result<Vec<Node>> {
        let named = self.members.iter();
        named.map(|name| cluster.node(name).cloned()).collect()
    }

    /// Does what the comment `words` says.
    pub fn obey(&mut self, scene: &mut Scene, words: &[String]) -> Result<()> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["members", ..] => {
                self.members = words[1..].iter().map(|name| (*name).to_owned()).collect();
                Ok(())
            }
            ["as", "installed"] => on_each(&scene.cluster.nodes, |node| installed(scene, node)),
            ["start", "with", "the", "Perl", "agent"] => start_with_perl(scene),
            ["install", "the", "agent"] => {
                let nodes = scene.cluster.nodes.iter();
                let agent = &scene.cluster.options.agent;
                nodes
                    .map(Node::root)
                    .try_for_each(|root| agent.install(&root))
            }
            ["clients", "write"] => clients_write(scene),
            ["clients", "rest"] => scene.settle().map(drop),
            ["clients", "return"] => {
                scene.client = Some(Client::start(&scene.cluster, &MAIN));
                scene.writes_go_on()
            }
            ["primary", name] => scene.cluster.wait_promoted(name),
            // A standby that does not stream yet would be outvoted.
            ["move", name] => self
                .wait_whole(scene)
                .and_then(|()| scene.cluster.move_primary(name)),
            ["whole"] => self.wait_whole(scene),
            ["copy", path] => copy(scene, path),
            ["booted", name] => booted(scene, name),
            ["pcsd"] => scene.cluster.start_pcsd(),
            ["role", "replicator"] => role_replicator(scene),
            ["outside", name] => self.leave(scene, name),
            ["rejoin", name] => {
                let node = scene.cluster.node(name)?.clone();
                scene.cluster.rejoin(&node)
            }
            ["power", "off", name, "before", ..] => power_off_unsent(scene, name),
            ["power", "off", name] => scene.cluster.power.off(name),
            ["power", "on", name] => {
                let node = scene.cluster.node(name)?.clone();
                prepare::boot(&scene.cluster.power, &[node], &scene.steps)
            }
            _ => bail!("the lab does not know this"),
        }
    }

    /// The cluster is whole and clients lost nothing; before there are clients there is no
    /// cluster to judge.
    pub fn end_chapter(&self, scene: &mut Scene) -> Result<()> {
        if scene.client.is_none() {
            return Ok(());
        }
        self.wait_whole(scene)?;
        scene.settle()?;
        scene.client = Some(Client::start(&scene.cluster, &MAIN));
        scene.writes_go_on()
    }

    /// A machine that is no node of the cluster, and has no data yet.
    fn leave(&mut self, scene: &Scene, name: &str) -> Result<()> {
        scene.pcs(&format!("node standby {name} --wait=60"))?;
        scene.pcs(&format!("cluster node remove {name} --force"))?;
        scene.pcs(&format!("stonith delete fence-{name}"))?;
        self.members.retain(|member| member != name);
        let data = scene.cluster.options.release.datadir(MAIN.name);
        scene.cluster.node(name)?.run(&["rm", "-rf", &data])?;
        self.wait_whole(scene)
    }

    fn wait_whole(&self, scene: &Scene) -> Result<()> {
        let names: Vec<&str> = self.members.iter().map(String::as_str).collect();
        scene.cluster.wait_whole_on(&names)
    }
}

/// Nodes as Debian's installer and packages leave them: no names but their own, and an instance
/// that systemd starts.
fn installed(scene: &Scene, node: &Node) -> Result<()> {
    let release = scene.cluster.options.release;
    let name = &node.name;
    let hosts = format!("127.0.0.1\tlocalhost\n127.0.1.1\t{name}.example.org\t{name}\n");
    node.write("/etc/hosts", &hosts, "root:root", "0644")?;
    node.run(&["systemctl", "unmask", "--quiet", "postgresql"])?;
    node.run(&["pg_createcluster", release.postgresql, MAIN.name])?;
    fence_ipmilan(node)
}

/// The power switch of the lab under the name of the fence agent that the documents show.
fn fence_ipmilan(node: &Node) -> Result<()> {
    let own = node.run(&["cat", "/usr/sbin/fence_lab"])?;
    let parameters = ["ip", "username", "password", "lanplus"].map(|name| {
        format!(
            "<parameter name=\"{name}\" required=\"0\"><content type=\"string\"/>\
             <shortdesc lang=\"en\">not used by the lab</shortdesc></parameter>\n</parameters>"
        )
    });
    let agent = parameters
        .iter()
        .fold(own, |text, more| text.replacen("</parameters>", more, 1));
    node.write("/usr/sbin/fence_ipmilan", &agent, "root:root", "0755")
}

/// Lets the lab's client in, which has no password, and starts it.
fn clients_write(scene: &mut Scene) -> Result<()> {
    let cluster = &scene.cluster;
    let primary = cluster.primary()?;
    let path = format!("{}/pg_hba.conf", cluster.options.release.confdir(MAIN.name));
    let line = format!("1i host postgres postgres {}/32 trust", network::GATEWAY);
    on_each(&cluster.nodes, |node| {
        node.run(&["sed", "-i", &line, &path])?;
        // A node that is not in the cluster yet runs no server.
        let _: shell::Output = node.output(&["pkill", "-HUP", "-o", "-x", "postgres"])?;
        Ok(())
    })?;
    primary.sql(postgresql::TABLE)?;
    scene.client = Some(Client::start(&scene.cluster, &MAIN));
    scene.writes_go_on()
}

/// What `scp` from the first node would do.
fn copy(scene: &Scene, path: &str) -> Result<()> {
    let first = scene.cluster.node("srv1")?.root();
    let relative = path.trim_start_matches('/');
    for node in scene.cluster.others("srv1") {
        fs::copy(first.join(relative), node.root().join(relative))?;
    }
    Ok(())
}

/// Waits until a node that the cluster fenced is up again.
fn booted(scene: &Scene, name: &str) -> Result<()> {
    let node = scene.cluster.node(name)?;
    let what = format!("{name} to boot");
    scene.steps.wait(&what, LONGEST_BOOT, || {
        let fencings = scene.cluster.power.fencings()?;
        let on = fencings.iter().any(|f| f.node == name && f.what == "on");
        ensure!(on, "it was not fenced");
        node.booted()
    })
}

/// The role that the quick start makes, on clusters of the lab, which let everybody in.
fn role_replicator(scene: &Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let statement = "CREATE ROLE replicator LOGIN REPLICATION; \
                     GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean), \
                     pg_stat_file(text, boolean), pg_read_binary_file(text), \
                     pg_read_binary_file(text, bigint, bigint, boolean) TO replicator";
    primary.sql(statement)?;
    scene.cluster.nodes.iter().try_for_each(fence_ipmilan)
}

/// Cuts the power of a primary that has written WAL which no standby got.
fn power_off_unsent(scene: &Scene, name: &str) -> Result<()> {
    let primary = scene.cluster.node(name)?;
    // The last one first and a little later the others, so that the first holds most.
    for standby in scene.cluster.others(name).iter().rev() {
        scene.cluster.cut_replication(standby, &MAIN)?;
        std::thread::sleep(HEAD_START);
    }
    primary.sql("SET synchronous_commit = local; CREATE TABLE unsent(); CHECKPOINT")?;
    scene.cluster.power.off(name)?;
    scene.cluster.heal_network()
}

/// A whole cluster on the Perl agent, with a client.
fn start_with_perl(scene: &mut Scene) -> Result<()> {
    let cluster = &scene.cluster;
    let perl = rootfs::ensure(cluster.options.release, &scene.steps)?.join(agent::PATH);
    for node in &cluster.nodes {
        fs::copy(&perl, node.root().join(agent::PATH))?;
    }
    cluster.start_stack(&cluster.nodes)?;
    cluster.wait_whole()?;
    scene.client = Some(Client::start(&scene.cluster, &MAIN));
    scene.writes_go_on()
}
