//! `lab bench`.

use anyhow::{Context, Result};

use crate::cluster::agent::Agent;
use crate::host::progress::Steps;
use crate::host::{paths, shell};
use crate::machine::power;
use crate::measure::bench::{self, Plan, Subject};
use crate::measure::results::{self, Results};
use crate::picture::ranges;

/// Where the table stands in the page.
const BEGIN: &str = "<!-- The table below is written by `cargo lab bench --write`. -->";
const END: &str = "<!-- Here the table ends. -->";

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
    /// Have commits wait for one standby
    #[arg(long)]
    sync: bool,
    /// Have monitors of the primary wait for a crash (paf has none that can)
    #[arg(long)]
    watched: bool,
    /// Put the table into docs/benchmarks.md, in place of the one there, and draw it
    #[arg(long)]
    write: bool,
    /// Measure nothing; draw the table in docs/benchmarks.md
    #[arg(long)]
    draw: bool,
}

/// Measures, prints a table, and writes it where asked.
pub fn bench(choice: &Choice) -> Result<()> {
    if choice.draw {
        return draw();
    }
    power::sweep_stale()?;
    let steps = Steps::new("", true);
    let mut columns: Vec<(Agent, Results)> = Vec::new();
    let plan = Plan {
        subjects: &choice.only,
        runs: usize::from(choice.runs),
        seed: choice.seed,
        watched: choice.watched,
        synchronous: choice.sync,
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
        let page = std::fs::read_to_string(&path)?;
        let said = format!("{}\n\n{table}", how(choice)?);
        std::fs::write(&path, with_table(&page, &said)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("written to {}", path.display());
        draw()?;
    }
    Ok(())
}

/// The picture of the table in the page, beside it.
fn draw() -> Result<()> {
    let docs = paths::workspace().join("docs");
    let page = std::fs::read_to_string(docs.join("benchmarks.md"))?;
    let (_, rest) = page.split_once(BEGIN).context("no begin of the table")?;
    let (table, _) = rest.split_once(END).context("no end of the table")?;
    let path = docs.join("pictures/benchmarks.svg");
    std::fs::write(&path, ranges::draw(table))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// How the table was made.
fn how(choice: &Choice) -> Result<String> {
    let day = shell::run_words(&["date", "+%Y-%m-%d"])?;
    let commit = shell::run_words(&["git", "rev-parse", "--short", "HEAD"])?;
    let cores = std::thread::available_parallelism()?;
    let commits = if choice.sync {
        "commits wait for one standby"
    } else {
        "replication is asynchronous"
    };
    Ok(format!(
        "Measured at {} on {}: {} runs each, seed {}, {cores} cores, {commits}.",
        commit.trim(),
        day.trim(),
        choice.runs,
        choice.seed
    ))
}

/// The page with another table between its two marks.
fn with_table(page: &str, table: &str) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).context("no begin of the table")?;
    let (_, after) = rest.split_once(END).context("no end of the table")?;
    Ok(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_round_the_table_stays() {
        let page = format!("# Head\n{BEGIN}\nold\n{END}\nafterwards\n");
        let new = with_table(&page, "| new |\n").unwrap();
        assert_eq!(
            new,
            format!("# Head\n{BEGIN}\n\n| new |\n\n{END}\nafterwards\n")
        );
        assert!(with_table("# Head", "| new |").is_err());
    }
}
