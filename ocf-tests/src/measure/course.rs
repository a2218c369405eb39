//! Where the time of a disturbance went, from the log of the cluster's controller: each round of
//! notifies, each action on the instance and its address, decisions, and what threw a run away.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::cluster::Cluster;
use crate::measure::results::Series;
use crate::watch::timeline::{DAY, time_of_day};

/// The instance and its address, whose actions count.
const RESOURCES: [(&str, &str); 2] = [("pgsqld", ""), ("pgsql-pri-ip", "address ")];

/// Pacemaker does one thing at a time while it finds the machine too busy.
const THROTTLES: [&str; 2] = ["load detected", "throttle mode"];

/// A part of the course: one action, or one round of notifies on all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// What: `pre-demote`, `demote`, `address start`, `decision`.
    pub what: String,
    /// Milliseconds after the disturbance.
    pub begin: u64,
    /// How long it took, in milliseconds; 0 for what has no end.
    pub length: u64,
}

/// The course of one disturbance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// Its parts, in the order in which they began.
    pub legs: Vec<Leg>,
    /// Whether Pacemaker held itself back because of the machine's load.
    pub throttled: bool,
}

impl Course {
    /// One line: what began when, and how long it took.
    pub fn line(&self) -> String {
        let legs = self.legs.iter().map(|leg| match leg.length {
            0 => format!("{} {}", leg.begin, leg.what),
            length => format!("{} {} ({length})", leg.begin, leg.what),
        });
        let throttled = if self.throttled { " [throttled]" } else { "" };
        format!("ms: {}{throttled}", legs.collect::<Vec<_>>().join(", "))
    }
}

/// A Markdown table of several courses of one kind: when each part begins and how long it takes,
/// as median (smallest–largest). A part that comes more than once counts the first time.
pub fn medians(courses: &[&Course]) -> String {
    let mut parts: Vec<(&str, Vec<f64>, Vec<f64>)> = Vec::new();
    for course in courses {
        let mut seen: Vec<&str> = Vec::new();
        for leg in &course.legs {
            if seen.contains(&leg.what.as_str()) {
                continue;
            }
            seen.push(&leg.what);
            let known = parts.iter().position(|(what, _, _)| *what == leg.what);
            let index = known.unwrap_or(parts.len());
            if known.is_none() {
                parts.push((&leg.what, Vec::new(), Vec::new()));
            }
            parts[index].1.push(milliseconds(leg.begin));
            parts[index].2.push(milliseconds(leg.length));
        }
    }
    table_of(parts, courses.len())
}

fn milliseconds(value: u64) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

fn table_of(parts: Vec<(&str, Vec<f64>, Vec<f64>)>, runs: usize) -> String {
    let cell = |values: Vec<f64>| match Series(values).summary() {
        Some((median, low, high)) => format!("{median:.0} ({low:.0}–{high:.0})"),
        None => "–".to_owned(),
    };
    let mut text =
        format!("| {runs} runs | seen in | begins, ms | takes, ms |\n|---|---|---|---|\n");
    let mut rows: Vec<_> = parts
        .into_iter()
        .map(|(what, begins, takes)| {
            let first = Series(begins.clone()).summary();
            let row = format!(
                "| {what} | {} | {} | {} |\n",
                begins.len(),
                cell(begins),
                cell(takes)
            );
            (first.map_or(0.0, |(median, _, _)| median), row)
        })
        .collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    text.extend(rows.into_iter().map(|(_, row)| row));
    text
}

/// What the logs of all nodes say of the time from `since` for `length`.
pub fn read(cluster: &Cluster, since: SystemTime, length: Duration) -> Result<Course> {
    let since = since.duration_since(UNIX_EPOCH)?.as_millis() % DAY;
    let mut marks = Vec::new();
    for node in &cluster.nodes {
        let path = node.root().join("var/log/pacemaker/pacemaker.log");
        let log = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        let lines = log.lines();
        marks.extend(lines.filter_map(|line| mark(line, since, length.as_millis())));
    }
    marks.sort_by_key(|(after, _)| *after);
    Ok(course(&marks))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    Begin { action: String, what: String },
    End { action: String },
    Moment(&'static str),
    Throttled,
}

/// A line of the log, and how many milliseconds after `since` it was written.
fn mark(line: &str, since: u128, length: u128) -> Option<(u64, Mark)> {
    let at = line.split_whitespace().find_map(time_of_day)?;
    let after = (at + DAY - since) % DAY;
    let after = (after <= length).then(|| u64::try_from(after).ok())??;
    Some((after, meaning(line)?))
}

fn meaning(line: &str) -> Option<Mark> {
    if THROTTLES.iter().any(|words| line.contains(words)) {
        return Some(Mark::Throttled);
    }
    if line.contains("Calculated transition") {
        return Some(Mark::Moment("decision"));
    }
    if line.contains("aborted by") && line.contains("complete=false") {
        return Some(Mark::Moment("aborted"));
    }
    if line.contains("was terminated") {
        return Some(Mark::Moment("fenced"));
    }
    if let Some((_, rest)) = line.split_once("Initiating ") {
        let operation = rest.split_whitespace().nth(2)?;
        let (_, action) = rest.rsplit_once("| action ")?;
        let (what, action) = (name(operation)?, action.trim().to_owned());
        return Some(Mark::Begin { action, what });
    }
    let (_, rest) = line
        .split_once(" action ")
        .filter(|_| line.contains(" confirmed: "))?;
    let action = rest.split_whitespace().next()?.to_owned();
    Some(Mark::End { action })
}

/// `pgsqld:1_pre_notify_demote_0` → `pre-demote`; `None` for what is not of interest.
fn name(operation: &str) -> Option<String> {
    RESOURCES.iter().find_map(|(resource, prefix)| {
        let rest = operation.strip_prefix(resource)?;
        let rest = rest.trim_start_matches(|letter: char| letter == ':' || letter.is_ascii_digit());
        let (verb, interval) = rest.strip_prefix('_')?.rsplit_once('_')?;
        let verb = verb.replace("_notify_", "-");
        let is_first = interval != "0" && verb == "monitor";
        let verb = if is_first { "first monitor" } else { &verb };
        Some(format!("{prefix}{verb}"))
    })
}

fn course(marks: &[(u64, Mark)]) -> Course {
    let mut course = Course::default();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for (after, mark) in marks {
        match mark {
            Mark::Throttled => course.throttled = true,
            Mark::Moment(what) => course.legs.push(leg(what, *after)),
            Mark::Begin { action, what } => {
                let round = open
                    .values()
                    .find(|index| course.legs[**index].what == *what);
                let index = round.copied().unwrap_or(course.legs.len());
                if index == course.legs.len() {
                    course.legs.push(leg(what, *after));
                }
                open.insert(action, index);
            }
            Mark::End { action } => {
                if let Some(index) = open.remove(action.as_str()) {
                    let leg = &mut course.legs[index];
                    leg.length = after - leg.begin;
                }
            }
        }
    }
    course
}

fn leg(what: &str, begin: u64) -> Leg {
    Leg {
        what: what.to_owned(),
        begin,
        length: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
Nov 28 02:50:59.668 srv1 pacemaker-schedulerd[76] (x) 	notice: Calculated transition 1, saving inputs
Nov 28 02:50:59.680 srv1 pacemaker-controld  [77] (x) 	notice: Initiating notify operation pgsqld_pre_notify_demote_0 on srv3 | action 54
Nov 28 02:50:59.682 srv1 pacemaker-controld  [77] (x) 	notice: Initiating notify operation pgsqld:1_pre_notify_demote_0 locally on srv1 | action 55
Nov 28 02:50:59.690 srv1 pacemaker-controld  [77] (x) 	info: Transition 1 action 55 (pgsqld_notify_0 on srv1) confirmed: ok | rc=0 call-id=28
Nov 28 02:50:59.700 srv1 pacemaker-controld  [77] (x) 	info: Transition 1 action 54 (pgsqld_notify_0 on srv3) confirmed: ok | rc=0 call-id=24
Nov 28 02:50:59.701 srv1 pacemaker-controld  [77] (x) 	notice: Initiating stop operation pgsql-pri-ip_stop_0 on srv2 | action 9
Nov 28 02:50:59.702 srv1 pacemaker-controld  [77] (x) 	notice: Initiating start operation fence-srv1_start_0 on srv2 | action 16
Nov 28 02:50:59.703 srv1 pacemaker-controld  [77] (x) 	notice: Initiating monitor operation pgsqld_monitor_15000 on srv2 | action 17
Nov 28 02:50:59.800 srv1 pacemaker-controld  [77] (x) 	notice: Transition 0 aborted by nodes-1 'create': Configuration change | complete=false";

    #[test]
    fn a_round_is_one_leg_from_its_first_order_to_its_last_answer() {
        let since = time_of_day("02:50:59.668").unwrap();
        let marks: Vec<_> = LOG
            .lines()
            .filter_map(|line| mark(line, since, 1000))
            .collect();
        assert_eq!(
            course(&marks).line(),
            "ms: 0 decision, 12 pre-demote (20), 33 address stop, 35 first monitor, 132 aborted"
        );
    }

    #[test]
    fn several_courses_make_a_table_in_the_order_of_their_medians() {
        let of = |legs: &[(&str, u64, u64)]| Course {
            legs: legs
                .iter()
                .map(|(what, begin, length)| Leg {
                    length: *length,
                    ..leg(what, *begin)
                })
                .collect(),
            throttled: false,
        };
        let one = of(&[
            ("decision", 10, 0),
            ("promote", 90, 30),
            ("promote", 900, 1),
        ]);
        let other = of(&[("promote", 70, 10), ("demote", 20, 5), ("decision", 12, 0)]);
        assert_eq!(
            medians(&[&one, &other]),
            "| 2 runs | seen in | begins, ms | takes, ms |\n|---|---|---|---|\n\
             | decision | 2 | 11 (10–12) | 0 (0–0) |\n\
             | demote | 1 | 20 (20–20) | 5 (5–5) |\n\
             | promote | 2 | 80 (70–90) | 20 (10–30) |\n"
        );
    }

    #[test]
    fn what_came_before_or_long_after_is_of_no_interest() {
        let since = time_of_day("02:50:59.700").unwrap();
        let marks = LOG.lines().filter_map(|line| mark(line, since, 50));
        assert_eq!(marks.count(), 3);
    }
}
