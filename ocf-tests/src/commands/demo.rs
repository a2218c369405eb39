//! `lab demo`: a primary loses power before your eyes.

use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::cluster::{Cluster, Options};
use crate::host::progress::Steps;
use crate::host::{paths, shell};
use crate::machine::node::Node;
use crate::machine::power;
use crate::watch::client::Client;
use crate::watch::{logs, timeline};

/// Lines of the demonstration stay below this width.
const WIDTH: usize = 98;

/// Shows a power cut of the primary from beginning to end.
pub fn demo() -> Result<()> {
    power::sweep_stale()?;
    let steps = Steps::new("", true);
    let options = Options {
        synchronous: true,
        token: 1000,
        ..Options::new("demo")?
    };
    options.agent.build()?;
    title("Three nodes: PostgreSQL with streaming replication, corosync, Pacemaker, fencing");
    let cluster = Cluster::start(options, &steps)?;
    if let Err(error) = show(&cluster, &steps) {
        let folder = paths::logs().join(shell::run_words(&["date", "+%Y%m%d-%H%M%S"])?);
        logs::keep(&cluster, &folder)?;
        println!("logs: {}", folder.display());
        return Err(error);
    }
    cluster.shut_down()?;
    tell("The cluster is taken down. `lab up` starts one that is yours to break.");
    Ok(())
}

fn show(cluster: &Cluster, steps: &Steps) -> Result<()> {
    let old = cluster.primary()?;
    tell(&format!(
        "{} is primary; every commit waits for one of the standbys.",
        old.name
    ));
    let client = Client::start(cluster, &MAIN);
    client.wait_writing(steps, Duration::from_secs(30))?;
    tell("A client inserts a row every few ms through the address of the primary.");
    std::thread::sleep(Duration::from_secs(3));
    tell(&format!(
        "{} rows were acknowledged so far.",
        client.acknowledged()
    ));

    title(&format!("Power cut of {}, the primary", old.name));
    let cut = power_cut(cluster, &client, &old)?;
    let new = cluster.primary()?;
    tell(&format!(
        "{} is primary now. What the logs of the survivors say:",
        new.name
    ));
    show_timeline(cluster, cut)?;
    let downtime = client.downtime().as_secs_f64();
    tell(&format!("Clients could not write for {downtime:.1} s."));

    title(&format!("{} gets its power back", old.name));
    cluster.rejoin(&old)?;
    show_streaming(&new)?;

    was_anything_lost(client, steps)
}

fn was_anything_lost(client: Client, steps: &Steps) -> Result<()> {
    title("Was anything lost?");
    let report = client.finish(steps)?;
    tell(&format!(
        "{} rows were acknowledged, {} of them are missing.",
        report.acknowledged,
        report.lost.len()
    ));
    ensure!(
        report.lost.is_empty(),
        "acknowledged rows are lost: {:?}",
        report.lost
    );
    Ok(())
}

fn power_cut(cluster: &Cluster, client: &Client, old: &Node) -> Result<SystemTime> {
    client.reset_downtime();
    let cut = SystemTime::now();
    cluster.power.off(&old.name)?;
    let names = cluster.others(&old.name);
    let survivors: Vec<&str> = names.iter().map(|node| node.name.as_str()).collect();
    cluster.wait_whole_on(&survivors)?;
    client.wait_writing(&cluster.steps, Duration::from_secs(30))?;
    Ok(cut)
}

fn show_timeline(cluster: &Cluster, cut: SystemTime) -> Result<()> {
    for event in timeline::read(cluster, cut)? {
        let (sign, after) = (
            if event.exact { '+' } else { '~' },
            event.after.as_secs_f64(),
        );
        let line = format!("  {sign}{after:5.1} s  {:5}  {}", event.node, event.text);
        println!("{}", line.chars().take(WIDTH).collect::<String>());
    }
    Ok(())
}

fn show_streaming(primary: &Node) -> Result<()> {
    let query = "SELECT application_name || ': ' || state || ', ' || sync_state \
                 FROM pg_stat_replication ORDER BY 1";
    tell(&format!("The primary {} streams to:", primary.name));
    for line in primary.sql(query)?.lines() {
        println!("  {line}");
    }
    Ok(())
}

fn title(text: &str) {
    println!("\n== {text}");
}

fn tell(text: &str) {
    println!("-- {text}");
}
