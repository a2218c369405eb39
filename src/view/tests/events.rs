//! What becomes of each alert of Pacemaker.

use std::collections::BTreeMap;

use serde_json::Value;

use super::world::world;
use crate::testing::check;
use crate::view::{Alert, Event, Seen, event_json};

fn told(facts: &[&str]) -> String {
    let (told, facts): (Vec<&str>, Vec<&str>) =
        facts.iter().partition(|fact| fact.starts_with("env "));
    let pairs = told
        .iter()
        .filter_map(|fact| fact.strip_prefix("env ")?.split_once('='));
    let environment: BTreeMap<_, _> = pairs.collect();
    let get = |name: &'static str| {
        let name = name.strip_prefix("CRM_alert_")?;
        environment.get(name).copied()
    };
    let alert = match Alert::of(get) {
        Ok(alert) => alert.filter(|alert| Event::may_be(&alert.what)),
        Err(error) => return error.to_string(),
    };
    let seen = world(&facts);
    let events = alert
        .map(|alert| Event::of(&alert, &seen))
        .unwrap_or_default();
    let lines: Vec<_> = events.iter().map(|event| line(event, &seen)).collect();
    if lines.is_empty() {
        "nothing".to_owned()
    } else {
        lines.join("\n")
    }
}

/// What differs from event to event.
fn line(event: &Event, seen: &Seen) -> String {
    let document = event_json(event, seen);
    assert_eq!(document["schema"], "pgsqlms.event/1");
    assert_eq!(document["resource"], "pgsqld");
    let text = |name: &str, before: &str, after: &str| match &document[name] {
        Value::Null => None,
        Value::String(text) => Some(format!("{before}{text}{after}")),
        other => Some(format!("{before}{other}{after}")),
    };
    let words = [
        text("event", "", ""),
        text("node", "", ""),
        text("previous", "previous ", ""),
        text("election", "election ", ""),
        text("timeline", "timeline ", ""),
        text("action", "", ""),
        text("code", "", ""),
        text("action_ms", "", " ms"),
        text("time", "", ""),
    ];
    let words: Vec<_> = words.into_iter().flatten().collect();
    let sentence = document["text"].as_str().unwrap();
    format!("{}\n{sentence}", words.join(" "))
}

#[test]
fn table_of_events() {
    check(include_str!("../testdata/events.txt"), told);
}
