//! A cluster that nothing happens to is left alone.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use roxmltree::Document;

use crate::machine::node::Node;
use crate::run::scene::Scene;

/// How long the silence lasts; `PGSQLMS_LAB_QUIET_SECONDS` overrides it.
const SILENCE: Duration = Duration::from_secs(600);
/// Time for the attributes of the first start to reach their final values.
const SETTLING: Duration = Duration::from_secs(40);

/// With default monitors for ten minutes: not one write to the configuration (CIB) and not one
/// warning or error by the agent or about it.
pub fn no_cib_writes_and_no_complaints(scene: &mut Scene) -> Result<()> {
    scene.let_pass(SETTLING, "first monitors");
    let before = versions(&scene.cluster.nodes)?;
    let marks = log_lengths(&scene.cluster.nodes)?;
    scene.let_pass(silence()?, "silence");
    let after = versions(&scene.cluster.nodes)?;
    ensure!(
        before == after,
        "the CIB was written: {before:?} became {after:?}"
    );
    for (node, mark) in scene.cluster.nodes.iter().zip(marks) {
        let complaints = complaints(&read_logs(node)?[mark..]);
        ensure!(
            complaints.is_empty(),
            "{}: {}",
            node.name,
            complaints.join("\n    ")
        );
    }
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

fn silence() -> Result<Duration> {
    match std::env::var("PGSQLMS_LAB_QUIET_SECONDS") {
        Ok(text) => Ok(Duration::from_secs(
            text.parse().context("PGSQLMS_LAB_QUIET_SECONDS")?,
        )),
        Err(_) => Ok(SILENCE),
    }
}

/// Version of each node's copy of the CIB: every write raises a part of it.
fn versions(nodes: &[Node]) -> Result<Vec<String>> {
    nodes.iter().map(version).collect()
}

fn version(node: &Node) -> Result<String> {
    let xml = node.run(&["cibadmin", "--query"])?;
    let document = Document::parse(&xml)?;
    let part = |name: &str| {
        document
            .root_element()
            .attribute(name)
            .unwrap_or("?")
            .to_owned()
    };
    Ok(format!(
        "{}.{}.{}",
        part("admin_epoch"),
        part("epoch"),
        part("num_updates")
    ))
}

fn log_lengths(nodes: &[Node]) -> Result<Vec<usize>> {
    nodes
        .iter()
        .map(|node| Ok(read_logs(node)?.len()))
        .collect()
}

fn read_logs(node: &Node) -> Result<String> {
    let words = ["cat", "/var/log/pacemaker/pacemaker.log"];
    Ok(String::from_utf8_lossy(node.run(&words)?.as_bytes()).into_owned() + "\n")
}

/// Lines by or about the agent that are more than information.
fn complaints(log: &str) -> Vec<String> {
    let about = |line: &str| line.contains("pgsqlms") || line.contains("pgsqld");
    let severe = |line: &str| {
        ["WARN", "ERR", "CRIT", "warning:", "error:", "crit:"]
            .iter()
            .any(|word| line.contains(word))
    };
    log.lines()
        .filter(|line| about(line) && severe(line))
        .map(str::to_owned)
        .collect()
}
