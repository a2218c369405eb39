//! `pgsqlms check --setup`: faults of a machine and of a cluster are found while nothing is
//! disturbed, and no more once they are repaired.

use anyhow::{Result, ensure};

use crate::machine::node::Node;
use crate::run::scene::Scene;

/// What is not well on a node, by ids and levels.
fn found(node: &Node, words: &[&str]) -> Result<(i32, Vec<String>)> {
    let line = ["pgsqlms", "check", "--setup", "--format", "json"];
    let said = node.output(&[&line[..], words].concat())?;
    let document: serde_json::Value = serde_json::from_str(&said.stdout)?;
    let all = document["checked"].as_array().into_iter().flatten();
    let wrong = all.filter(|one| one["level"] == "critical");
    let told = wrong.map(|one| format!("{}: {}", one["id"], one["text"]).replace('"', ""));
    Ok((said.code, told.collect()))
}

/// What breaks it, what repairs it, and the id of what is found in between.
const FAULTS: [(&str, &str, &str); 7] = [
    (
        "cp /etc/hosts /root/hosts; sed \"s/^.*srv1.*$/127.0.1.1 srv1/\" /root/hosts > /etc/hosts",
        "cat /root/hosts > /etc/hosts",
        "own-address",
    ),
    (
        "echo auto > /etc/postgresql/15/main/start.conf",
        "echo manual > /etc/postgresql/15/main/start.conf",
        "boot-start",
    ),
    (
        "echo \"listen_addresses = 'localhost'\" > /etc/postgresql/15/main/conf.d/zz.conf",
        "rm /etc/postgresql/15/main/conf.d/zz.conf",
        "listen",
    ),
    (
        "echo \"wal_level = minimal\" > /etc/postgresql/15/main/conf.d/zz.conf",
        "rm /etc/postgresql/15/main/conf.d/zz.conf",
        "configuration",
    ),
    (
        "cd /etc/postgresql/15/main; cp -p pg_hba.conf /root/hba; echo local all all peer > pg_hba.conf",
        "cat /root/hba > /etc/postgresql/15/main/pg_hba.conf",
        "pg-hba",
    ),
    (
        "chmod 0777 /var/lib/postgresql/15/main",
        "chmod 0700 /var/lib/postgresql/15/main",
        "postgresql",
    ),
    (
        "pcs property set stonith-enabled=false",
        "pcs property set stonith-enabled=true",
        "fencing",
    ),
];

pub fn faults_are_found(scene: &mut Scene) -> Result<()> {
    for node in &scene.cluster.nodes {
        let (code, wrong) = found(node, &[])?;
        ensure!(
            code <= 1 && wrong.is_empty(),
            "{}: exit code {code}, {wrong:?}",
            node.name
        );
    }
    let node = scene.cluster.node("srv1")?;
    for (breaks, repairs, id) in FAULTS {
        node.run(&["sh", "-c", breaks])?;
        let (code, wrong) = found(node, &[])?;
        let ignored = found(node, &["--ignore", id])?;
        node.run(&["sh", "-c", repairs])?;
        let is_found = wrong.len() == 1 && wrong[0].starts_with(id);
        ensure!(
            code == 2 && is_found,
            "{breaks}: exit code {code}, {wrong:?}"
        );
        ensure!(ignored.0 <= 1, "{breaks}: not ignored: {ignored:?}");
        let (code, wrong) = found(node, &[])?;
        ensure!(code <= 1, "{repairs}: exit code {code}, {wrong:?}");
    }
    typo_is_an_error(node)?;
    scene.undisturbed()
}

/// A check with a typo in it would be well for ever.
fn typo_is_an_error(node: &Node) -> Result<()> {
    for option in ["--only", "--ignore"] {
        let said = node.output(&["pgsqlms", "check", option, "offlin"])?;
        let names_them = said.stderr.contains("offline");
        ensure!(
            said.code == 3 && names_them,
            "{}: {}",
            said.code,
            said.stderr
        );
    }
    Ok(())
}
