//! Proof by many rounds: faults at random moments under write load, each round judged by
//! what clients were promised. What is drawn depends on the seed only, so a round that fails
//! can be played again.

mod cuts;
pub mod lists;
mod moments;
mod operator;
mod orders;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::MAIN;
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
    /// `synchronous_standby_names` of all nodes.
    synchronous: &'static str,
    round: fn(&Scene, u64) -> Result<String>,
}

const ANY: &str = "ANY 1 (srv1,srv2,srv3)";
const FIRST: &str = "FIRST 1 (srv1,srv2,srv3)";

/// All kinds of rounds.
pub const SERIES: &[Series] = &[
    Series {
        name: "any",
        about: "power cut of the primary and of a standby, with ANY 1",
        rounds: 10,
        synchronous: ANY,
        round: double_cut,
    },
    Series {
        name: "first",
        about: "power cut of the primary and of a standby, with FIRST 1",
        rounds: 10,
        synchronous: FIRST,
        round: double_cut,
    },
    Series {
        name: "orders",
        about: "power cut of all nodes, which come back in every order",
        rounds: 6,
        synchronous: ANY,
        round: return_in_order,
    },
    Series {
        name: "moments",
        about: "a failure within 30 s of a switchover, a failover or a return",
        rounds: 20,
        synchronous: ANY,
        round: failure_soon_after,
    },
    Series {
        name: "lists",
        about: "two random faults under appends to lists and reads of them",
        rounds: 20,
        synchronous: ANY,
        round: lists::round,
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

/// What [`failure_soon_after`] does first in the round of `seed`.
pub fn event_of(seed: u64) -> Event {
    moments::Plan::draw(&mut Chance::new(seed)).event
}

/// Plays a round, makes the cluster whole again, and demands every acknowledged row.
fn judged(scene: &Scene, plan: &str, play: impl FnOnce() -> Result<()>) -> Result<String> {
    scene.steps.say(plan);
    let client = scene.client.as_ref().context("a round needs a client")?;
    let refused = refusals(&scene.cluster);
    let before = client.acknowledged();
    client.reset_downtime();
    play().with_context(|| plan.to_owned())?;
    scene
        .cluster
        .rejoin_all()
        .with_context(|| plan.to_owned())?;
    scene.writes_go_on()?;
    let lost = client.lost(&scene.steps)?;
    ensure!(
        lost.is_empty(),
        "{plan}: {} acknowledged rows are lost, first {:?}",
        lost.len(),
        lost.iter().take(5).collect::<Vec<_>>()
    );
    scene.clean_up()?;
    let verdict = format!(
        "{plan}: {} rows, none lost, {:.1} s down, {} refusals on the way",
        client.acknowledged() - before,
        client.downtime().as_secs_f64(),
        refusals(&scene.cluster) - refused
    );
    scene.steps.say(&verdict);
    Ok(verdict)
}

/// How often the agent refused to promote anybody so far, by the logs of all nodes. One that
/// ends by itself, when a node that is on its way has arrived, is no harm.
fn refusals(cluster: &Cluster) -> usize {
    let logs = cluster.nodes.iter().filter_map(|node| {
        let path = node.root().join("var/log/pacemaker/pacemaker.log");
        std::fs::read(path).ok()
    });
    logs.map(|log| {
        let text = String::from_utf8_lossy(&log).into_owned();
        text.matches("Election: promoting nobody").count()
    })
    .sum()
}

/// Runs a round of `series` for each of `seeds`; a failed one costs the cluster, which is
/// made anew. Returns the seeds that failed.
pub fn run(
    series: &Series,
    seeds: impl Iterator<Item = u64>,
    steps: &Steps,
    folder: &Path,
) -> Result<BTreeSet<u64>> {
    let mut scene = None;
    let mut failed = BTreeSet::new();
    for seed in seeds {
        let current = match scene.take() {
            Some(scene) => scene,
            None => set_up(series, steps)?,
        };
        let start = Instant::now();
        match (series.round)(&current, seed) {
            Ok(verdict) => {
                let seconds = start.elapsed().as_secs();
                println!("{} {seed} ... ok ({seconds} s): {verdict}", series.name);
                scene = Some(current);
            }
            Err(error) => {
                println!("{} {seed} ... FAILED: {error:#}", series.name);
                failed.insert(seed);
                let folder = folder.join(format!("{}-{seed}", series.name));
                logs::keep(&current.cluster, &folder)?;
                println!("    logs: {}", folder.display());
                println!(
                    "    again: cargo lab prove {} --rounds 1 --seed {seed}",
                    series.name
                );
                end(current)?;
            }
        }
    }
    scene.map_or(Ok(()), end)?;
    Ok(failed)
}

fn set_up(series: &Series, steps: &Steps) -> Result<Scene> {
    let cluster = Cluster::boot(Options::new("prove")?, steps)?;
    let confdir = cluster.options.release.confdir(MAIN.name);
    let path = format!("{confdir}/conf.d/synchronous.conf");
    let text = format!("synchronous_standby_names = '{}'\n", series.synchronous);
    on_each(&cluster.nodes, |node| {
        node.write(&path, &text, "postgres:postgres", "0644")
    })?;
    cluster.start_stack(&cluster.nodes)?;
    cluster.wait_whole()?;
    let client = Client::start(&cluster, &MAIN);
    let scene = Scene {
        client: Some(client),
        steps: steps.clone(),
        cluster,
    };
    scene.writes_go_on()?;
    Ok(scene)
}

fn end(scene: Scene) -> Result<()> {
    drop(scene.client);
    scene.cluster.shut_down()
}
