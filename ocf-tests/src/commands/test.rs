//! `lab test`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use super::wishes::Wishes;
use crate::host::progress::Steps;
use crate::host::{paths, release};
use crate::machine::{power, rootfs};
use crate::run::report::{self, Verdict};
use crate::run::runner::{self, Case, Length, Settings};
use crate::tests::{ALL, SHORT_ROUND};

/// Which tests to run, and how.
#[derive(clap::Args, Debug)]
pub struct Choice {
    /// Run tests whose name contains one of these words; without any, all, and a short round on
    /// each of the other releases
    filter: Vec<String>,
    /// Only list the tests
    #[arg(long)]
    list: bool,
    /// Run those marked long as well
    #[arg(long)]
    long: bool,
    /// How many at once, each on a cluster of its own
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=8))]
    jobs: u8,
    /// Leave the cluster of a failed test running, to look at it
    #[arg(long)]
    keep: bool,
    /// Print every step of every test
    #[arg(long, short)]
    verbose: bool,
    /// Debian release of the nodes
    #[arg(long, default_value = release::DEFAULT, value_parser = release::NAMES)]
    release: String,
    /// Write what came of each test to this file, as JUnit for CI
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// So many of the slowest tests are listed at the end of a run of all.
const SLOWEST: usize = 10;

impl Choice {
    /// Whether only names are wanted, for which the host need not be able to do anything.
    pub fn list(&self) -> bool {
        self.list
    }
}

/// Runs or lists tests.
pub fn test(choice: &Choice) -> Result<ExitCode> {
    if choice.list {
        for case in named(ALL, &choice.filter) {
            let mark = if case.length == Length::Long {
                " (long)"
            } else {
                ""
            };
            println!("{}{mark}", case.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    power::sweep_stale()?;
    let cases = select(ALL, choice)?;
    let everything = choice.filter.is_empty();
    let mut verdicts = Vec::new();
    if everything {
        verdicts.push(prepare_and_test_without_cluster()?);
    }
    if report::failed(&verdicts) == 0 {
        verdicts.extend(run_on(&choice.release, cases, choice.jobs, choice)?);
        if everything {
            verdicts.extend(on_other_releases(choice)?);
            println!("what took longest:");
            println!("{}", report::slowest(&verdicts, SLOWEST).join("\n"));
        }
    }
    if let Some(file) = &choice.junit {
        report::write_junit(&verdicts, file)?;
    }
    Ok(if report::failed(&verdicts) == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A short round on each of the other releases. They are mostly waits, so all run at once.
fn on_other_releases(choice: &Choice) -> Result<Vec<Verdict>> {
    let round = ALL.iter().filter(|case| SHORT_ROUND.contains(&case.name));
    let round: Vec<_> = round.copied().collect();
    let rounds = thread::scope(|scope| {
        let threads: Vec<_> = other_releases(&choice.release)
            .map(|other| scope.spawn(|| run_on(other, round.clone(), 1, choice)))
            .collect();
        // All are joined before the first error is picked: none may go on unwatched.
        let joined = threads.into_iter().map(ScopedJoinHandle::join);
        joined.collect::<Vec<_>>()
    });
    let mut verdicts = Vec::new();
    for round in rounds {
        verdicts.extend(round.map_err(|_| anyhow!("a thread panicked"))??);
    }
    Ok(verdicts)
}

fn run_on(release: &str, cases: Vec<Case>, jobs: u8, choice: &Choice) -> Result<Vec<Verdict>> {
    let wishes = Wishes {
        nodes: 3,
        release: release.to_owned(),
        sync: false,
    };
    let settings = Settings {
        jobs: usize::from(jobs).min(cases.len()),
        keep: choice.keep,
        verbose: choice.verbose,
        options: wishes.options(&clusters(release))?,
    };
    let (began, count) = (Instant::now(), cases.len());
    let verdicts = runner::run(cases, &settings)?;
    let seconds = began.elapsed().as_secs();
    println!("{count} tests on {release} took {seconds} s");
    Ok(verdicts)
}

/// How the ids of the clusters of tests begin: `t`, and the letter of any other release.
fn clusters(release: &str) -> String {
    let letter = release
        .chars()
        .take(1)
        .filter(|_| release != release::DEFAULT);
    std::iter::once('t').chain(letter).collect()
}

fn other_releases(but: &str) -> impl Iterator<Item = &'static str> {
    release::NAMES.into_iter().filter(move |name| *name != but)
}

/// The tests that one of the words of `filter` names; without any, all.
fn named<'a>(all: &'a [Case], filter: &'a [String]) -> impl Iterator<Item = &'a Case> {
    let by = |case: &Case| filter.iter().any(|word| case.name.contains(word.as_str()));
    all.iter().filter(move |case| filter.is_empty() || by(case))
}

/// The tests to run: a choice that would run none is a mistake.
fn select(all: &[Case], choice: &Choice) -> Result<Vec<Case>> {
    let named: Vec<Case> = named(all, &choice.filter).copied().collect();
    let short = |case: &Case| case.length == Length::Short;
    let cases: Vec<Case> = named
        .iter()
        .filter(|case| choice.long || short(case))
        .copied()
        .collect();
    match (named.is_empty(), cases.is_empty()) {
        (true, _) => bail!(
            "no test has one of {:?} in its name; `lab test --list` shows all",
            choice.filter
        ),
        (_, true) => bail!("only long tests are named so; `--long` runs them"),
        _ => Ok(cases),
    }
}

/// The tests that need no cluster, while the root file systems of all releases are fetched.
fn prepare_and_test_without_cluster() -> Result<Verdict> {
    thread::scope(|scope| {
        let making = scope.spawn(|| -> Result<()> {
            for name in release::NAMES {
                rootfs::ensure(release::find(name)?, &Steps::new("", true))?;
            }
            Ok(())
        });
        let verdict = without_cluster();
        // What failed here is tried again where it is needed, and fails there.
        if let Ok(Err(error)) = making.join() {
            println!("no root file system yet: {error:#}");
        }
        verdict
    })
}

/// All tests means all: first those that need no cluster, which are quick.
fn without_cluster() -> Result<Verdict> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let began = Instant::now();
    let status = Command::new(cargo)
        .args(["test", "--workspace", "--quiet"])
        .current_dir(paths::workspace())
        .status()
        .context("cannot run cargo test")?;
    let took = began.elapsed();
    let passed = status.success();
    let word = if passed { "ok" } else { "FAILED" };
    println!("tests without a cluster ... {word} ({} s)", took.as_secs());
    Ok(Verdict {
        suite: "without a cluster".to_owned(),
        name: "cargo test --workspace".to_owned(),
        took,
        failure: (!passed).then(|| "a test that needs no cluster failed".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::runner::Needs;

    const SAMPLE: &[Case] = &[case("a::one", Length::Short), case("a::two", Length::Long)];

    const fn case(name: &'static str, length: Length) -> Case {
        Case {
            name,
            needs: Needs::Nodes,
            length,
            run: |_| Ok(()),
        }
    }

    fn selected(filter: &str, long: bool) -> Result<Vec<&'static str>> {
        let choice = Choice {
            filter: filter.split_whitespace().map(str::to_owned).collect(),
            list: false,
            long,
            jobs: 1,
            keep: false,
            verbose: false,
            release: String::new(),
            junit: None,
        };
        let cases = select(SAMPLE, &choice)?;
        Ok(cases.iter().map(|case| case.name).collect())
    }

    #[test]
    fn long_tests_run_on_request_only() {
        assert_eq!(selected("", false).unwrap(), ["a::one"]);
        assert_eq!(selected("", true).unwrap(), ["a::one", "a::two"]);
        assert_eq!(selected("two", true).unwrap(), ["a::two"]);
    }

    #[test]
    fn the_short_round_names_tests() {
        let named = |name: &&str| ALL.iter().any(|case| case.name == *name);
        assert!(!SHORT_ROUND.is_empty() && SHORT_ROUND.iter().all(named));
    }

    #[test]
    fn a_choice_of_nothing_is_a_mistake() {
        assert!(selected("three", true).is_err());
        let only_long = selected("two", false).unwrap_err();
        assert!(only_long.to_string().contains("--long"), "{only_long}");
    }
}
