//! The campaigns that run with every test, and the long one.

use std::io::Write;

use super::campaign::{Campaign, Report};
use crate::election::rule::Rule;

/// The schedules of every test.
const USUAL: u64 = 10_000;
/// How many there are to be instead.
const WANTED: &str = "PGSQLMS_SCHEDULES";
/// Where they begin.
const FIRST: &str = "PGSQLMS_SEED";

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tells what was seen, past the capture of output.
fn tell(report: &Report) {
    let counts = &report.counts;
    let mut out = std::io::stdout();
    let _ = writeln!(
        out,
        "simulation: {} schedules in {:.1} s: {} verbs, {} states, {} promotions",
        report.schedules,
        report.time.as_secs_f32(),
        counts.verbs,
        counts.states.len(),
        counts.promotions
    );
    for (kind, (possible, taken)) in &counts.events {
        let _ = writeln!(out, "  {kind}: {taken} of {possible}");
    }
    for (reason, times) in &counts.refusals {
        let _ = writeln!(out, "  not promoted, {times} times: {reason}");
    }
    for (reason, times) in &counts.without_primary {
        let _ = writeln!(
            out,
            "  without a primary in the end, {times} times: {reason}"
        );
    }
    for one in &report.found {
        let _ = writeln!(out, "{}\n", one.story);
    }
}

#[test]
fn no_schedule_breaks_a_promise() {
    let campaign = Campaign {
        first: number(FIRST).unwrap_or(0),
        schedules: number(WANTED).unwrap_or(USUAL),
        enough: number("PGSQLMS_ENOUGH").map_or(1, |n| n as usize),
        change: |_| (),
    };
    let report = campaign.run(|work| work());
    tell(&report);
    assert!(report.found.is_empty());
}

/// The rules that the election cannot do without, as far as servers and Pacemaker come to
/// where they matter. The model finds the others too.
const RULES: [Rule; 14] = [
    Rule::BestWins,
    Rule::History,
    Rule::WaitForVotes,
    Rule::FreshVotes,
    Rule::Branch,
    Rule::VoidClaims,
    Rule::OwnReign,
    Rule::Doubt,
    Rule::ShutdownCheckpoint,
    Rule::Quorum,
    Rule::EarlierReigns,
    Rule::NotItself,
    Rule::Exclusion,
    Rule::System,
];

#[test]
fn a_rule_that_is_switched_off_is_noticed() {
    let wanted = std::env::var("PGSQLMS_RULE").unwrap_or_default();
    for rule in RULES {
        if !wanted.is_empty() && format!("{rule:?}") != wanted {
            continue;
        }
        let campaign = Campaign {
            first: number(FIRST).unwrap_or(0),
            schedules: number(WANTED).unwrap_or(USUAL),
            enough: 1,
            change: |_| (),
        };
        let report = campaign.run(|work| rule.weakened(work));
        let found = report
            .found
            .first()
            .map(|one| one.story.lines().next().unwrap().to_owned());
        let _ = writeln!(
            std::io::stdout(),
            "simulation: without {rule:?}: {} schedules in {:.1} s: {found:?}",
            report.schedules,
            report.time.as_secs_f32()
        );
    }
}
