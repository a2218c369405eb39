//! The packages on nodes that had nothing before, and on nodes with the Perl agent.

use anyhow::{Result, ensure};

use crate::cluster::agent;
use crate::host::package;
use crate::machine::node::{Node, on_each};
use crate::run::scene::Scene;

const NAME: &str = "resource-agents-pgsqlms";

/// On a node with the Perl agent ours takes its place, by apt and by dpkg; removed, it leaves
/// nothing, and the Perl agent can be put back. The packages please lintian and rpm.
pub fn takes_the_place_of_paf_and_goes_without_trace(scene: &mut Scene) -> Result<()> {
    let nodes = &scene.cluster.nodes;
    scene.steps.say("packages as lintian and rpm see them");
    package::judge_deb()?;
    package::judge_rpm()?;
    // The harness has put its own build into the place of the packaged Perl agent.
    on_each(nodes, |node| {
        put_back(node)?;
        node.give_deb().map(drop)
    })?;
    scene.steps.say("apt changes the Perl agent for ours");
    apt(&nodes[0], "/root/pgsqlms.deb")?;
    is_ours(&nodes[0])?;
    scene.steps.say("apt changes back");
    apt(&nodes[0], &nodes[0].paf_deb()?)?;
    is_perl(&nodes[0])?;
    scene.steps.say("dpkg does it without a moment of no agent");
    changed_in_place(&nodes[1])?;
    scene
        .steps
        .say("on a node without either, and removed again");
    fresh(&nodes[2])
}

fn put_back(node: &Node) -> Result<()> {
    node.run(&["dpkg", "-i", &node.paf_deb()?])?;
    is_perl(node)
}

/// Nodes have no archive: what is not there cannot be installed, so this proves the
/// dependencies as well.
fn apt(node: &Node, deb: &str) -> Result<()> {
    let words = ["apt-get", "-o", "APT::Sandbox::User=root", "install", "-y"];
    let mut all = words.to_vec();
    all.extend(["--no-install-recommends", deb]);
    node.run(&all).map(drop)
}

fn status(node: &Node, package: &str) -> Result<String> {
    let out = node.output(&["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package])?;
    Ok(out.stdout.trim().to_owned())
}

fn is_ours(node: &Node) -> Result<()> {
    ensure!(status(node, NAME)? == "ii", "{NAME} is not installed");
    let paf = status(node, "resource-agents-paf")?;
    ensure!(paf != "ii", "resource-agents-paf is still installed");
    let differs = node.output(&["dpkg", "--verify", NAME])?;
    ensure!(
        differs.success() && differs.stdout.is_empty(),
        "{}",
        differs.text()
    );
    let version = node.run(&["pgsqlms", "--version"])?;
    ensure!(version.starts_with("pgsqlms "), "{version}");
    let metadata = node.run(&["crm_resource", "--show-metadata", "ocf:heartbeat:pgsqlms"])?;
    ensure!(
        metadata.contains("sync_guard"),
        "Pacemaker sees another agent"
    );
    // One backend that the kernel ends must not stop Pacemaker.
    let policy = node.run(&["systemctl", "show", "-p", "OOMPolicy", "pacemaker"])?;
    ensure!(policy.trim() == "OOMPolicy=continue", "{policy}");
    Ok(())
}

fn is_perl(node: &Node) -> Result<()> {
    ensure!(
        status(node, "resource-agents-paf")? == "ii",
        "no Perl agent"
    );
    let first = node.run(&["head", "-n1", &format!("/{}", agent::PATH)])?;
    ensure!(first.contains("perl"), "the agent begins with {first:?}");
    Ok(())
}

/// Looks for the agent all the time while dpkg replaces the Perl agent.
fn changed_in_place(node: &Node) -> Result<()> {
    let path = format!("/{}", agent::PATH);
    let watch = format!(
        "dpkg -i /root/pgsqlms.deb >/root/dpkg.log 2>&1 & \
         while kill -0 $! 2>/dev/null; do test -x {path} || echo missing; done; wait $!"
    );
    let seen = node.run(&["sh", "-c", &watch])?;
    ensure!(seen.is_empty(), "the agent was missing for a moment");
    is_ours(node)
}

fn fresh(node: &Node) -> Result<()> {
    node.run(&["dpkg", "--purge", "resource-agents-paf"])?;
    apt(node, "/root/pgsqlms.deb")?;
    is_ours(node)?;
    node.run(&["dpkg", "--purge", NAME])?;
    let left = node.run(&[
        "find",
        "/usr",
        "/etc",
        "/var/lib/dpkg",
        "-xdev",
        "-name",
        "*pgsqlms*",
    ])?;
    ensure!(left.is_empty(), "left behind: {left}");
    put_back(node)
}
