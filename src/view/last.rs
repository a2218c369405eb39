//! The course of the last promotion, from the log of Pacemaker on one node: when the loss was
//! detected, the promotion decided, the old primary fenced, the election won, and the new primary
//! open for writing.
//!
//! No node's log has all of it: the node that decides for all (DC) has the decision, the promoted
//! node the election.

use std::time::Duration;

use serde_json::{Value, json};

use super::table::table;
use crate::ocf::{Line, Style};

/// How long before its end a promotion may have begun.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// A step on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Pacemaker has noticed the loss, or the failure.
    Detected,
    /// Pacemaker has decided whom to promote, once that is safe.
    Decided,
    /// The old primary is off.
    Fenced,
    /// That node has won the election.
    Elected,
    /// It is open for writing.
    Writable,
}

impl Step {
    const ALL: [Self; 5] = [
        Self::Detected,
        Self::Decided,
        Self::Fenced,
        Self::Elected,
        Self::Writable,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Fenced => "fenced",
            Self::Decided => "decided",
            Self::Elected => "elected",
            Self::Writable => "writable",
        }
    }

    /// Why a log may not have it.
    fn elsewhere(self) -> &'static str {
        match self {
            Self::Detected => "nothing was lost, or another node has noticed it",
            Self::Fenced => "nothing was fenced",
            Self::Decided => "in the log of the node that was the DC",
            Self::Elected => "in the log of the node that was promoted",
            Self::Writable => "in the logs of the node that was promoted and of the DC",
        }
    }
}

/// One line of the log that tells of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// What it tells of.
    pub step: Step,
    /// The time as the log has it: `Nov 28 02:40:03.820`.
    pub clock: String,
    /// That since the beginning of a year.
    pub at: Duration,
    /// What the log says.
    pub words: String,
}

/// The steps of the last promotion in a log; empty if it has none.
pub fn last_course(log: &str, resource: &str) -> Vec<Moment> {
    let moments: Vec<_> = log
        .lines()
        .filter_map(|line| moment(line, resource))
        .collect();
    let is_end = |one: &Moment| matches!(one.step, Step::Writable | Step::Elected);
    let Some(end) = moments.iter().rposition(is_end) else {
        return Vec::new();
    };
    let mut course: Vec<Moment> = Vec::new();
    for one in moments[..=end].iter().rev() {
        let last = course.last().map_or(one.at, |last| last.at);
        let is_told_twice = course.last().is_some_and(|last| last.step == one.step);
        let is_of_before = one.step == Step::Writable && !course.is_empty() && !is_told_twice;
        if is_of_before || last.saturating_sub(one.at) > LONGEST {
            break;
        }
        // The first line of several in a row; else what was said last: a decision is taken anew
        // with each news.
        if is_told_twice {
            course.pop();
        }
        if course.iter().all(|later| later.step != one.step) {
            course.push(one.clone());
        }
    }
    course.reverse();
    course
}

fn moment(line: &str, resource: &str) -> Option<Moment> {
    let (clock, rest) = split_clock(line)?;
    let step = step(rest, resource)?;
    let priorities = ["notice: ", "info: ", "INFO: "];
    let mut words = priorities
        .iter()
        .filter_map(|priority| rest.split_once(priority));
    let words = words.next().map_or(rest, |(_, words)| words);
    let words = words.split(" | ").next().unwrap_or(words).trim();
    Some(Moment {
        step,
        clock: clock.to_owned(),
        at: since_new_year(clock)?,
        words: words.to_owned(),
    })
}

/// What a line of a daemon or of the agent tells of.
fn step(line: &str, resource: &str) -> Option<Step> {
    let has = |text: &str| line.contains(text);
    let of = |before: &str, after: &str| line.contains(&format!("{before}{resource}{after}"));
    let is_done = has(": ok") || has(": 0 (ok)");
    let by_controld = has("pacemaker-controld");
    if has(&format!("pgsqlms({resource})[")) {
        return has("Election: promoting ").then_some(Step::Elected);
    }
    let failed = of(" (", "_monitor_") && !of(" (", "_monitor_0 ") && has("but got");
    if by_controld && (failed || has("notice: Node ") && has(" state is now lost")) {
        return Some(Step::Detected);
    }
    if by_controld && has(" was terminated (") && has(": OK") {
        return Some(Step::Fenced);
    }
    let instance = of("Promote    ", ":") || of("Promote    ", " ");
    if has("pacemaker-schedulerd") && has("Actions: ") && instance {
        return Some(Step::Decided);
    }
    let promoted = of("Result of promote operation for ", " on ") && is_done;
    let told = of(" (", "_promote_0 on ") && has("confirmed: ok");
    (by_controld && (promoted || told)).then_some(Step::Writable)
}

/// `Nov 28 02:40:03.820`, and the rest.
fn split_clock(line: &str) -> Option<(&str, &str)> {
    let mut blanks = line.match_indices(' ').map(|(at, _)| at);
    let end = blanks.by_ref().find(|at| line[..*at].contains(':'))?;
    Some((&line[..end], &line[end..]))
}

/// Months count 31 days: times of one promotion are compared.
pub(super) fn since_new_year(clock: &str) -> Option<Duration> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = clock.split_whitespace();
    let month = words.next().filter(|word| word.len() == 3)?;
    let month = u64::try_from(MONTHS.find(month)?).ok()? / 3;
    let day: u64 = words.next()?.parse().ok()?;
    let (time, fraction) = match words.next()?.split_once('.') {
        Some((time, fraction)) => (time, fraction.parse().ok()?),
        None => (clock.split_whitespace().nth(2)?, 0),
    };
    let mut parts = time.split(':').map(str::parse::<u64>);
    let mut part = || parts.next()?.ok();
    let seconds = (part()? * 60 + part()?) * 60 + part()?;
    let days = month * 31 + day;
    Some(Duration::from_millis(
        (days * 86_400 + seconds) * 1_000 + fraction,
    ))
}

/// For people: each step with the time since the one before, and what this log does not have.
pub fn last_lines(course: &[Moment], node: &str) -> Vec<Line> {
    if course.is_empty() {
        return vec![Line::plain(format!(
            "The log of {node} tells of no promotion."
        ))];
    }
    let heading = ["step", "at", "after", "the log says"];
    let heading = heading.map(|word| (Style::Faint, word.to_owned()));
    let rows = course
        .iter()
        .enumerate()
        .map(|(index, one)| row(course, index, one));
    let all: Vec<_> = std::iter::once(heading.into()).chain(rows).collect();
    let mut lines = table(&all);
    lines.push(Line::plain(String::new()));
    lines.push(Line::plain(whole(course, node)));
    let unseen = unseen(course);
    lines.extend(unseen.map(|step| {
        let why = step.elsewhere();
        Line::plain(format!("not in this log: {} ({why})", step.word()))
    }));
    lines
}

fn row(course: &[Moment], index: usize, one: &Moment) -> Vec<(Style, String)> {
    let before = index.checked_sub(1).map(|before| &course[before]);
    let gap = before.map_or_else(|| "-".to_owned(), |before| seconds(gap(before, one)));
    let cells = [
        one.step.word().to_owned(),
        one.clock.clone(),
        gap,
        one.words.clone(),
    ];
    cells.map(|cell| (Style::Plain, cell)).into()
}

fn whole(course: &[Moment], node: &str) -> String {
    match course {
        [first, .., last] => format!(
            "From {} to {}: {}, by the clock of {node}; the time before that, in which nobody had \
             noticed, is not in it",
            first.step.word(),
            last.step.word(),
            seconds(gap(first, last))
        ),
        _ => format!("By the clock of {node}"),
    }
}

/// The agent's own lines have whole seconds, so that they may seem to come before.
fn gap(before: &Moment, after: &Moment) -> Duration {
    after.at.saturating_sub(before.at)
}

fn seconds(time: Duration) -> String {
    format!("{}.{:03} s", time.as_secs(), time.subsec_millis())
}

fn unseen(course: &[Moment]) -> impl Iterator<Item = Step> {
    let is_unseen = |step: &Step| course.iter().all(|one| one.step != *step);
    Step::ALL.into_iter().filter(is_unseen)
}

/// For programs.
pub fn last_json(course: &[Moment], (resource, node): (&str, &str)) -> Value {
    let first = course.first();
    let step = |one: &Moment| {
        let after = first.map(|first| gap(first, one).as_millis());
        json!({
            "step": one.step.word(),
            "at": one.clock,
            "after_ms": after.and_then(|ms| u64::try_from(ms).ok()),
            "text": one.words,
        })
    };
    json!({
        "schema": "pgsqlms.history.last/1",
        "resource": resource,
        "seen_from": node,
        "steps": course.iter().map(step).collect::<Vec<_>>(),
        "not_in_this_log": unseen(course).map(Step::word).collect::<Vec<_>>(),
    })
}
