//! `lab prove`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cluster::agent::Agent;
use crate::host::progress::Steps;
use crate::host::{paths, shell};
use crate::machine::power;
use crate::prove::{self, SERIES, Series};
use crate::run::chance::Chance;

/// Which series of rounds to run.
#[derive(clap::Args, Debug)]
pub struct Choice {
    /// any, first, orders, moments, lists, evidence, predictions; without any, all
    #[arg(value_parser = names())]
    series: Vec<String>,
    /// Rounds of each series, instead of as many as prove something
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Seed of the first round; each further one has the next number
    #[arg(long)]
    seed: Option<u64>,
    /// Number of nodes: with five, commits wait for two standbys
    #[arg(long, default_value_t = 3, value_parser = odd)]
    nodes: usize,
    /// Print every step
    #[arg(long, short)]
    verbose: bool,
}

/// With an even number the loss of half of the nodes would be one too many.
fn odd(text: &str) -> Result<usize, String> {
    match text {
        "3" => Ok(3),
        "5" => Ok(5),
        _ => Err("3 or 5".to_owned()),
    }
}

fn names() -> Vec<&'static str> {
    SERIES.iter().map(|series| series.name).collect()
}

/// Runs the series and tells the outcome; a lost row or a missing primary fails.
pub fn prove(choice: &Choice) -> Result<ExitCode> {
    power::sweep_stale()?;
    Agent::from_environment()?.build()?;
    let seed = choice.seed.unwrap_or_else(Chance::fresh_seed);
    let steps = Steps::new("", choice.verbose);
    let folder = paths::logs().join(shell::run_words(&["date", "+%Y%m%d-%H%M%S"])?);
    std::fs::create_dir_all(&folder)?;
    steps.record(&folder.join("steps.log"))?;
    println!(
        "seed {seed}, steps in {}",
        folder.join("steps.log").display()
    );
    let wanted = |series: &&Series| {
        choice.series.is_empty() || choice.series.iter().any(|name| name == series.name)
    };
    let mut failed = 0;
    for series in SERIES.iter().filter(wanted) {
        let rounds = choice.rounds.unwrap_or(series.rounds);
        println!("\n{}: {}, {rounds} rounds", series.name, series.about);
        let seeds = (0..rounds).map(|round| seed.wrapping_add(round));
        let lost = prove::run(series, (choice.nodes, seeds), &steps, &folder)?.len();
        println!("{}: {lost} of {rounds} rounds failed", series.name);
        failed += lost;
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
