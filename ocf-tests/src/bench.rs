//! Measuring agents: how long clients cannot write when something happens, and the table of all
//! that was measured.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};

use crate::agent::Agent;
use crate::client::Client;
use crate::cluster::{Cluster, Options};
use crate::cost;
use crate::node::Node;
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

/// Measures `agent` with `runs` repetitions of each disturbance.
pub fn measure(agent: Agent, runs: usize, steps: &Steps) -> Result<Results> {
    agent.build()?;
    let options = Options {
        id: "bench".to_owned(),
        agent,
        token: TOKEN,
        ..Options::new("bench")?
    };
    let cluster = Cluster::start(options.clone(), steps)?;
    let mut results = cost::of_monitors(&cluster)?;
    results.push((
        "switchover (`pcs resource move`)",
        "s",
        repeat(runs, || switchover(&cluster))?,
    ));
    results.push((
        "`kill -9` of the postmaster",
        "s",
        repeat(runs, || crash(&cluster))?,
    ));
    cluster.shut_down()?;
    let cuts = repeat(runs, || power_cut(options.clone(), steps))?;
    results.push(("power cut of the primary", "s", cuts));
    Ok(results)
}

fn repeat(runs: usize, once: impl Fn() -> Result<f64>) -> Result<Series> {
    (0..runs)
        .map(|_| once())
        .collect::<Result<Vec<f64>>>()
        .map(Series)
}

/// Runs `disturb` at a random moment of the monitor interval; returns the clients' downtime.
fn disturbed(cluster: &Cluster, disturb: impl Fn() -> Result<Vec<Node>>) -> Result<f64> {
    let client = Client::start(cluster, &MAIN);
    client.wait_writing(&cluster.steps, Duration::from_secs(30))?;
    random_pause(cluster)?;
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
    let downtime = client.downtime();
    let report = client.finish(&cluster.steps)?;
    if !report.lost.is_empty() {
        // Replication is asynchronous here: a few rows may be lost in a power cut.
        cluster
            .steps
            .say(&format!("{} rows were lost", report.lost.len()));
    }
    cluster.pcs(&["resource", "cleanup"])?;
    cluster.wait_whole_on(&names)?;
    Ok(downtime.as_secs_f64())
}

fn random_pause(cluster: &Cluster) -> Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let millis = u64::from(now.subsec_nanos()).wrapping_mul(6_364_136_223_846_793_005) >> 33;
    let pause = Duration::from_millis(millis % 15_000);
    cluster
        .steps
        .say(&format!("a random pause of {:.1} s", pause.as_secs_f64()));
    std::thread::sleep(pause);
    Ok(())
}

fn switchover(cluster: &Cluster) -> Result<f64> {
    disturbed(cluster, || {
        let target = cluster.standbys()?.pop().context("no standby")?;
        moves::move_primary(cluster, &target.name)?;
        Ok(cluster.nodes.clone())
    })
}

fn crash(cluster: &Cluster) -> Result<f64> {
    disturbed(cluster, || {
        let victim = cluster.primary()?;
        let postmaster = cluster.postmaster(&victim, &MAIN)?;
        victim.run(&["kill", "-9", &postmaster.to_string()])?;
        Ok(cluster.nodes.clone())
    })
}

/// Each power cut gets a new cluster: not every agent brings the old primary back.
fn power_cut(options: Options, steps: &Steps) -> Result<f64> {
    let cluster = Cluster::start(options, steps)?;
    let downtime = disturbed(&cluster, || {
        let victim = cluster.primary()?;
        cluster.power.off(&victim.name)?;
        Ok(cluster.others(&victim.name))
    })?;
    cluster.shut_down()?;
    Ok(downtime)
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
}
