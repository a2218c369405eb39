//! Commands for people who look at a cluster of `lab up`, and break it.

use std::process::ExitCode;

use anyhow::Result;

use crate::cluster::postgresql::{self, MAIN};
use crate::cluster::{Cluster, prepare};
use crate::host::progress::Steps;
use crate::host::shell;
use crate::machine::node::Node;
use crate::run::fault;

/// What `lab break` can break.
#[derive(clap::ValueEnum, Debug, Clone, Copy)]
pub enum Fault {
    /// Cut the power of the node
    Power,
    /// Pull its network cable
    Network,
    /// Cut PostgreSQL's traffic to and from the node, and nothing else
    Replication,
    /// kill -9 of the postmaster
    KillPostmaster,
    /// Stop PostgreSQL with pg_ctl, behind Pacemaker's back
    StopPostgresql,
    /// SIGSTOP to the postmaster
    FreezePostmaster,
    /// Make the power switch refuse what the cluster asks for (all nodes)
    Fencing,
}

fn attach(id: &str) -> Result<Cluster> {
    Cluster::attach(id, &Steps::new("", true))
}

/// Prints Pacemaker's and PostgreSQL's view.
pub fn status(id: &str) -> Result<()> {
    let cluster = attach(id)?;
    match cluster.any() {
        Ok(node) => println!("{}", node.run(&["crm_mon", "-1", "-A", "-f", "-r"])?),
        Err(error) => println!("{error:#}"),
    }
    println!("\nPostgreSQL:");
    for node in &cluster.nodes {
        println!("  {}: {}", node.name, describe(node));
    }
    for fencing in cluster.power.fencings()? {
        println!("  fenced: {} {}", fencing.node, fencing.what);
    }
    Ok(())
}

fn describe(node: &Node) -> String {
    if node.init().is_err() {
        return "no power".to_owned();
    }
    let query = "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby, replayed to ' \
                 || coalesce(pg_last_wal_replay_lsn()::text, 'nothing') \
                 ELSE 'primary at ' || pg_current_wal_lsn() || ', streaming to: ' || coalesce( \
                 (SELECT string_agg(application_name, ', ' ORDER BY 1) FROM pg_stat_replication \
                 WHERE state = 'streaming'), 'nobody') END";
    match node.sql(query) {
        Ok(answer) => answer,
        Err(_) => "PostgreSQL does not answer".to_owned(),
    }
}

/// A shell on a node.
pub fn shell(id: &str, node: &str) -> Result<ExitCode> {
    let cluster = attach(id)?;
    let term = format!(
        "TERM={}",
        std::env::var("TERM").unwrap_or_else(|_| "dumb".to_owned())
    );
    let mut command = cluster.node(node)?.command(&["env", &term, "bash", "-l"])?;
    exit_code(command.status()?)
}

/// A command on a node, with the caller's standard streams and its exit code.
pub fn run(id: &str, node: &str, words: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    exit_code(attach(id)?.node(node)?.command(&words)?.status()?)
}

fn exit_code(status: std::process::ExitStatus) -> Result<ExitCode> {
    let code = status.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Breaks something.
pub fn break_it(id: &str, what: Fault, name: &str) -> Result<()> {
    let cluster = attach(id)?;
    let node = cluster.node(name)?;
    match what {
        Fault::Power => cluster.power.off(name)?,
        Fault::Network => node.plug(false)?,
        Fault::Replication => cluster.cut_replication(node, &MAIN)?,
        Fault::KillPostmaster => fault::signal_postmaster(&cluster, node, "KILL")?,
        Fault::FreezePostmaster => fault::signal_postmaster(&cluster, node, "STOP")?,
        Fault::StopPostgresql => {
            let release = cluster.options.release;
            postgresql::control(node, release, &MAIN, "stop")?;
        }
        Fault::Fencing => cluster.power.break_fencing(true)?,
    }
    println!("done; `lab status` shows what comes of it, `lab heal` repairs");
    Ok(())
}

/// Repairs everything `lab break` can break and starts the cluster stack where it is down.
pub fn heal(id: &str) -> Result<()> {
    let cluster = attach(id)?;
    cluster.power.break_fencing(false)?;
    cluster.heal_network()?;
    for node in &cluster.nodes {
        if cluster.power.is_on(&node.name)? {
            if let Ok(postmaster) = cluster.postmaster(node, &MAIN) {
                let _: shell::Output = node.output(&["kill", "-CONT", &postmaster.to_string()])?;
            }
        } else {
            prepare::boot(&cluster.power, std::slice::from_ref(node), &cluster.steps)?;
        }
    }
    let stopped: Vec<Node> = cluster
        .nodes
        .iter()
        .filter(|n| !n.stack_runs())
        .cloned()
        .collect();
    if !stopped.is_empty() {
        cluster.start_stack(&stopped)?;
    }
    cluster.pcs(&["resource", "cleanup"])?;
    cluster.wait_whole()
}
