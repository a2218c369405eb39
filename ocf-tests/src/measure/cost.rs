//! What a monitor costs: run by hand, in the environment that Pacemaker gives it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::cluster::{Cluster, agent};
use crate::machine::node::Node;
use crate::measure::results::{Results, Series};

const MEASURE: &str = include_str!("../../files/measure.py");
/// What strace shows: the birth of processes.
const CALLS: &str = "trace=fork,vfork,clone,clone3";
/// What Pacemaker gives to every action of the agent.
const VARIABLES: [&str; 10] = [
    "OCF_ROOT=/usr/lib/ocf",
    "OCF_RA_VERSION_MAJOR=1",
    "OCF_RA_VERSION_MINOR=1",
    "OCF_RESOURCE_INSTANCE=pgsqld",
    "OCF_RESOURCE_TYPE=pgsqlms",
    "OCF_RESOURCE_PROVIDER=heartbeat",
    "OCF_EXIT_REASON_PREFIX=ocf-exit-reason:",
    "HA_LOGFACILITY=daemon",
    "HA_LOGFILE=/var/log/pacemaker/pacemaker.log",
    "HA_debug=0",
];
/// Monitors per node.
const MONITORS: usize = 30;

/// Wall and CPU seconds and processes of a monitor, on the primary and on a standby.
pub fn of_monitors(cluster: &Cluster) -> Result<Results> {
    let primary = cluster.primary()?;
    let standby = cluster.standbys()?.pop().context("no standby")?;
    let (wall, cpu, processes) = monitor(cluster, &primary, "Promoted", 8)?;
    let (standby_wall, standby_cpu, standby_processes) =
        monitor(cluster, &standby, "Unpromoted", 0)?;
    Ok(vec![
        ("monitor of the primary, wall".to_owned(), "s", wall),
        ("monitor of the primary, CPU".to_owned(), "s", cpu),
        (
            "monitor of the primary, processes".to_owned(),
            "",
            processes,
        ),
        ("monitor of a standby, wall".to_owned(), "s", standby_wall),
        ("monitor of a standby, CPU".to_owned(), "s", standby_cpu),
        (
            "monitor of a standby, processes".to_owned(),
            "",
            standby_processes,
        ),
    ])
}

/// Wall and CPU seconds of monitors on `node`, and how many processes one of them starts.
fn monitor(
    cluster: &Cluster,
    node: &Node,
    role: &str,
    code: i32,
) -> Result<(Series, Series, Series)> {
    cluster
        .steps
        .say(&format!("{MONITORS} monitors on {} ({role})", node.name));
    let environment = environment(cluster, node, role);
    let mut words = vec!["env"];
    words.extend(environment.iter().map(String::as_str));
    let (wall, cpu) = times(node, &words, code)?;
    let processes = processes(node, &words, code)?;
    Ok((wall, cpu, Series(vec![processes])))
}

/// Wall and CPU seconds of monitors that begin with `words`.
fn times(node: &Node, words: &[&str], code: i32) -> Result<(Series, Series)> {
    node.write("/root/measure.py", MEASURE, "root:root", "0755")?;
    let (path, runs) = (format!("/{}", agent::PATH), MONITORS.to_string());
    let timed = ["/root/measure.py", &runs, &path, "monitor"];
    let printed = node.run_within(Duration::from_secs(120), &[words, &timed].concat())?;
    let (mut wall, mut cpu) = (Series::default(), Series::default());
    for line in printed.lines() {
        let values: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        ensure!(
            values.get(2) == Some(&f64::from(code)),
            "monitor ended with {line:?}"
        );
        wall.0.push(values[0]);
        cpu.0.push(values[1]);
    }
    Ok((wall, cpu))
}

/// How many processes a monitor that begins with `words` starts.
fn processes(node: &Node, words: &[&str], code: i32) -> Result<f64> {
    let path = format!("/{}", agent::PATH);
    let trace = ["strace", "-f", "-qq", "-o", "/root/trace", "-e", CALLS];
    let out = node.output(&[words, &trace, &[&path, "monitor"]].concat())?;
    ensure!(
        out.code == code,
        "monitor under strace ended with {}: {}",
        out.code,
        out.text()
    );
    Ok(count_processes(&node.run(&["cat", "/root/trace"])?))
}

/// Processes in a trace: the agent itself and every fork, but no threads.
fn count_processes(trace: &str) -> f64 {
    let born = |line: &&str| !line.contains("CLONE_THREAD") && !line.contains("unfinished");
    let forks = trace.lines().filter(born).filter(|line| {
        let result = line
            .rsplit("= ")
            .next()
            .and_then(|word| word.trim().parse::<i32>().ok());
        result.is_some_and(|pid| pid > 0)
    });
    1.0 + f64::from(u32::try_from(forks.count()).unwrap_or(u32::MAX))
}

/// The environment Pacemaker gives a recurring monitor.
fn environment(cluster: &Cluster, node: &Node, role: &str) -> Vec<String> {
    let parameters = parameters(cluster, node, role);
    let parameters = parameters
        .iter()
        .map(|(name, value)| format!("OCF_RESKEY_{name}={value}"));
    let mut all: Vec<String> = VARIABLES.map(str::to_owned).to_vec();
    all.extend(parameters);
    all
}

/// The parameters of the resource, and what Pacemaker tells of the monitor.
fn parameters(cluster: &Cluster, node: &Node, role: &str) -> [(&'static str, String); 21] {
    let release = cluster.options.release;
    let interval = if role == "Promoted" { 15000 } else { 16000 };
    [
        ("bindir", release.bindir()),
        ("pgdata", release.confdir(MAIN.name)),
        ("datadir", release.datadir(MAIN.name)),
        ("pghost", "/var/run/postgresql".to_owned()),
        ("pgport", MAIN.port.to_string()),
        ("crm_feature_set", "3.16.1".to_owned()),
        ("CRM_meta_name", "monitor".to_owned()),
        ("CRM_meta_role", role.to_owned()),
        ("CRM_meta_interval", interval.to_string()),
        ("CRM_meta_timeout", "10000".to_owned()),
        ("CRM_meta_notify", "true".to_owned()),
        ("CRM_meta_clone", "0".to_owned()),
        ("CRM_meta_clone_max", cluster.nodes.len().to_string()),
        ("CRM_meta_clone_node_max", "1".to_owned()),
        ("CRM_meta_globally_unique", "false".to_owned()),
        ("CRM_meta_master_max", "1".to_owned()),
        ("CRM_meta_master_node_max", "1".to_owned()),
        ("CRM_meta_promoted_max", "1".to_owned()),
        ("CRM_meta_promoted_node_max", "1".to_owned()),
        ("CRM_meta_on_node", node.name.clone()),
        ("CRM_meta_on_node_uuid", node.index.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_and_failures_are_no_processes() {
        let trace = "12 clone(child_stack=NULL, flags=SIGCHLD) = 13\n\
                     12 clone3({flags=CLONE_VM|CLONE_THREAD}) = 14\n\
                     12 vfork( <unfinished ...>\n12 <... vfork resumed>) = 15\n\
                     12 fork() = -1 EAGAIN";
        assert!((count_processes(trace) - 3.0).abs() < f64::EPSILON);
    }
}
