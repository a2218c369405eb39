//! `lab soak`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::cluster::postgresql::MAIN;
use crate::cluster::{Cluster, Options};
use crate::host::progress::Steps;
use crate::host::{paths, shell};
use crate::machine::power;
use crate::run::chance::Chance;
use crate::run::scene::Scene;
use crate::soak::{self, Verdict};
use crate::watch::client::Client;
use crate::watch::logs;

/// How long a soak is, and which one.
#[derive(clap::Args, Debug)]
pub struct Choice {
    /// How long faults are dealt
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Do again what this number gave before
    #[arg(long)]
    seed: Option<u64>,
    /// Print every step
    #[arg(long, short)]
    verbose: bool,
}

/// Soaks a cluster of its own, and keeps its logs.
pub fn soak(choice: &Choice) -> Result<ExitCode> {
    power::sweep_stale()?;
    let seed = choice.seed.unwrap_or_else(Chance::fresh_seed);
    let folder = paths::logs().join(shell::run_words(&["date", "+%Y%m%d-%H%M%S"])?);
    std::fs::create_dir_all(&folder)?;
    let steps = Steps::new("", choice.verbose);
    steps.record(&folder.join("steps.log"))?;
    println!("seed {seed}, steps and logs in {}", folder.display());
    let scene = set_up(steps)?;
    let length = Duration::from_secs(choice.minutes * 60);
    let result = soak::run(&scene, seed, length, |line| println!("{line}"));
    logs::keep(&scene.cluster, &folder)?;
    let code = tell(result, choice.minutes, seed);
    drop(scene.client);
    scene.cluster.shut_down()?;
    Ok(code)
}

/// A whole cluster with a disk per node, synchronous commits and a client that writes.
fn set_up(steps: Steps) -> Result<Scene> {
    let options = Options {
        synchronous: true,
        data_disks: true,
        ..Options::new("soak")?
    };
    options.agent.build()?;
    let cluster = Cluster::start(options, &steps)?;
    let client = Some(Client::start(&cluster, &MAIN));
    let scene = Scene {
        cluster,
        client,
        steps,
    };
    scene.writes_go_on()?;
    Ok(scene)
}

/// Prints what came of it, and how to do it again if it failed.
fn tell(result: Result<Verdict>, minutes: u64, seed: u64) -> ExitCode {
    match result {
        Ok(verdict) => {
            println!("passed: {verdict}");
            verdict
                .timed_out
                .iter()
                .for_each(|line| println!("    {line}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("FAILED: {error:#}");
            println!("again: cargo lab soak --minutes {minutes} --seed {seed}");
            ExitCode::FAILURE
        }
    }
}
