//! The tools around the agent: pcs, crmsh, crm_resource, ocft, and Pacemaker's reload.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::host::release::Release;
use crate::machine::node::Node;
use crate::run::scene::Scene;

const AGENT: &str = "ocf:heartbeat:pgsqlms";
const CIB: &str = "/root/tools.xml";

/// pcs, crmsh, crm_resource and the DTD take the agent without an error or a warning, each in
/// its own words, on a configuration in a file.
pub fn configuration_tools_accept_the_agent(scene: &mut Scene) -> Result<()> {
    let (node, release) = (&scene.cluster.nodes[0], scene.cluster.options.release);
    let parameters = parameters(release);
    fresh_cib(node)?;
    described(node)?;
    created_and_updated(node, release, &parameters)?;
    validated(node, &parameters)?;
    forced(node)?;
    fresh_cib(node)?;
    in_the_words_of_crmsh(node, release, &parameters)
}

fn parameters(release: &Release) -> String {
    let (confdir, datadir) = (release.confdir(MAIN.name), release.datadir(MAIN.name));
    format!(
        "bindir={} pgdata={confdir} datadir={datadir} pghost=/var/run/postgresql pgport={}",
        release.bindir(),
        MAIN.port
    )
}

fn fresh_cib(node: &Node) -> Result<()> {
    let name = &node.name;
    let script = format!(
        "cibadmin --empty | sed 's/have-quorum=\"0\"/have-quorum=\"1\"/' >{CIB} && \
         pcs -f {CIB} stonith create fence fence_lab plug={name} pcmk_host_list={name} \
         pcmk_host_check=static-list && \
         pcs -f {CIB} property set no-quorum-policy=ignore"
    );
    node.run(&["sh", "-c", &script]).map(drop)
}

/// What some versions of pcs and crmsh say of themselves, whatever the agent is.
const ABOUT_THEMSELVES: &[&str] = &[
    "Configuring promotable meta attributes without specifying the 'meta' keyword",
    "Meta attributes of clone are not validated",
    "Validating resource options using the resource agent itself is enabled by default",
    "Cluster is not running, loading the CIB file",
];

/// Runs `line`; it must succeed and complain about nothing.
fn silent(node: &Node, line: &str) -> Result<()> {
    let out = node.output(&["sh", "-c", line])?;
    ensure!(
        out.success(),
        "{line} ended with {}: {}",
        out.code,
        out.text()
    );
    let of_the_agent = |said: &&str| !ABOUT_THEMSELVES.iter().any(|known| said.contains(known));
    let said: Vec<&str> = out.stderr.lines().filter(of_the_agent).collect();
    ensure!(said.is_empty(), "{line} says: {}", said.join("; "));
    Ok(())
}

fn described(node: &Node) -> Result<()> {
    silent(
        node,
        &format!("pcs resource describe {AGENT} --full >/dev/null"),
    )?;
    silent(node, &format!("crm ra info {AGENT} >/dev/null"))?;
    let dtd = "xmllint --noout --valid --path /usr/share/resource-agents -";
    silent(
        node,
        &format!("pgsqlms=/usr/lib/ocf/resource.d/heartbeat/pgsqlms; $pgsqlms meta-data | {dtd}"),
    )
}

fn operations(release: &Release) -> String {
    let (up, down) = (release.role_promoted, release.role_unpromoted);
    format!(
        "op start timeout=60s op stop timeout=60s op promote timeout=30s op demote timeout=120s \
         op monitor interval=15s timeout=10s role={up} op monitor interval=16s timeout=10s \
         role={down} op notify timeout=60s"
    )
}

fn created_and_updated(node: &Node, release: &Release, parameters: &str) -> Result<()> {
    let pcs = format!("pcs -f {CIB} resource");
    let clone = "promotable notify=true";
    let create = format!(
        "{pcs} create pgsqld {AGENT} {parameters} {} {clone}",
        operations(release)
    );
    silent(node, &create)?;
    silent(node, &format!("{pcs} update pgsqld maxlag=1000000"))?;
    deleted(node)?;
    // Without operations of one's own pcs takes those that the metadata advise.
    silent(
        node,
        &format!("{pcs} create pgsqld {AGENT} {parameters} {clone}"),
    )?;
    let help = node.run(&["pcs", "resource", "help"])?;
    if !help.contains("--agent-validation") {
        return Ok(());
    }
    let validate = "--agent-validation";
    silent(
        node,
        &format!("{pcs} update pgsqld maxlag=2000000 {validate}"),
    )?;
    deleted(node)?;
    silent(
        node,
        &format!("{pcs} create pgsqld {AGENT} {parameters} {validate} {clone}"),
    )?;
    let bad = node.output(&[
        "sh",
        "-c",
        &format!("{pcs} update pgsqld maxlag=1e6 {validate}"),
    ])?;
    ensure!(
        bad.text().contains("maxlag"),
        "a bad maxlag went through: {}",
        bad.text()
    );
    Ok(())
}

/// pcs tells on stderr what it deletes.
fn deleted(node: &Node) -> Result<()> {
    node.run(&["pcs", "-f", CIB, "resource", "delete", "pgsqld"])
        .map(drop)
}

fn validated(node: &Node, parameters: &str) -> Result<()> {
    let options = parameters
        .split(' ')
        .map(|pair| format!(" --option {pair}"));
    let validate = "crm_resource --validate --class ocf --provider heartbeat --agent pgsqlms";
    silent(node, &(validate.to_owned() + &options.collect::<String>()))?;
    silent(node, &format!("crm ra validate {AGENT} {parameters}"))?;
    let bad = node.output(&["crm", "ra", "validate", AGENT, "pgport=http"])?;
    ensure!(
        bad.text().contains("not a port number"),
        "a bad port went through: {}",
        bad.text()
    );
    Ok(())
}

/// `crm_resource --force-*` run the agent without a cluster around it.
fn forced(node: &Node) -> Result<()> {
    for (action, expected) in [
        ("check", "not running"),
        ("start", "ok"),
        ("check", "ok"),
        ("stop", "ok"),
    ] {
        let line = format!("CIB_file={CIB} crm_resource --force-{action} -r pgsqld");
        let out = node.output(&["sh", "-c", &line])?;
        // "Not running" from Pacemaker 3 on.
        let said = out.text().to_lowercase();
        ensure!(said.contains(expected), "{line}: {said}");
    }
    Ok(())
}

fn in_the_words_of_crmsh(node: &Node, release: &Release, parameters: &str) -> Result<()> {
    let text = format!(
        "primitive pgsqld {AGENT} params {parameters} {}\n\
         clone pgsqld-clone pgsqld meta promotable=true notify=true\n",
        operations(release)
    );
    node.write("/root/crm.txt", &text, "root:root", "0644")?;
    let crm = format!("CIB_file={CIB} crm configure");
    silent(node, &format!("{crm} load update /root/crm.txt"))?;
    silent(node, &format!("{crm} verify"))?;
    let shown = node.run(&["sh", "-c", &format!("{crm} show pgsqld")])?;
    ensure!(shown.contains("pgsqlms"), "{shown}");
    Ok(())
}

/// The package's ocft cases pass.
pub fn ocft_passes(scene: &mut Scene) -> Result<()> {
    let node = &scene.cluster.nodes[0];
    node.run(&["dpkg", "-i", &node.give_deb()?])?;
    node.run(&["ocft", "make", "pgsqlms"])?;
    let limit = Duration::from_secs(300);
    let out = node.output_within(limit, &["ocft", "test", "pgsqlms"])?;
    scene.steps.note(&out.text());
    let text = out.text();
    let bad = ["FAILED", "ERROR"].iter().any(|word| text.contains(word));
    ensure!(out.success() && !bad, "ocft: {text}");
    ensure!(text.matches("OK").count() >= 11, "too few cases: {text}");
    Ok(())
}

/// maxlag changes while the cluster works and nothing is restarted; a parameter that is
/// unique to the instance restarts it.
pub fn parameters_reload_or_restart(scene: &mut Scene) -> Result<()> {
    let before = scene.postmasters()?;
    scene.pcs("resource update pgsqld maxlag=1000000")?;
    scene.settle_pacemaker()?;
    scene.cluster.wait_whole()?;
    ensure!(
        scene.postmasters()? == before,
        "maxlag restarted PostgreSQL"
    );
    let downtime = scene.downtime()?;
    ensure!(downtime < Duration::from_secs(1), "down for {downtime:?}");
    scene.undisturbed()?;
    scene.pcs("resource update pgsqld recovery_template=/etc/postgresql/none.pcmk")?;
    scene.settle_pacemaker()?;
    scene.cluster.wait_whole()?;
    let after = scene.postmasters()?;
    ensure!(
        before.iter().zip(&after).all(|(old, new)| old != new),
        "recovery_template was to restart all instances: {before:?}, {after:?}"
    );
    scene.undisturbed()
}
