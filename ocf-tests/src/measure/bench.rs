//! Measuring agents: how long clients cannot write when something happens.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cluster::agent::Agent;
use crate::cluster::{Cluster, Options};
use crate::host::paths;
use crate::host::progress::Steps;
use crate::measure::course::{self, Course};
use crate::measure::outage::Outage;
use crate::measure::results::{Results, Series};
use crate::measure::{cost, disturbance};
use crate::run::chance::Chance;
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

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// Wall, CPU and processes of a monitor
    Monitors,
    /// `pcs resource move` of the primary
    Switchover,
    /// kill -9 of the primary's postmaster
    Crash,
    /// SIGSTOP to all processes of the primary's PostgreSQL
    Frozen,
    /// A move while a resource of somebody else starts for 8 s
    Neighbour,
    /// A move with 0.25, 1 and 2 GiB of changed pages
    Dirty,
    /// Power cut of the primary's node, with the coordinator of Pacemaker and without
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
    /// Whether commits wait for one standby.
    pub synchronous: bool,
}

/// Measures `agent` as `plan` says.
pub fn measure(agent: &Agent, plan: &Plan, steps: &Steps) -> Result<Results> {
    agent.build()?;
    let bench = Bench {
        moments: moments(plan.runs, plan.seed),
        plan,
        options: Options {
            id: "bench".to_owned(),
            agent: agent.clone(),
            token: TOKEN,
            synchronous: plan.synchronous,
            ..Options::new("bench")?
        },
        steps,
    };
    let mut results = Results::new();
    let is_cut = |subject: &&Subject| **subject == Subject::PowerCut;
    if plan.subjects.iter().any(|subject| !is_cut(&subject)) {
        results.extend(bench.on_one_cluster()?);
    }
    if plan.subjects.iter().any(|subject| is_cut(&subject)) {
        results.extend(bench.power_cuts("power cut, its node has the DC", true)?);
        results.extend(bench.power_cuts("power cut, another node has the DC", false)?);
    }
    Ok(results)
}

struct Bench<'a> {
    plan: &'a Plan<'a>,
    moments: Vec<Duration>,
    options: Options,
    steps: &'a Steps,
}

impl Bench<'_> {
    fn start(&self) -> Result<Cluster> {
        let cluster = Cluster::start(self.options.clone(), self.steps)?;
        // Three nodes on one machine: Pacemaker would run one action at a time in the whole cluster.
        cluster.pcs(&["property", "set", "load-threshold=400%"])?;
        if self.plan.watched && self.options.agent != Agent::Paf {
            cluster.watch_primary()?;
            cluster.wait_watched(&cluster.primary()?, Duration::from_secs(30))?;
        }
        Ok(cluster)
    }

    /// All that leaves the nodes as they are.
    fn on_one_cluster(&self) -> Result<Results> {
        let cluster = self.start()?;
        let mut results = Results::new();
        for subject in self.plan.subjects {
            results.extend(self.subject(*subject, &cluster)?);
        }
        keep_logs(&cluster, &self.options.agent, "running")?;
        cluster.shut_down()?;
        Ok(results)
    }

    fn subject(&self, subject: Subject, cluster: &Cluster) -> Result<Results> {
        let each = |name: &str, once: fn(&Cluster, Duration) -> Result<Outage>| {
            self.repeat(name, |moment| once(cluster, moment))
        };
        match subject {
            Subject::Monitors => cost::of_monitors(cluster),
            Subject::Switchover => {
                each("switchover (`pcs resource move`)", disturbance::switchover)
            }
            Subject::Crash => each("`kill -9` of the postmaster", disturbance::crash),
            Subject::Frozen => each("frozen primary", disturbance::frozen),
            Subject::Neighbour => each(
                "switchover beside a slow start",
                disturbance::slow_neighbour,
            ),
            Subject::Dirty => self.dirty(cluster),
            Subject::PowerCut => Ok(Results::new()),
        }
    }

    fn dirty(&self, cluster: &Cluster) -> Result<Results> {
        disturbance::keep_pages_dirty(cluster)?;
        let mut results = Results::new();
        for mebibytes in [256, 1024, 2048] {
            let name = format!("switchover, {mebibytes} MiB of changed pages");
            results.extend(self.repeat(&name, |moment| {
                disturbance::dirty_switchover(cluster, moment, mebibytes)
            })?);
        }
        Ok(results)
    }

    /// Each power cut gets a new cluster: not every agent brings the old primary back.
    fn power_cuts(&self, name: &str, with_coordinator: bool) -> Result<Results> {
        self.repeat(name, |moment| {
            let cluster = self.start()?;
            let outage = disturbance::power_cut(&cluster, moment, with_coordinator)?;
            let which = if with_coordinator { "dc" } else { "other" };
            let log = format!("power-cut-{which}-{}", moment.as_millis());
            keep_logs(&cluster, &self.options.agent, &log)?;
            cluster.shut_down()?;
            Ok(outage)
        })
    }

    /// Disturbs at each moment; returns the rows of what clients saw.
    fn repeat(&self, name: &str, once: impl Fn(Duration) -> Result<Outage>) -> Result<Results> {
        let outages = self.moments.iter().map(|moment| once(*moment));
        let outages: Vec<Outage> = outages.collect::<Result<_>>()?;
        let (left_out, kept): (Vec<_>, Vec<_>) =
            outages.iter().partition(|outage| outage.course.throttled);
        for outage in left_out {
            self.steps.say(&format!(
                "left out, since Pacemaker held itself back for the load: {:.2} s",
                outage.length.as_secs_f64()
            ));
        }
        let courses: Vec<&Course> = kept.iter().map(|outage| &outage.course).collect();
        let agent = self.options.agent.name();
        let medians = format!("{name}, {agent}:\n{}", course::medians(&courses));
        println!("\n{medians}");
        keep(&medians)?;
        let lost = outages.iter().map(|outage| outage.lost).sum();
        Ok(rows(name, &kept, lost))
    }
}

fn rows(name: &str, kept: &[&Outage], lost: usize) -> Results {
    let lengths = kept.iter().map(|outage| outage.length.as_secs_f64());
    let fenced = kept.iter().filter_map(|outage| outage.after_fencing);
    let fenced: Vec<f64> = fenced.map(|length| length.as_secs_f64()).collect();
    let counts = kept.iter().map(|outage| f64::from(outage.interruptions));
    let mut rows = vec![(name.to_owned(), "s", Series(lengths.collect()))];
    if !fenced.is_empty() {
        let name = format!("{name}: after the fencing");
        rows.push((name, "s", Series(fenced)));
    }
    rows.push((
        format!("{name}: interruptions"),
        "",
        Series(counts.collect()),
    ));
    let lost = f64::from(u32::try_from(lost).unwrap_or(u32::MAX));
    rows.push((
        format!("{name}: rows lost in all runs"),
        "",
        Series(vec![lost]),
    ));
    rows
}

/// The courses of all runs, beside the logs.
fn keep(medians: &str) -> Result<()> {
    let folder = paths::logs().join("bench");
    std::fs::create_dir_all(&folder)?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("courses.md"))?;
    writeln!(file, "{medians}").context("courses.md")
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
