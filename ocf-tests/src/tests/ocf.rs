//! The installed agent keeps the OCF standard, as judged by the standard's own tester.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::agent;
use crate::cluster::postgresql::{self, SECOND};
use crate::host::release::Release;
use crate::host::shell::Output;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// Stands in for Pacemaker's attribute tools, which need a running cluster: keeps values in files.
const FAKE_TOOL: &str = include_str!("../../files/fake_pacemaker_tool");
/// Where they are put.
pub const FAKE_BIN: &str = "/root/fakebin";
const TOOLS: &[&str] = &[
    "crm_attribute",
    "crm_master",
    "attrd_updater",
    "cibadmin",
    "crm_node",
    "crm_resource",
    "crm_mon",
];

/// ocf-tester passes on an instance that no cluster manages, promote and demote included.
pub fn tester_passes(scene: &mut Scene) -> Result<()> {
    let node = &scene.cluster.nodes[0];
    let release = scene.cluster.options.release;
    postgresql::prime(std::slice::from_ref(node), release, &SECOND, &scene.steps)?;
    install_fake_tools(node)?;
    let out = test(scene, node)?;
    ensure!(
        out.text()
            .contains("Testing: promotion of promoted resource"),
        "promote was not tested"
    );
    ensure!(
        out.text().contains("passed all tests"),
        "no verdict: {}",
        out.text()
    );
    Ok(())
}

/// What ocf-tester gives the agent.
fn options(node: &Node, release: &Release) -> [String; 11] {
    [
        format!("bindir={}", release.bindir()),
        format!("pgdata={}", release.confdir(SECOND.name)),
        format!("datadir={}", release.datadir(SECOND.name)),
        "pghost=/var/run/postgresql".to_owned(),
        format!("pgport={}", SECOND.port),
        "crm_feature_set=3.16.1".to_owned(),
        "CRM_meta_notify=true".to_owned(),
        "CRM_meta_clone_max=1".to_owned(),
        "CRM_meta_promoted_max=1".to_owned(),
        "CRM_meta_master_max=1".to_owned(),
        format!("CRM_meta_on_node={}", node.name),
    ]
}

/// Puts what stands in for Pacemaker's tools into a folder of its own.
pub fn install_fake_tools(node: &Node) -> Result<()> {
    node.run(&["mkdir", "-p", FAKE_BIN])?;
    TOOLS.iter().try_for_each(|tool| {
        let path = format!("{FAKE_BIN}/{tool}");
        node.write(&path, FAKE_TOOL, "root:root", "0755")
    })
}

/// Runs ocf-tester on `node`; that it fails is an error with its last lines.
fn test(scene: &Scene, node: &Node) -> Result<Output> {
    let options = options(node, scene.cluster.options.release);
    let (sbin, path) = (
        format!("HA_SBIN_DIR={FAKE_BIN}"),
        format!("/{}", agent::PATH),
    );
    let mut words = vec!["env", &sbin, "ocf-tester", "-v", "-n", SECOND.resource];
    words.extend(options.iter().flat_map(|option| ["-o", option.as_str()]));
    words.push(&path);
    scene.steps.say("running ocf-tester");
    let out = node.output_within(Duration::from_secs(180), &words)?;
    scene.steps.note(&out.text());
    let lines: Vec<&str> = out.stdout.lines().chain(out.stderr.lines()).collect();
    let last = lines[lines.len().saturating_sub(8)..].join("\n    ");
    ensure!(out.success(), "ocf-tester ended with {}: {last}", out.code);
    Ok(out)
}
