//! Proof by many rounds: faults at random moments under write load, each round judged by
//! what clients were promised. What is drawn depends on the seed only, so a round that fails
//! can be played again.

mod cuts;
mod evidence;
mod judge;
pub mod lists;
mod moments;
mod operator;
mod orders;
mod predictions;
mod tamper;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use judge::{judged, judged_on};

use crate::cluster::postgresql::{MAIN, rule};
use crate::cluster::{Cluster, Options};
use crate::host::progress::Steps;
use crate::machine::node::on_each;
use crate::run::chance::Chance;
use crate::run::scene::Scene;
use crate::watch::client::Client;
use crate::watch::logs;

pub use moments::Event;

/// One kind of round.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    /// What a person calls it.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// How many rounds prove something.
    pub rounds: u64,
    /// How commits wait for standbys: by `ANY` or `FIRST`.
    synchronous: &'static str,
    /// Whether a power cut loses what was not fsynced.
    disks: bool,
    /// Whether each round begins on a cluster of its own.
    fresh: bool,
    /// Whether nobody but the round writes.
    quiet: bool,
    round: fn(&Scene, u64) -> Result<String>,
}

const ANY: &str = "ANY";
const FIRST: &str = "FIRST";

/// All kinds of rounds.
pub const SERIES: &[Series] = &[
    Series {
        name: "any",
        about: "power cut of the primary and of a standby, with ANY 1",
        rounds: 10,
        synchronous: ANY,
        disks: true,
        fresh: false,
        quiet: false,
        round: double_cut,
    },
    Series {
        name: "first",
        about: "power cut of the primary and of a standby, with FIRST 1",
        rounds: 10,
        synchronous: FIRST,
        disks: true,
        fresh: false,
        quiet: false,
        round: double_cut,
    },
    Series {
        name: "orders",
        about: "power cut of all nodes, which come back in every order",
        rounds: 6,
        synchronous: ANY,
        disks: true,
        fresh: false,
        quiet: false,
        round: return_in_order,
    },
    Series {
        name: "moments",
        about: "a failure within 30 s of a switchover, a failover or a return",
        rounds: 20,
        synchronous: ANY,
        disks: true,
        fresh: false,
        quiet: false,
        round: failure_soon_after,
    },
    Series {
        name: "lists",
        about: "two random faults under appends to lists and reads of them",
        rounds: 20,
        synchronous: ANY,
        // remote_write promises nothing when two nodes lose power.
        disks: false,
        fresh: false,
        quiet: false,
        round: lists::round,
    },
    Series {
        name: "evidence",
        about: "two faults, and something happens to the evidence of the last election",
        rounds: 60,
        synchronous: ANY,
        disks: true,
        fresh: true,
        quiet: false,
        round: faults_and_evidence,
    },
    Series {
        name: "predictions",
        about: "what `explain` and `status` say of a state, and then the primary loses its power",
        rounds: 30,
        synchronous: ANY,
        disks: false,
        fresh: false,
        quiet: true,
        round: prediction,
    },
];

/// The primary and one standby lose power at random moments; the round of `seed`.
pub fn double_cut(scene: &Scene, seed: u64) -> Result<String> {
    let plan = cuts::Plan::draw(&mut Chance::new(seed));
    judged(scene, &plan.to_string(), || cuts::run(scene, &plan))
}

/// All nodes lose power; the order of their return is number `seed` of all orders.
pub fn return_in_order(scene: &Scene, seed: u64) -> Result<String> {
    let plan = orders::Plan::draw(seed);
    judged(scene, &plan.to_string(), || orders::run(scene, &plan))
}

/// The primary fails soon after something else happened; the round of `seed`.
pub fn failure_soon_after(scene: &Scene, seed: u64) -> Result<String> {
    let plan = moments::Plan::draw(&mut Chance::new(seed));
    judged(scene, &plan.to_string(), || moments::run(scene, &plan))
}

/// Two faults, and something happens to the evidence; the round of `seed`.
pub fn faults_and_evidence(scene: &Scene, seed: u64) -> Result<String> {
    let plan = evidence::Plan::draw(&mut Chance::new(seed));
    judged_on(scene, &plan.to_string(), || evidence::run(scene, &plan))
}

/// The primary loses its power in a state of which something was predicted; the round of `seed`.
pub fn prediction(scene: &Scene, seed: u64) -> Result<String> {
    predictions::round(scene, seed)
}

/// What [`failure_soon_after`] does first in the round of `seed`.
pub fn event_of(seed: u64) -> Event {
    moments::Plan::draw(&mut Chance::new(seed)).event
}

/// Runs a round of `series` on `nodes` nodes for each of `seeds`; a failed one costs the cluster, which is
/// made anew. Returns the seeds that failed.
pub fn run(
    series: &Series,
    (nodes, seeds): (usize, impl Iterator<Item = u64>),
    steps: &Steps,
    folder: &Path,
) -> Result<BTreeSet<u64>> {
    let mut scene = None;
    let mut failed = BTreeSet::new();
    for seed in seeds {
        let current = match scene.take() {
            Some(scene) => scene,
            None => set_up(series, nodes, steps)?,
        };
        let start = Instant::now();
        match (series.round)(&current, seed) {
            Ok(verdict) => {
                let seconds = start.elapsed().as_secs();
                println!("{} {seed} ... ok ({seconds} s): {verdict}", series.name);
                if series.fresh {
                    end(current)?;
                } else {
                    scene = Some(current);
                }
            }
            Err(error) => {
                println!("{} {seed} ... FAILED: {error:#}", series.name);
                failed.insert(seed);
                let folder = folder.join(format!("{}-{seed}", series.name));
                logs::keep(&current.cluster, &folder)?;
                println!("    logs: {}", folder.display());
                println!(
                    "    again: cargo lab prove {} --rounds 1 --seed {seed} --nodes {nodes}",
                    series.name
                );
                end(current)?;
            }
        }
    }
    scene.map_or(Ok(()), end)?;
    Ok(failed)
}

fn set_up(series: &Series, nodes: usize, steps: &Steps) -> Result<Scene> {
    let options = Options {
        nodes,
        data_disks: series.disks,
        ..Options::new("prove")?
    };
    let cluster = Cluster::boot(options, steps)?;
    let confdir = cluster.options.release.confdir(MAIN.name);
    let path = format!("{confdir}/conf.d/synchronous.conf");
    let rule = rule(series.synchronous, nodes);
    let text = format!("synchronous_standby_names = '{rule}'\n");
    on_each(&cluster.nodes, |node| {
        node.write(&path, &text, "postgres:postgres", "0644")
    })?;
    cluster.start_stack(&cluster.nodes)?;
    cluster.wait_whole()?;
    // As in the quick starts, and shorter: a node that was refused five times comes back by itself.
    cluster.pcs(&["resource", "defaults", "update", "failure-timeout=60s"])?;
    let client = (!series.quiet).then(|| Client::start(&cluster, &MAIN));
    let scene = Scene {
        client,
        steps: steps.clone(),
        cluster,
    };
    if !series.quiet {
        scene.writes_go_on()?;
    }
    Ok(scene)
}

fn end(scene: Scene) -> Result<()> {
    drop(scene.client);
    scene.cluster.shut_down()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_may_be_lost_of_five_and_one_of_three() {
        assert_eq!(rule(ANY, 3), "ANY 1 (srv1,srv2,srv3)");
        assert_eq!(rule(FIRST, 5), "FIRST 2 (srv1,srv2,srv3,srv4,srv5)");
    }

    #[test]
    fn a_series_has_a_name_of_its_own() {
        let names: BTreeSet<_> = SERIES.iter().map(|series| series.name).collect();
        assert_eq!(names.len(), SERIES.len());
    }
}
