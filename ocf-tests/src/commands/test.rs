//! `lab test`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use super::Wishes;
use crate::paths;
use crate::runner::{self, Settings};
use crate::tests::ALL;

/// Which tests to run, and how.
#[derive(clap::Args, Debug)]
pub struct Choice {
    /// Run tests whose name contains one of these words; without any, all
    filter: Vec<String>,
    /// Only list the tests
    #[arg(long)]
    list: bool,
    /// How many at once, each on a cluster of its own
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    jobs: u8,
    /// Leave the cluster of a failed test running, to look at it
    #[arg(long)]
    keep: bool,
    /// Print every step of every test
    #[arg(long, short)]
    verbose: bool,
    /// Debian release of the nodes
    #[arg(long, default_value = "bookworm", value_parser = crate::release::NAMES)]
    release: String,
}

impl Choice {
    /// Whether only names are wanted, for which the host need not be able to do anything.
    pub fn list(&self) -> bool {
        self.list
    }
}

/// Runs or lists tests.
pub fn test(choice: &Choice) -> Result<ExitCode> {
    let wanted = |name: &str| {
        choice.filter.is_empty()
            || choice
                .filter
                .iter()
                .any(|word| name.contains(word.as_str()))
    };
    let cases: Vec<_> = ALL
        .iter()
        .filter(|case| wanted(case.name))
        .copied()
        .collect();
    if cases.is_empty() {
        bail!(
            "no test has one of {:?} in its name; `lab test --list` shows all",
            choice.filter
        );
    }
    if choice.list {
        cases.iter().for_each(|case| println!("{}", case.name));
        return Ok(ExitCode::SUCCESS);
    }
    if choice.filter.is_empty() {
        without_cluster()?;
    }
    let wishes = Wishes {
        nodes: 3,
        release: choice.release.clone(),
        sync: false,
    };
    let settings = Settings {
        jobs: usize::from(choice.jobs).min(cases.len()),
        keep: choice.keep,
        verbose: choice.verbose,
        options: wishes.options("t")?,
    };
    let (_, failed) = runner::run(cases, &settings)?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// All tests means all: first those that need no cluster, which are quick.
fn without_cluster() -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--workspace", "--quiet"])
        .current_dir(paths::workspace())
        .status()
        .context("cannot run cargo test")?;
    ensure!(status.success(), "a test that needs no cluster failed");
    Ok(())
}
