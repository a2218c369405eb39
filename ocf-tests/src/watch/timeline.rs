//! What the cluster's own logs say happened, in order, with the seconds since a moment.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::cluster::Cluster;

/// Milliseconds of a day.
pub const DAY: u128 = 24 * 60 * 60 * 1000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Time since the moment that was asked about.
    pub after: Duration,
    /// Whether the log has fractions of a second; else it is the end of that second.
    pub exact: bool,
    /// Node whose log says so, or the power switch.
    pub node: String,
    /// What happened.
    pub text: String,
}

/// Words in Pacemaker's log, and what they mean; `{}` is the rest of the line.
const MEANINGS: &[(&str, &str)] = &[
    (
        "pacemaker-controld",
        "state is now lost|Pacemaker sees that a node is gone",
    ),
    (
        "pacemaker-schedulerd",
        "Actions: Fence|Pacemaker decides to fence it",
    ),
    (
        "pacemaker-schedulerd",
        "Actions: Promote|Pacemaker decides whom to promote",
    ),
    (
        "pacemaker-controld",
        "was terminated|fencing is confirmed: the node is really dead",
    ),
    (
        "pacemaker-controld",
        "Result of promote operation|the agent has promoted PostgreSQL",
    ),
    (
        "pacemaker-controld",
        "Result of start operation for pgsql-pri-ip|the address is here now",
    ),
];

/// Reads the logs of all nodes with power for what happened after `since`.
pub fn read(cluster: &Cluster, since: SystemTime) -> Result<Vec<Event>> {
    let mut events = power_switch(cluster, since)?;
    let since = since.duration_since(UNIX_EPOCH)?.as_millis() % DAY;
    for node in cluster.nodes.iter().filter(|node| node.init().is_ok()) {
        let path = node.root().join("var/log/pacemaker/pacemaker.log");
        let log = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        events.extend(
            log.lines()
                .filter_map(|line| event(line, &node.name, since)),
        );
    }
    events.sort_by_key(|event| event.after);
    events.dedup_by(|one, other| one.text == other.text && one.node == other.node);
    Ok(events)
}

fn power_switch(cluster: &Cluster, since: SystemTime) -> Result<Vec<Event>> {
    let fencings = cluster.power.fencings()?.into_iter();
    let events = fencings.map(|fencing| {
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(fencing.millis)?);
        Ok(Event {
            after: at.duration_since(since).unwrap_or_default(),
            exact: true,
            node: "power".to_owned(),
            text: format!("the cluster had {} switched {}", fencing.node, fencing.what),
        })
    });
    events.collect()
}

fn event(line: &str, node: &str, since: u128) -> Option<Event> {
    let at = line.split_whitespace().find_map(time_of_day)?;
    // Logs carry no date worth parsing; a demonstration does not last half a day.
    let after = (at + DAY - since) % DAY;
    if after > DAY / 2 {
        return None;
    }
    let words = agent_words(line);
    let exact = words.is_none();
    let text = words.or_else(|| pacemaker_words(line))?;
    let after = Duration::from_millis(u64::try_from(after).ok()?);
    Some(Event {
        after,
        exact,
        node: node.to_owned(),
        text,
    })
}

fn pacemaker_words(line: &str) -> Option<String> {
    MEANINGS.iter().find_map(|(daemon, words)| {
        let (pattern, meaning) = words.split_once('|')?;
        let position = line.contains(daemon).then(|| line.find(pattern))??;
        let failed = line[position..].contains(": error");
        Some(if failed {
            line[position..].to_owned()
        } else {
            meaning.to_owned()
        })
    })
}

/// The agent's own lines: its tag, then a date and `PRIORITY: text`, in either order.
fn agent_words(line: &str) -> Option<String> {
    let tag = line.find("pgsqlms(pgsqld)[")?;
    let important = ["INFO: ", "WARNING: ", "ERROR: ", "CRIT: "];
    let position = important.iter().find_map(|word| line[tag..].find(word))?;
    Some(format!("agent: {}", &line[tag + position..]))
}

/// Milliseconds since midnight of a word like `04:29:01.108` or `04:29:01`.
pub fn time_of_day(word: &str) -> Option<u128> {
    let (clock, fraction) = word.split_once('.').unwrap_or((word, "999"));
    let parts: Vec<u128> = clock
        .split(':')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [hours, minutes, seconds] = parts[..] else {
        return None;
    };
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction.parse::<u128>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_pacemaker_and_of_the_agent_are_read() {
        let since = time_of_day("04:29:00.000").unwrap();
        let line = "Nov 23 04:29:03.412 srv2 pacemaker-controld  [64] (log_executor_event) \
                    notice: Result of promote operation for pgsqld on srv2: ok";
        let found = event(line, "srv2", since).unwrap();
        assert_eq!(found.after, Duration::from_millis(3412));
        assert_eq!(found.text, "the agent has promoted PostgreSQL");
        let line = "pgsqlms(pgsqld)[381]:\tNov 23 04:29:02  INFO: Promoting instance";
        assert_eq!(
            event(line, "srv2", since).unwrap().text,
            "agent: INFO: Promoting instance"
        );
    }

    #[test]
    fn earlier_lines_are_left_out() {
        let since = time_of_day("04:29:00.000").unwrap();
        let line = "pgsqlms(pgsqld)[381]:\tNov 23 04:28:02  INFO: Promoting instance";
        assert_eq!(event(line, "srv2", since), None);
    }
}
