//! The campaigns that run with every test, and longer ones:
//!
//!     PGSQLMS_SCHEDULES=1000000 cargo test --release -p pgsqlms no_schedule_breaks_a_promise
//!
//! `PGSQLMS_SEED` is the first seed, so with `PGSQLMS_SCHEDULES=1` it plays one again.
//! `PGSQLMS_SECONDS` ends a campaign, `PGSQLMS_KNOWN` puts a fault back that the agent had once
//! (`schedule::Known`).

use std::io::Write;
use std::time::Duration;

use super::campaign::{Campaign, Report};
use super::schedule::{KNOWN, Known, Setting};
use crate::election::rule::Rule;
use crate::postgres::fake_instance::HalfOpen;

/// The schedules of every test.
const USUAL: u64 = 10_000;
/// Those of every test in which what lies in wait does so for an opened branch.
const HASTY: u64 = 2_000;
/// What must come true in so many.
const KINDS: [&str; 29] = [
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
    "promotion refused",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The fault that the environment puts back.
fn known() -> Option<Known> {
    let name = std::env::var("PGSQLMS_KNOWN").ok()?;
    let known = KNOWN.into_iter().find(|known| format!("{known:?}") == name);
    Some(known.unwrap_or_else(|| panic!("PGSQLMS_KNOWN is one of {KNOWN:?}")))
}

/// Works as on a thread where this fault is there.
fn with_fault(known: Option<Known>, work: &dyn Fn()) {
    match known.and_then(Known::rule) {
        Some(rule) => rule.weakened(work),
        None => work(),
    }
}

fn campaign(schedules: u64) -> Campaign<'static> {
    Campaign {
        first: number("PGSQLMS_SEED").unwrap_or(0),
        schedules: number("PGSQLMS_SCHEDULES").unwrap_or(schedules),
        enough: 1,
        time: Duration::from_secs(number("PGSQLMS_SECONDS").unwrap_or(86_400)),
        change: &|_| (),
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
    let known = known();
    let one = Campaign {
        change: &|setting| setting.known = known,
        ..campaign(USUAL)
    };
    let report = one.run(|work| with_fault(known, work));
    tell(&report);
    let seeds: Vec<_> = report.found.iter().map(|one| one.seed).collect();
    assert!(seeds.is_empty(), "seeds {seeds:?} break a promise");
    if report.schedules >= USUAL {
        let never = report.counts.never(&KINDS);
        assert!(never.is_empty(), "these never happened: {never:?}");
    }
}

/// Clients that write, standbys that follow and power that fails before the new primary's
/// monitor has come once.
#[test]
fn no_opening_breaks_a_promise() {
    let known = known();
    let one = Campaign {
        change: &|setting| (setting.hasty, setting.known) = (true, known),
        ..campaign(HASTY)
    };
    let report = one.run(|work| with_fault(known, work));
    tell(&report);
    let seeds: Vec<_> = report.found.iter().map(|one| one.seed).collect();
    assert!(seeds.is_empty(), "seeds {seeds:?} break a promise");
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

/// A rule, a seed that felt that it was missing (the search begins there), and a cluster in
/// which that is felt.
type Missing = (Rule, u64, fn(&mut Setting));

/// The model finds all rules.
const RULES: [Missing; 6] = [
    (Rule::BestWins, 25, |_| ()),
    (Rule::ShutdownCheckpoint, 0, |_| ()),
    (Rule::History, 12_800, |_| ()),
    (Rule::WaitForVotes, 1045, |_| ()),
    (Rule::Branch, 0, two),
    (Rule::Quorum, 0, three),
];

/// The same of faults.
type Fault = (Known, u64, fn(&mut Setting));

const FAULTS: [Fault; 3] = [
    (Known::HalfOpen, 3700, |setting| {
        two(setting);
        setting.half_open = HalfOpen::History;
    }),
    (Known::Archive, 103_800, |setting| {
        three(setting);
        setting.sync = [""; 3];
        (setting.hasty, setting.archive) = (true, true);
    }),
    (Known::LostCib, 0, |setting| {
        three(setting);
        (setting.hasty, setting.quorum) = (true, 2);
    }),
];

/// As many as that are tried where the seed has become another one.
const ENOUGH: u64 = 10_000;

#[test]
fn a_rule_that_is_switched_off_is_noticed() {
    for (rule, first, change) in RULES {
        let report = search(first, &change, |work| rule.weakened(work));
        assert!(said(&format!("without {rule:?}"), &report), "{rule:?}");
        check_with_all_rules(&report, &change);
    }
}

/// Faults of 38a9fe5 that lie between two effects.
#[test]
fn a_fault_that_is_put_back_is_noticed() {
    for (known, first, change) in FAULTS {
        let with_it = |setting: &mut Setting| {
            change(setting);
            setting.known = Some(known);
        };
        let report = search(first, &with_it, |work| with_fault(Some(known), work));
        assert!(said(&format!("{known:?} put back"), &report), "{known:?}");
        check_with_all_rules(&report, &change);
    }
}

fn search(
    first: u64,
    change: &(dyn Fn(&mut Setting) + Sync),
    in_thread: impl Fn(&dyn Fn()) + Sync,
) -> Report {
    let one = Campaign {
        first: number("PGSQLMS_SEED").unwrap_or(first),
        change,
        ..campaign(ENOUGH)
    };
    one.run(in_thread)
}

/// The same seed breaks nothing where nothing is switched off.
fn check_with_all_rules(report: &Report, change: &(dyn Fn(&mut Setting) + Sync)) {
    let one = Campaign {
        first: report.found[0].seed,
        schedules: 1,
        change,
        ..campaign(1)
    };
    let found = one.run(|work| work()).found;
    assert!(found.is_empty(), "{}", found[0].story);
}

/// All rules, in all clusters, as often as wanted: which ones do schedules find?
#[test]
#[ignore = "takes an hour"]
fn each_rule_in_each_cluster() {
    let clusters: [fn(&mut Setting); 3] = [|_| (), two, three];
    for rule in Rule::ALL {
        for (index, change) in clusters.into_iter().enumerate() {
            let _ = writeln!(std::io::stdout(), "{rule:?}, cluster {index}:");
            let one = Campaign {
                change: &change,
                ..campaign(5000)
            };
            let report = one.run(|work| rule.weakened(work));
            if said(&format!("without {rule:?}"), &report) {
                check_with_all_rules(&report, &change);
                break;
            }
        }
    }
}

/// Whether something was found, which it tells.
fn said(what: &str, report: &Report) -> bool {
    let Some(found) = report.found.first() else {
        return false;
    };
    let _ = writeln!(
        std::io::stdout(),
        "simulation: {what}, after {} schedules and {:.1} s: seed {}: {}",
        report.schedules,
        report.time.as_secs_f32(),
        found.seed,
        found.violation
    );
    println!("{}", found.story);
    true
}

fn two(setting: &mut Setting) {
    (setting.nodes, setting.quorum, setting.foreign) = (2, 1, false);
    setting.sync = [""; 3];
}

fn three(setting: &mut Setting) {
    (setting.nodes, setting.quorum, setting.foreign) = (3, 1, false);
    setting.sync = ["ANY 1 (n1, n2, n3)"; 3];
    setting.sync_guard = true;
}
