//! Measuring agents: how long clients cannot write when something happens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use crate::cluster::agent::Agent;
use crate::cluster::postgresql::MAIN;
use crate::cluster::{Cluster, Options};
use crate::host::paths;
use crate::host::progress::Steps;
use crate::machine::node::Node;
use crate::measure::results::{Results, Series};
use crate::measure::{cost, course, phase};
use crate::run::chance::Chance;
use crate::watch::client::Client;
use crate::watch::logs;

/// Corosync's default token time-out, which the times of a power cut depend on.
const TOKEN: u32 = 1000;

/// The longest interval between two monitors of the primary.
const INTERVAL_MS: u64 = 15_000;

/// Random moments of the monitor interval, one in each of `runs` equal parts of it, in random
/// order. All agents are disturbed at the same ones: when a dead server is noticed depends far
/// more on the moment than on the agent.
fn moments(runs: usize, seed: u64) -> Vec<Duration> {
    let mut chance = Chance::new(seed);
    let part = Duration::from_millis(INTERVAL_MS / (runs.max(1) as u64));
    let last = part.saturating_sub(Duration::from_millis(1));
    let mut moments: Vec<_> = (0..u32::try_from(runs).unwrap_or(u32::MAX))
        .map(|index| part * index + chance.moment(last))
        .collect();
    chance.shuffle(&mut moments);
    moments
}

/// The course is printed for so long after clients write again.
const AFTERWARDS: Duration = Duration::from_millis(300);

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// Wall, CPU and processes of a monitor
    Monitors,
    /// `pcs resource move` of the primary
    Switchover,
    /// kill -9 of the primary's postmaster
    Crash,
    /// Power cut of the primary's node
    PowerCut,
}

/// What is to be measured, alike for all agents.
#[derive(Debug)]
pub struct Plan<'a> {
    /// What.
    pub subjects: &'a [Subject],
    /// Repetitions of each disturbance.
    pub runs: usize,
    /// Chooses their moments.
    pub seed: u64,
    /// Whether monitors of the primary wait for a crash.
    pub watched: bool,
}

/// Measures `agent` as `plan` says.
pub fn measure(agent: &Agent, plan: &Plan, steps: &Steps) -> Result<Results> {
    let moments = moments(plan.runs, plan.seed);
    agent.build()?;
    let options = Options {
        id: "bench".to_owned(),
        agent: agent.clone(),
        token: TOKEN,
        ..Options::new("bench")?
    };
    let cluster = Cluster::start(options.clone(), steps)?;
    // Three nodes on one machine: Pacemaker would run one action at a time in the whole cluster.
    cluster.pcs(&["property", "set", "load-threshold=400%"])?;
    if plan.watched && *agent != Agent::Paf {
        cluster.watch_primary()?;
        cluster.wait_watched(&cluster.primary()?, Duration::from_secs(30))?;
    }
    let mut results = Results::new();
    for subject in plan.subjects {
        match subject {
            Subject::Monitors => results.extend(cost::of_monitors(&cluster)?),
            Subject::Switchover => results.extend(repeat(
                ["switchover (`pcs resource move`)", "its interruptions"],
                &moments,
                |moment| switchover(&cluster, moment),
            )?),
            Subject::Crash => results.extend(repeat(
                ["`kill -9` of the postmaster", "its interruptions"],
                &moments,
                |moment| crash(&cluster, moment),
            )?),
            Subject::PowerCut => {}
        }
    }
    keep_logs(&cluster, agent, "running")?;
    cluster.shut_down()?;
    if plan.subjects.contains(&Subject::PowerCut) {
        results.extend(repeat(
            ["power cut of the primary", "its interruptions"],
            &moments,
            |moment| power_cut(options.clone(), steps, moment),
        )?);
    }
    Ok(results)
}

/// What clients saw of a disturbance.
struct Outage {
    /// From the first write that had to wait until writes went on for good: an agent that
    /// lets clients write for a moment and cuts them off again gains nothing by it.
    length: Duration,
    /// How often writes were interrupted in it.
    interruptions: u32,
    /// When writes went on for good.
    end: SystemTime,
    /// How long after the fencing of a node that was.
    after_fencing: Option<Duration>,
}

impl Outage {
    /// The outage that `client` went through; it writes again.
    fn seen_by(client: &Client, steps: &Steps) -> Result<Self> {
        let interruptions = client.interruptions();
        for (begin, length) in &interruptions {
            steps.say(&format!(
                "writes interrupted at {:.2} s for {:.2} s",
                begin.as_secs_f64(),
                length.as_secs_f64()
            ));
        }
        Ok(Self {
            length: interruptions
                .last()
                .map_or(Duration::ZERO, |(begin, length)| *begin + *length),
            interruptions: u32::try_from(interruptions.len())?,
            end: SystemTime::now() - client.calm_for().context("no interruption")?,
            after_fencing: None,
        })
    }
}

/// Disturbs at each moment; returns the rows of what clients saw.
fn repeat(
    [length, interruptions]: [&'static str; 2],
    moments: &[Duration],
    once: impl Fn(Duration) -> Result<Outage>,
) -> Result<Results> {
    let outages: Vec<Outage> = moments
        .iter()
        .map(|moment| once(*moment))
        .collect::<Result<_>>()?;
    let lengths = outages.iter().map(|outage| outage.length.as_secs_f64());
    let counts = outages.iter().map(|outage| f64::from(outage.interruptions));
    let fenced = outages.iter().filter_map(|outage| outage.after_fencing);
    let fenced: Vec<f64> = fenced.map(|length| length.as_secs_f64()).collect();
    let mut rows = vec![(length, "s", Series(lengths.collect()))];
    if !fenced.is_empty() {
        rows.push(("of it after the fencing", "s", Series(fenced)));
    }
    rows.push((interruptions, "", Series(counts.collect())));
    Ok(rows)
}

/// Runs `disturb` at a `moment` after a monitor of the primary; returns what clients saw.
fn disturbed(
    cluster: &Cluster,
    moment: Duration,
    disturb: impl Fn() -> Result<Vec<Node>>,
) -> Result<Outage> {
    let client = Client::start(cluster, &MAIN);
    client.wait_writing(&cluster.steps, Duration::from_secs(30))?;
    cluster
        .steps
        .say(&format!("{:.1} s after a monitor", moment.as_secs_f64()));
    phase::wait_monitor(&cluster.primary()?)?;
    std::thread::sleep(moment);
    client.reset_downtime();
    let begin = SystemTime::now();
    let survivors = disturb()?;
    let names: Vec<&str> = survivors.iter().map(|node| node.name.as_str()).collect();
    wait_interrupted(cluster, &client)?;
    cluster.wait_whole_on(&names)?;
    client.wait_writing(&cluster.steps, Duration::from_secs(30))?;
    let outage = Outage::seen_by(&client, &cluster.steps)?;
    let until = outage.end.duration_since(begin).unwrap_or_default() + AFTERWARDS;
    cluster
        .steps
        .say(&course::read(cluster, begin, until)?.line());
    let report = client.finish(&cluster.steps)?;
    if !report.lost.is_empty() {
        // Replication is asynchronous here: a few rows may be lost in a power cut.
        cluster
            .steps
            .say(&format!("{} rows were lost", report.lost.len()));
    }
    cluster.pcs(&["resource", "cleanup"])?;
    cluster.wait_whole_on(&names)?;
    Ok(outage)
}

/// A dead server looks alive to Pacemaker until it is noticed: a cluster may be judged only after
/// the client has seen a gap.
fn wait_interrupted(cluster: &Cluster, client: &Client) -> Result<()> {
    cluster
        .steps
        .wait("clients to notice", Duration::from_secs(60), || {
            ensure!(
                client.downtime() > Duration::from_millis(200),
                "writes go on"
            );
            Ok(())
        })
}

fn switchover(cluster: &Cluster, moment: Duration) -> Result<Outage> {
    disturbed(cluster, moment, || {
        let target = cluster.standbys()?.pop().context("no standby")?;
        cluster.move_primary(&target.name)?;
        Ok(cluster.nodes.clone())
    })
}

fn crash(cluster: &Cluster, moment: Duration) -> Result<Outage> {
    disturbed(cluster, moment, || {
        let victim = cluster.primary()?;
        let postmaster = cluster.postmaster(&victim, &MAIN)?;
        victim.run(&["kill", "-9", &postmaster.to_string()])?;
        Ok(cluster.nodes.clone())
    })
}

/// Each power cut gets a new cluster: not every agent brings the old primary back.
fn power_cut(options: Options, steps: &Steps, moment: Duration) -> Result<Outage> {
    let agent = options.agent.clone();
    let cluster = Cluster::start(options, steps)?;
    let mut outage = disturbed(&cluster, moment, || {
        let victim = cluster.primary()?;
        cluster.power.off(&victim.name)?;
        Ok(cluster.others(&victim.name))
    })?;
    outage.after_fencing = Some(after_fencing(&cluster, outage.end)?);
    let name = format!("power-cut-{}", moment.as_millis());
    keep_logs(&cluster, &agent, &name)?;
    cluster.shut_down()?;
    Ok(outage)
}

fn after_fencing(cluster: &Cluster, end: SystemTime) -> Result<Duration> {
    let fencings = cluster.power.fencings()?;
    let first = fencings.first().context("nobody was fenced")?;
    let millis = end.duration_since(UNIX_EPOCH)?.as_millis();
    let after = millis.checked_sub(first.millis);
    let after = after.context("writes went on before the fencing")?;
    Ok(Duration::from_millis(u64::try_from(after)?))
}

/// Where the time went can be read in them.
fn keep_logs(cluster: &Cluster, agent: &Agent, name: &str) -> Result<()> {
    let folder = paths::logs().join(format!("bench/{}-{name}", agent.name()));
    cluster.steps.say(&format!("logs: {}", folder.display()));
    logs::keep(cluster, &folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_cover_the_interval_and_come_back_with_the_seed() {
        let mut five = moments(5, 7);
        assert_eq!(five, moments(5, 7));
        assert_ne!(five, moments(5, 8));
        five.sort();
        for (part, moment) in (0..).zip(&five) {
            assert_eq!(moment.as_millis() / 3_000, part, "{five:?}");
        }
    }
}
