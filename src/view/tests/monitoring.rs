//! What monitoring reads of each world.

use std::collections::BTreeSet;

use super::world::world;
use crate::testing::check;
use crate::view::{
    Judgement, View, metrics, metrics_without_view, past, past_json, past_lines, plugin,
};

/// A standby that lags, one that is away, and the end of an election before.
const WORLD: [&str; 9] = [
    "here srv1",
    "node srv1 primary 1001",
    "node srv2 standby 1000",
    "node srv3 away -1000",
    "writes 3@0/5000000<2@0/4800000<1@0/4000000",
    "receiver srv2 0/4FFDF88 0/4FF0000 async",
    "reign srv2 6 2@0/4000000<1@0/4000000",
    "reign srv1 7 3@0/4800000<2@0/4800000<1@0/4000000",
    "timeline 2@0/4000000<1@0/4000000",
];

#[test]
fn table_of_check() {
    check(include_str!("../testdata/check.txt"), |facts| {
        let mut judgement = Judgement::default();
        let mut rest = Vec::new();
        for fact in facts {
            match fact.split_once(' ') {
                Some(("-w", threshold)) => judgement.warning.push(threshold.parse().unwrap()),
                Some(("-c", threshold)) => judgement.critical.push(threshold.parse().unwrap()),
                Some(("--only", id)) => judgement.only.push(id.to_owned()),
                Some(("--ignore", id)) => judgement.ignore.push(id.to_owned()),
                _ => rest.push(*fact),
            }
        }
        let (lines, health) = plugin(&View::of(&world(&rest)), &judgement);
        format!("{}\nexit {}", lines.join("\n"), health.code())
    });
}

#[test]
fn metrics_are_in_the_format_of_prometheus() {
    let text = metrics(&View::of(&world(&WORLD)));
    let mut series = BTreeSet::new();
    let mut typed = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert!(typed.insert(rest.to_owned()), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (labels, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            assert!(series.insert(labels.to_owned()), "twice: {line}");
            let (name, _) = labels.split_once('{').unwrap();
            assert!(typed.contains(&format!("{name} gauge")), "{line}");
        }
    }
    for wanted in [
        "pgsqlms_health{resource=\"pgsqld\"} 2",
        "pgsqlms_primary{resource=\"pgsqld\",node=\"srv1\"} 1",
        "pgsqlms_failover_ready{resource=\"pgsqld\"} 0",
        "pgsqlms_standby_lag_bytes{resource=\"pgsqld\",node=\"srv2\"} 8312",
        "pgsqlms_election_term{resource=\"pgsqld\"} 7",
        "pgsqlms_last_election_timestamp_seconds{resource=\"pgsqld\"} 1795745564",
        "pgsqlms_candidate{resource=\"pgsqld\",node=\"srv3\"} 0",
        "pgsqlms_fencing{resource=\"pgsqld\"} 1",
        "pgsqlms_action_seconds{resource=\"pgsqld\",action=\"promote\"} 0.12",
        "pgsqlms_problem{resource=\"pgsqld\",id=\"offline\",severity=\"attention\",node=\"srv3\"} 1",
    ] {
        assert!(text.lines().any(|line| line == wanted), "{wanted}\n{text}");
    }
}

/// That fencing is configured is not enough.
#[test]
fn fencing_counts_as_well_only_where_its_devices_run() {
    for (fact, wanted) in [
        ("device fence-srv2 srv1,srv2,srv3 srv2", "1"),
        ("device fence-srv2 srv1,srv2,srv3 -", "0"),
        ("device fence-srv2 srv1,srv2,srv3 disabled", "0"),
        ("device fence-srv2 srv1,srv2 srv2", "0"),
        ("no-device", "0"),
        ("option stonith-enabled false", "0"),
    ] {
        let text = metrics(&View::of(&world(&[&WORLD[..], &[fact]].concat())));
        let wanted = format!("pgsqlms_fencing{{resource=\"pgsqld\"}} {wanted}");
        assert!(text.lines().any(|line| line == wanted), "{fact}\n{text}");
    }
}

#[test]
fn fencing_is_not_told_of_where_pacemaker_is_silent() {
    let silent = ["silent pacemakerd does not run"];
    let text = metrics(&View::of(&world(&[&WORLD[..], &silent].concat())));
    assert!(!text.contains("pgsqlms_fencing{"), "{text}");
}

/// Or the cluster would be counted once for each node.
#[test]
fn a_standby_tells_of_itself_alone() {
    let facts = [
        "here srv2",
        "node srv1 primary 1001",
        "node srv2 standby 1000",
        "stands 2@0/5000000<1@0/4000000 of 0/5000000",
    ];
    let text = metrics(&View::of(&world(&facts)));
    assert!(
        text.contains("pgsqlms_primary{resource=\"pgsqld\",node=\"srv2\"} 0"),
        "{text}"
    );
    for cluster_wide in [
        "failover_ready",
        "promotion_score",
        "standby_lag",
        "election_term",
    ] {
        assert!(!text.contains(cluster_wide), "{cluster_wide}\n{text}");
    }
}

#[test]
fn where_nothing_could_be_seen_that_is_what_is_told() {
    let text = metrics_without_view(None);
    assert!(
        text.ends_with("\"} 0\n") && text.contains("pgsqlms_look_success{"),
        "{text}"
    );
}

#[test]
fn elections_and_timelines_of_files_are_listed_once() {
    let seen = world(&WORLD);
    let past = past(&seen);
    let lines: Vec<_> = past_lines(&past).iter().map(|line| line.text()).collect();
    let wanted = [
        "election  when                     primary  timeline  opened at  left timeline  from  kind",
        "7         2026-11-27 02:12:44 UTC  srv1     3         0/4800000  2              srv2  failover",
        "6         2026-11-27 02:12:44 UTC  srv2     2         0/4000000  1              -     -",
    ];
    assert_eq!(lines, wanted);
    let document = past_json(&seen, &past);
    assert_eq!(document["promotions"][0]["from"], "srv2");
    assert_eq!(document["schema"], "pgsqlms.history/1");
}

/// Else an alert would never come, and a panel would be empty for ever.
#[test]
fn rules_and_dashboard_use_metrics_that_there_are() {
    let ready = WORLD.map(|fact| fact.replace("srv3 away -1000", "srv3 standby 990"));
    let ready = ready.each_ref().map(String::as_str);
    let mut text = metrics(&View::of(&world(&WORLD)));
    text += &metrics(&View::of(&world(&ready)));
    let given: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    for (file, least) in [
        (
            include_str!("../../../packaging/monitoring/pgsqlms-alerts.yml"),
            8,
        ),
        (
            include_str!("../../../packaging/monitoring/pgsqlms-dashboard.json"),
            15,
        ),
    ] {
        let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
        let words = file.split(|c: char| !is_part(c));
        let used: BTreeSet<_> = words.filter(|word| word.starts_with("pgsqlms_")).collect();
        let missing: Vec<_> = used.difference(&given).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(used.len() >= least, "{used:?}");
    }
}
