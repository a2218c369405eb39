//! `lab bench`.

use anyhow::{Context, Result};

use crate::cluster::agent::Agent;
use crate::host::progress::Steps;
use crate::host::{paths, shell};
use crate::machine::power;
use crate::measure::bench::{self, Plan, Subject};
use crate::measure::results::{self, Results};

/// What to measure.
#[derive(clap::Args, Debug)]
pub struct Choice {
    /// Repetitions of each disturbance
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=100))]
    runs: u8,
    /// Chooses the random moments, the same for all agents
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Agents to measure: paf, ours, or commits of this project
    #[arg(long, value_delimiter = ',', default_values = ["paf", "ours"])]
    agents: Vec<String>,
    /// Measure only this
    #[arg(long, value_enum, value_delimiter = ',',
          default_values = ["monitors", "switchover", "crash", "power-cut"])]
    only: Vec<Subject>,
    /// Have monitors of the primary wait for a crash (not with a power cut, nor with paf)
    #[arg(long)]
    watched: bool,
    /// Write the table to docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

/// Measures, prints a table, and writes it where asked.
pub fn bench(choice: &Choice) -> Result<()> {
    power::sweep_stale()?;
    let steps = Steps::new("", true);
    let mut columns: Vec<(Agent, Results)> = Vec::new();
    let plan = Plan {
        subjects: &choice.only,
        runs: usize::from(choice.runs),
        seed: choice.seed,
        watched: choice.watched,
    };
    for name in &choice.agents {
        steps.say(&format!("measuring {name}"));
        let agent = Agent::named(name)?;
        let results = bench::measure(&agent, &plan, &steps)?;
        columns.push((agent, results));
    }
    let table = results::table(&columns)?;
    println!("\n{table}");
    if choice.write {
        let path = paths::workspace().join("docs/benchmarks.md");
        std::fs::write(&path, document(&table, choice.runs, choice.seed)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("written to {}", path.display());
    }
    Ok(())
}

fn document(table: &str, runs: u8, seed: u64) -> Result<String> {
    let day = shell::run_words(&["date", "+%Y-%m-%d"])?;
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "# Benchmarks

Measured by `cargo lab bench --write --runs {runs} --seed {seed}` on {day}: three nodes on one machine with {cores} cores, Debian
bookworm, corosync's default token of 1 s, monitors every 15 and 16 s. `paf` is the agent in Perl
of Debian's resource-agents-paf, `ours` is pgsqlms. Cells are median (smallest–largest).

The times of disturbances are measured by a client that writes a row every 5 ms through the address
of the primary: from the first write that has to wait until writes continue for good, {runs} runs each, at
random moments after a monitor of the primary, the same for both agents. After a crash nearly all of
this is the time until the next monitor, which depends only on the moment. After a power cut most of
it passes until corosync gives up the node, Pacemaker decides (it pauses for 0 to 2 s then, with any
agent) and fencing is confirmed; the rest is due to the agents. Interruptions are gaps of 200 ms and
more: two means that clients could write for a moment and were then cut off again.

CPU is user and system time of the agent and all its children. Only ratios count:
absolute values depend on the machine.

{table}"
    ))
}
