//! Keeps what is needed to understand a failed test: logs of all nodes and the cluster's state.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::cluster::Cluster;
use crate::host::{paths, shell};
use crate::machine::node::Node;

/// Questions asked on a node that still has power.
const QUESTIONS: &[(&str, &str)] = &[
    ("crm_mon.txt", "crm_mon -1 -A -f -r -n -t -o"),
    ("cib.xml", "cibadmin --query"),
    ("journal.txt", "journalctl --no-pager"),
    (
        "processes.txt",
        "ps axfww -o pid,ppid,stat,lstart,user,args",
    ),
    ("address.txt", "ip addr"),
    ("units.txt", "systemctl --no-pager --failed"),
];

/// Writes logs and state of all nodes below `folder`; what cannot be had is left out.
pub fn keep(cluster: &Cluster, folder: &Path) -> Result<()> {
    for node in &cluster.nodes {
        let target = folder.join(&node.name);
        fs::create_dir_all(&target)?;
        copy_logs(node, &target)?;
        ask(node, &target)?;
    }
    for name in [
        "fencing.log",
        "warden.log",
        "srv1.console",
        "srv2.console",
        "srv3.console",
    ] {
        let path = paths::run(&cluster.options.id).join(name);
        if path.exists() {
            fs::copy(&path, folder.join(name))?;
        }
    }
    Ok(())
}

/// Logs are read from the overlay, so those of a node without power are there as well.
fn copy_logs(node: &Node, target: &Path) -> Result<()> {
    for part in [
        "var/log/pacemaker",
        "var/log/corosync",
        "var/log/postgresql",
        "var/log/syslog",
    ] {
        let source = node.root().join(part);
        if source.exists() {
            let mut command = Command::new("cp");
            shell::output(
                command
                    .args(["-r", "--no-preserve=mode"])
                    .arg(source)
                    .arg(target),
            )?;
        }
    }
    Ok(())
}

fn ask(node: &Node, target: &Path) -> Result<()> {
    if node.init().is_err() {
        return Ok(fs::write(target.join("NO_POWER"), "")?);
    }
    for (file, question) in QUESTIONS {
        let words: Vec<&str> = question.split(' ').collect();
        let text = match node.output_within(Duration::from_secs(10), &words) {
            Ok(out) => out.text(),
            Err(error) => format!("{error:#}"),
        };
        fs::write(target.join(file), text)?;
    }
    Ok(())
}
