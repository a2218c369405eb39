//! The campaigns that run with every test, and longer ones:
//!
//!     PGSQLMS_SCHEDULES=1000000 cargo test --release -p pgsqlms no_schedule_breaks_a_promise
//!
//! `PGSQLMS_SEED` is the first seed, so with `PGSQLMS_SCHEDULES=1` it plays one again.
//! `PGSQLMS_SECONDS` ends a campaign, `PGSQLMS_KNOWN` names faults that may happen although they
//! are known to break a promise (`schedule::Known`).

use std::io::Write;
use std::time::Duration;

use super::campaign::{Campaign, Report};
use super::schedule::{KNOWN, Setting};
use crate::election::rule::Rule;

/// The schedules of every test.
const USUAL: u64 = 10_000;
/// What must come true in so many.
const KINDS: [&str; 30] = [
    "tick",
    "write",
    "stream",
    "stream half",
    "power",
    "all power",
    "instance crash",
    "partition",
    "cut",
    "heal",
    "monitor beside",
    "delay",
    "move",
    "clear",
    "node standby",
    "node unstandby",
    "cluster stop",
    "return",
    "cleanup",
    "arm",
    "fencing",
    "failure",
    "lost answer",
    "killed before",
    "killed after",
    "power in an action",
    "late attribute",
    "mute voter",
    "vote left behind",
    "promotion refused",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What the environment says about known faults.
fn known(setting: &mut Setting) {
    let names = std::env::var("PGSQLMS_KNOWN").unwrap_or_default();
    for known in KNOWN {
        let name = format!("{known:?}");
        setting.known[known as usize] = names.split(',').any(|wanted| wanted == name);
    }
}

fn campaign(schedules: u64) -> Campaign<'static> {
    Campaign {
        first: number("PGSQLMS_SEED").unwrap_or(0),
        schedules: number("PGSQLMS_SCHEDULES").unwrap_or(schedules),
        enough: 1,
        time: Duration::from_secs(number("PGSQLMS_SECONDS").unwrap_or(86_400)),
        change: &known,
    }
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
    let report = campaign(USUAL).run(|work| work());
    tell(&report);
    let seeds: Vec<_> = report.found.iter().map(|one| one.seed).collect();
    assert!(seeds.is_empty(), "seeds {seeds:?} break a promise");
    if report.schedules >= USUAL {
        let never = report.counts.never(&KINDS);
        assert!(never.is_empty(), "these never happened: {never:?}");
    }
}

/// What one seed does it does again: else no fault that was found could be looked at.
#[test]
fn a_seed_plays_again_exactly() {
    let states = || {
        let one = Campaign {
            schedules: 20,
            ..campaign(20)
        };
        let counts = one.run(|work| work()).counts;
        (counts.states, counts.verbs, counts.events)
    };
    assert_eq!(states(), states());
}

/// A rule, the schedules within which servers and Pacemaker come to feel that it is missing,
/// and a cluster in which they do.
type Missing = (Rule, u64, fn(&mut Setting));

/// The model finds all rules.
const RULES: [Missing; 4] = [
    (Rule::BestWins, 2000, |_| ()),
    (Rule::ShutdownCheckpoint, 5000, |_| ()),
    (Rule::Branch, 5000, |setting| {
        (setting.nodes, setting.quorum, setting.foreign) = (2, 1, false);
        setting.sync = [""; 3];
    }),
    (Rule::Quorum, 5000, |setting| {
        (setting.nodes, setting.quorum, setting.foreign) = (3, 1, false);
        setting.sync = ["ANY 1 (n1, n2, n3)"; 3];
        setting.sync_guard = true;
    }),
];

#[test]
fn a_rule_that_is_switched_off_is_noticed() {
    for (rule, schedules, change) in RULES {
        let one = Campaign {
            change: &change,
            ..campaign(schedules)
        };
        let report = one.run(|work| rule.weakened(work));
        let found = report.found.first();
        let found = found.unwrap_or_else(|| panic!("nobody misses {rule:?}"));
        let _ = writeln!(
            std::io::stdout(),
            "simulation: without {rule:?}, after {} schedules and {:.1} s: seed {}: {}",
            report.schedules,
            report.time.as_secs_f32(),
            found.seed,
            found.violation
        );
        println!("{}", found.story);
    }
}
