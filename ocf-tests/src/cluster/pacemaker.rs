//! The cluster configuration of the lab, as PAF's quick start has it, in the words of pcs.

use anyhow::Result;

use crate::cluster::postgresql::Instance;
use crate::host::release::Release;
use crate::machine::node::{Node, on_each};

/// Password of the user hacluster, which pcs uses between nodes.
const PASSWORD: &str = "lab";
/// Token time-out of prepared clusters in ms; tests on busy machines need a generous one.
pub const TOKEN: u32 = 3000;

/// Makes the nodes known to pcs and writes corosync's configuration.
pub fn set_up_corosync(nodes: &[Node]) -> Result<()> {
    on_each(nodes, |node| {
        let login = format!("printf hacluster:{PASSWORD} | chpasswd");
        node.run(&["sh", "-c", &login])?;
        node.start_pcsd()
    })?;
    let Some(first) = nodes.first() else {
        return Ok(());
    };
    let mut auth = vec!["pcs", "host", "auth", "-u", "hacluster", "-p", PASSWORD];
    let named: Vec<(String, String)> = nodes
        .iter()
        .map(|n| (n.name.clone(), format!("addr={}", n.address())))
        .collect();
    auth.extend(
        named
            .iter()
            .flat_map(|(name, address)| [name.as_str(), address.as_str()]),
    );
    first.run(&auth)?;
    let token = format!("token={TOKEN}");
    let mut setup = vec!["pcs", "cluster", "setup", "lab"];
    setup.extend(nodes.iter().map(|node| node.name.as_str()));
    setup.extend(["totem", &token, "--force"]);
    first.run(&setup).map(drop)
}

/// Writes the cluster's configuration (CIB) to all nodes while no cluster runs.
///
/// Made offline with `pcs -f`, so a prepared cluster has never run an agent: its first
/// start is the first start of a fresh cluster.
pub fn write_cib(nodes: &[Node], release: &Release, instance: &Instance) -> Result<()> {
    let Some(first) = nodes.first() else {
        return Ok(());
    };
    let draft = "/root/cib.xml";
    first.run(&["sh", "-c", &format!("cibadmin --empty > {draft}")])?;
    let target = Some(draft);
    pcs(first, target, &words("property set stonith-enabled=true"))?;
    pcs(first, target, &words("property set stonith-timeout=60s"))?;
    // With the default of 20 s every start of the cluster would take that much longer.
    pcs(first, target, &words("property set dc-deadtime=4s"))?;
    // Three nodes share the cores of one machine, whose load each of them takes for its own: at the
    // default of 80 % Pacemaker would do one thing at a time, and tests would measure that.
    pcs(first, target, &words("property set load-threshold=400%"))?;
    pcs(
        first,
        target,
        &words("resource defaults update migration-threshold=5"),
    )?;
    pcs(
        first,
        target,
        &words("resource defaults update resource-stickiness=10"),
    )?;
    for node in nodes {
        add_fencing(first, target, &node.name)?;
    }
    add_instance(first, target, release, instance)?;
    let text = first.run(&["cat", draft])?;
    on_each(nodes, |node| {
        node.write(
            "/var/lib/pacemaker/cib/cib.xml",
            &text,
            "hacluster:haclient",
            "0600",
        )
    })
}

/// Adds a replicated instance with its address to the configuration (a file, or the live one).
pub fn add_instance(
    node: &Node,
    draft: Option<&str>,
    release: &Release,
    instance: &Instance,
) -> Result<()> {
    let Instance {
        resource,
        vip_resource,
        vip,
        ..
    } = instance;
    pcs(node, draft, &resource_words(release, instance))?;
    let address = format!(
        "resource create {vip_resource} ocf:heartbeat:IPaddr2 ip={vip} cidr_netmask=24 \
         nic=host0 op monitor interval=10s meta priority=INFINITY"
    );
    pcs(node, draft, &words(&address))?;
    let role = release.promoted;
    let rules = [
        format!("constraint colocation add {vip_resource} with {role} {resource}-clone INFINITY"),
        format!(
            "constraint order promote {resource}-clone then start {vip_resource} symmetrical=false kind=Mandatory"
        ),
        // Optional: a transition that is aborted between the demotion and the stop of the
        // address leaves no demotion to wait for, and Pacemaker 2.1.5 then blocks the stop of
        // a mandatory order for ever ("Cannot shut down srv1 because of pgsql-pri-ip").
        format!(
            "constraint order demote {resource}-clone then stop {vip_resource} symmetrical=false kind=Optional"
        ),
    ];
    rules
        .iter()
        .try_for_each(|rule| pcs(node, draft, &words(rule)))
}

fn resource_words(release: &Release, instance: &Instance) -> Vec<String> {
    let (name, bindir) = (instance.name, release.bindir());
    let (confdir, datadir) = (release.confdir(name), release.datadir(name));
    let (up, down) = (release.role_promoted, release.role_unpromoted);
    words(&format!(
        "resource create {} ocf:heartbeat:pgsqlms bindir={bindir} pgdata={confdir} \
         datadir={datadir} pghost=/var/run/postgresql pgport={} \
         op start timeout=60s op stop timeout=60s op promote timeout=30s op demote timeout=120s \
         op monitor interval=15s timeout=10s role={up} op monitor interval=16s timeout=10s \
         role={down} op notify timeout=60s promotable notify=true",
        instance.resource, instance.port
    ))
}

fn add_fencing(first: &Node, draft: Option<&str>, name: &str) -> Result<()> {
    let create = format!(
        "stonith create fence-{name} fence_lab plug={name} pcmk_host_list={name} \
         pcmk_host_check=static-list"
    );
    pcs(first, draft, &words(&create))?;
    pcs(
        first,
        draft,
        &words(&format!(
            "constraint location fence-{name} avoids {name}=INFINITY"
        )),
    )
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn pcs(node: &Node, draft: Option<&str>, arguments: &[String]) -> Result<()> {
    let mut all = vec!["pcs"];
    all.extend(draft.iter().flat_map(|file| ["-f", file]));
    all.extend(arguments.iter().map(String::as_str));
    node.run(&all).map(drop)
}
