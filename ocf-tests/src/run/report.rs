//! What came of a run of tests: counted, listed by what took longest, and as a JUnit file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// How one test ended.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The suite: a release of the nodes, or tests that need none.
    pub suite: String,
    /// Name of the test.
    pub name: String,
    /// From the boot of its cluster to its end.
    pub took: Duration,
    /// Why it failed.
    pub failure: Option<String>,
}

impl Verdict {
    /// Whether the test passed.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// How many of `verdicts` failed.
pub fn failed(verdicts: &[Verdict]) -> usize {
    verdicts.iter().filter(|one| !one.passed()).count()
}

/// `3 passed, 1 failed`.
pub fn tally(verdicts: &[Verdict]) -> String {
    let failed = failed(verdicts);
    format!("{} passed, {failed} failed", verdicts.len() - failed)
}

/// The `most` tests that took longest, a line each, longest first.
pub fn slowest(verdicts: &[Verdict], most: usize) -> Vec<String> {
    let mut sorted: Vec<_> = verdicts.iter().collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.took));
    let line = |one: &&Verdict| format!("{:4} s  {} {}", one.took.as_secs(), one.suite, one.name);
    sorted.iter().take(most).map(line).collect()
}

/// Writes `verdicts` to `file` in the form that CI systems read.
pub fn write_junit(verdicts: &[Verdict], file: &Path) -> Result<()> {
    let text = junit(verdicts).to_string().context("JUnit")?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::write(file, text).with_context(|| file.display().to_string())
}

fn junit(verdicts: &[Verdict]) -> Report {
    let mut report = Report::new("pgsqlms");
    let mut suites: Vec<TestSuite> = Vec::new();
    for verdict in verdicts {
        if !suites.iter().any(|suite| *suite.name == *verdict.suite) {
            suites.push(TestSuite::new(verdict.suite.as_str()));
        }
        let own = |suite: &&mut TestSuite| *suite.name == *verdict.suite;
        if let Some(suite) = suites.iter_mut().find(own) {
            suite.add_test_case(test_case(verdict));
        }
    }
    report.add_test_suites(suites);
    report
}

fn test_case(verdict: &Verdict) -> TestCase {
    let status = match &verdict.failure {
        None => TestCaseStatus::success(),
        Some(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(why.as_str());
            status
        }
    };
    let mut case = TestCase::new(verdict.name.as_str(), status);
    case.set_time(verdict.took);
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(suite: &str, name: &str, seconds: u64, failure: Option<&str>) -> Verdict {
        Verdict {
            suite: suite.to_owned(),
            name: name.to_owned(),
            took: Duration::from_secs(seconds),
            failure: failure.map(str::to_owned),
        }
    }

    fn some() -> [Verdict; 3] {
        [
            verdict("bookworm", "a::one", 3, None),
            verdict("trixie", "a::one", 70, Some("1 row < 2 & gone")),
            verdict("bookworm", "a::two", 20, None),
        ]
    }

    #[test]
    fn a_file_for_ci_has_a_suite_for_each_release() {
        let text = junit(&some()).to_string().unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let suites: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("testsuite"))
            .map(|node| {
                let of = |name| node.attribute(name).unwrap_or_default().to_owned();
                (of("name"), of("tests"), of("failures"))
            })
            .collect();
        let suite = |name: &str, tests: &str, failures: &str| {
            (name.to_owned(), tests.to_owned(), failures.to_owned())
        };
        assert_eq!(
            suites,
            [suite("bookworm", "2", "0"), suite("trixie", "1", "1")]
        );
        let failure = document
            .descendants()
            .find(|node| node.has_tag_name("failure"));
        assert_eq!(
            failure.unwrap().attribute("message"),
            Some("1 row < 2 & gone")
        );
    }

    #[test]
    fn what_took_longest_comes_first() {
        let lines = slowest(&some(), 2);
        assert_eq!(lines, ["  70 s  trixie a::one", "  20 s  bookworm a::two"]);
        assert_eq!(tally(&some()), "2 passed, 1 failed");
    }
}
