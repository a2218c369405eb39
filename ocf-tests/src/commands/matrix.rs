//! `lab matrix`: the core of the tests on every Debian release.

use std::process::ExitCode;

use anyhow::Result;

use super::wishes::Wishes;
use crate::host::release;
use crate::machine::power;
use crate::run::report;
use crate::run::runner::{self, Case, Settings};
use crate::tests::{ALL, CORE};

/// Which tests to run on which releases.
#[derive(clap::Args, Debug)]
pub struct Choice {
    /// Run tests whose name contains one of these words; without any, the core of all
    filter: Vec<String>,
    /// Releases to run on
    #[arg(long, value_delimiter = ',', default_values = release::NAMES,
          value_parser = release::NAMES)]
    releases: Vec<String>,
    /// How many at once, each on a cluster of its own
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    jobs: u8,
    /// Print every step of every test
    #[arg(long, short)]
    verbose: bool,
}

/// Runs the tests release by release; a failure on one does not keep the others from running.
pub fn matrix(choice: &Choice) -> Result<ExitCode> {
    let cases = selected(&choice.filter);
    anyhow::ensure!(!cases.is_empty(), "no test has one of {:?}", choice.filter);
    power::sweep_stale()?;
    let mut verdicts = Vec::new();
    for name in &choice.releases {
        verdicts.extend(runner::run(cases.clone(), &settings(choice, name)?)?);
    }
    println!("on {}:", choice.releases.join(", "));
    println!("{}", report::tally(&verdicts));
    Ok(if report::failed(&verdicts) == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn settings(choice: &Choice, release: &str) -> Result<Settings> {
    let wishes = Wishes {
        nodes: 3,
        release: release.to_owned(),
        sync: false,
    };
    Ok(Settings {
        jobs: usize::from(choice.jobs),
        keep: false,
        verbose: choice.verbose,
        options: wishes.options("t")?,
    })
}

fn selected(filter: &[String]) -> Vec<Case> {
    let named = |case: &Case| filter.iter().any(|word| case.name.contains(word.as_str()));
    let core = |case: &Case| CORE.iter().any(|word| case.name.starts_with(word));
    let wanted = |case: &&Case| {
        if filter.is_empty() {
            core(case)
        } else {
            named(case)
        }
    };
    ALL.iter().filter(wanted).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_core_names_a_test() {
        for word in CORE {
            assert!(ALL.iter().any(|case| case.name.starts_with(word)), "{word}");
        }
    }

    #[test]
    fn a_filter_chooses_among_all_tests() {
        let chosen = selected(&["admin::".to_owned()]);
        assert!(chosen.len() > 1);
        assert!(chosen.iter().all(|case| case.name.starts_with("admin::")));
    }
}
