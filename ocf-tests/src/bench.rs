//! Measuring agents: how long clients cannot write when something happens, and the table of all
//! that was measured.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};

use crate::agent::Agent;
use crate::client::Client;
use crate::cluster::{Cluster, Options};
use crate::cost;
use crate::logs;
use crate::node::Node;
use crate::paths;
use crate::phase;
use crate::postgresql::MAIN;
use crate::progress::Steps;
use crate::tests::moves;

/// Corosync's default token time-out, which the times of a power cut depend on.
const TOKEN: u32 = 1000;

/// Values of one kind, in seconds (or in pieces).
#[derive(Debug, Clone, Default)]
pub struct Series(pub Vec<f64>);

impl Series {
    /// Median, smallest and largest.
    pub fn summary(&self) -> Option<(f64, f64, f64)> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some((median, first, last))
    }
}

/// What was measured of one agent: rows of name, unit and values.
pub type Results = Vec<(&'static str, &'static str, Series)>;

/// The longest interval between two monitors of the primary.
const INTERVAL_MS: u64 = 15_000;

/// Random moments of the monitor interval, one in each of `runs` equal parts of it, in random
/// order. All agents are disturbed at the same ones: when a dead server is noticed depends far
/// more on the moment than on the agent.
fn moments(runs: usize, seed: u64) -> Vec<Duration> {
    let mut state = seed;
    let mut random = || {
        // splitmix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let part = INTERVAL_MS / (runs.max(1) as u64);
    let mut moments: Vec<_> = (0..runs as u64)
        .map(|index| Duration::from_millis(index * part + random() % part))
        .collect();
    moments.sort_by_cached_key(|_| random());
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
    /// Power cut of the primary's node
    PowerCut,
}

/// Measures `agent` with `runs` repetitions of each disturbance, at moments that `seed` chooses.
pub fn measure(
    agent: Agent,
    subjects: &[Subject],
    runs: usize,
    seed: u64,
    steps: &Steps,
) -> Result<Results> {
    let moments = moments(runs, seed);
    agent.build()?;
    let options = Options {
        id: "bench".to_owned(),
        agent,
        token: TOKEN,
        ..Options::new("bench")?
    };
    let cluster = Cluster::start(options.clone(), steps)?;
    let mut results = Results::new();
    for subject in subjects {
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
    if subjects.contains(&Subject::PowerCut) {
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
    let survivors = disturb()?;
    let names: Vec<&str> = survivors.iter().map(|node| node.name.as_str()).collect();
    // A dead server looks alive to Pacemaker until it is noticed: the gap must come first.
    cluster
        .steps
        .wait("clients to notice", Duration::from_secs(60), || {
            ensure!(
                client.downtime() > Duration::from_millis(200),
                "writes go on"
            );
            Ok(())
        })?;
    cluster.wait_whole_on(&names)?;
    client.wait_writing(&cluster.steps, Duration::from_secs(30))?;
    let interruptions = client.interruptions();
    let outage = Outage {
        length: interruptions
            .last()
            .map_or(Duration::ZERO, |(begin, length)| *begin + *length),
        interruptions: u32::try_from(interruptions.len())?,
        end: SystemTime::now() - client.calm_for().context("no interruption")?,
        after_fencing: None,
    };
    for (begin, length) in interruptions {
        cluster.steps.say(&format!(
            "writes interrupted at {:.2} s for {:.2} s",
            begin.as_secs_f64(),
            length.as_secs_f64()
        ));
    }
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

fn switchover(cluster: &Cluster, moment: Duration) -> Result<Outage> {
    disturbed(cluster, moment, || {
        let target = cluster.standbys()?.pop().context("no standby")?;
        moves::move_primary(cluster, &target.name)?;
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
    let agent = options.agent;
    let cluster = Cluster::start(options, steps)?;
    let mut outage = disturbed(&cluster, moment, || {
        let victim = cluster.primary()?;
        cluster.power.off(&victim.name)?;
        Ok(cluster.others(&victim.name))
    })?;
    outage.after_fencing = Some(after_fencing(&cluster, outage.end)?);
    let name = format!("power-cut-{}", moment.as_millis());
    keep_logs(&cluster, agent, &name)?;
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
fn keep_logs(cluster: &Cluster, agent: Agent, name: &str) -> Result<()> {
    let folder = paths::logs().join(format!("bench/{}-{name}", agent.name()));
    cluster.steps.say(&format!("logs: {}", folder.display()));
    logs::keep(cluster, &folder)
}

/// A Markdown table of the results of several agents side by side: median (range).
pub fn table(columns: &[(Agent, Results)]) -> Result<String> {
    let Some((_, first)) = columns.first() else {
        bail!("nothing was measured")
    };
    let heads: Vec<&str> = columns.iter().map(|(agent, _)| agent.name()).collect();
    let mut text = format!(
        "| what | {} |\n|---|{}\n",
        heads.join(" | "),
        "---|".repeat(heads.len())
    );
    for (row, (what, unit, _)) in first.iter().enumerate() {
        let cells: Vec<String> = columns
            .iter()
            .filter_map(|(_, results)| Some(cell(&results.get(row)?.2, unit)))
            .collect();
        text.push_str(&format!("| {what} | {} |\n", cells.join(" | ")));
    }
    Ok(text)
}

fn cell(series: &Series, unit: &str) -> String {
    let Some((median, low, high)) = series.summary() else {
        return "–".to_owned();
    };
    if unit.is_empty() {
        return format!("{median:.0}");
    }
    let digits = if high < 1.0 { 4 } else { 1 };
    format!("{median:.digits$} {unit} ({low:.digits$}–{high:.digits$})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ranges() {
        assert_eq!(Series(vec![3.0, 1.0, 2.0]).summary(), Some((2.0, 1.0, 3.0)));
        assert_eq!(Series(vec![4.0, 1.0]).summary(), Some((2.5, 1.0, 4.0)));
        assert_eq!(Series::default().summary(), None);
    }

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
