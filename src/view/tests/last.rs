//! The course of a promotion, from a log of Pacemaker 2.1.5.

use super::world::world;
use crate::ocf::Line;
use crate::testing::check_rows;
use crate::view::{Later, last_course, last_json, last_lines};

const LOG: &str = include_str!("../testdata/last.log");

fn shown(log: &str) -> String {
    let course = last_course(log, "pgsqld");
    let lines: Vec<_> = last_lines(&course, "srv2").iter().map(Line::text).collect();
    lines.join("\n")
}

/// As the node has it that was promoted, and was the DC.
#[test]
fn a_failover_is_shown_step_by_step() {
    let wanted = "\
step      at                   after    the log says
detected  Nov 28 02:40:00.824  -        Node srv1 state is now lost
decided   Nov 28 02:40:02.084  1.260 s  Actions: Promote    pgsqld:0       ( Unpromoted -> Promoted srv2 )
fenced    Nov 28 02:40:02.800  0.716 s  Peer srv1 was terminated (reboot) by srv2 on behalf of \
pacemaker-controld.64@srv2: OK
elected   Nov 28 02:40:03      0.200 s  Election: promoting srv2: no voter holds more
writable  Nov 28 02:40:03.820  0.820 s  Result of promote operation for pgsqld on srv2: ok

From detected to writable: 2.996 s, by the clock of srv2; the time before that, in which nobody had \
noticed, is not in it";
    assert_eq!(shown(LOG), wanted);
}

#[test]
fn what_another_node_has_is_not_made_up() {
    let of_others = LOG.lines().filter(|line| !line.contains("Election: "));
    let of_others = of_others.filter(|line| !line.contains("schedulerd"));
    let log = of_others.collect::<Vec<_>>().join("\n");
    let document = last_json(&last_course(&log, "pgsqld"), ("pgsqld", "srv3"));
    let missing = serde_json::json!(["decided", "elected"]);
    assert_eq!(document["not_in_this_log"], missing);
    assert_eq!(document["steps"][2]["after_ms"], 2996);
    assert!(
        shown(&log).contains("not in this log: elected (in the log of the node that was promoted)")
    );
}

/// The loss before it belongs to the promotion before it.
#[test]
fn only_the_last_promotion_is_shown() {
    let later = "Nov 28 02:51:00.000 srv2 pacemaker-controld  [64] (log_executor_event) \tnotice: \
                 Result of promote operation for pgsqld on srv2: ok | call=50";
    let course = last_course(&format!("{LOG}\n{later}"), "pgsqld");
    let steps: Vec<_> = course.iter().map(|one| one.clock.as_str()).collect();
    assert_eq!(steps, ["Nov 28 02:51:00.000"]);
    assert!(last_course(LOG, "other").is_empty());
    assert_eq!(shown(""), "The log of srv2 tells of no promotion.");
}

/// Who won the last election on record, and when, as a log would say it; whether the log (its last
/// promotion ended on Nov 28 at 02:40:03 on srv2) tells of another one.
#[test]
fn a_log_that_ends_before_the_last_election_is_told() {
    let table = "
        srv2 Nov 28 02:40:03 | told
        srv2 Nov 28 02:40:50 | told
        srv2 Nov 28 02:42:00 | later
        srv3 Nov 28 02:41:30 | later
        srv2 Jan 01 00:10:00 | later
        srv3 Nov 27 23:00:00 | told
        srv2 unknown         | told
        srv3 unknown         | later
        srv3 Nov 28 02:40:03 | later
    ";
    check_rows(table, |facts| {
        let reign = format!("reign {} 8 3@0/4800000<2@0/4800000<1@0/4000000", facts[0]);
        let seen = world(&["here srv1", "node srv1 standby 1", &reign]);
        let clock = facts[1..].join(" ");
        let course = last_course(LOG, "pgsqld");
        let later = Later::of(&seen, &course, |_| Some(clock.clone()));
        assert!(Later::of(&seen, &[], |_| Some(clock.clone())).is_some());
        let told = later.map(|later| later.line().text());
        let asks = format!("On {}: pgsqlms history --last", facts[0]);
        assert!(told.as_ref().is_none_or(|text| text.ends_with(&asks)));
        told.map_or("told", |_| "later").to_owned()
    });
}

/// Nothing is on record: the log may well be right.
#[test]
fn without_a_record_nothing_is_later() {
    let seen = world(&["here srv1", "node srv1 standby 1"]);
    assert_eq!(Later::of(&seen, &[], |_| None), None);
}

#[test]
fn no_text_is_too_odd() {
    for at in (0..LOG.len()).filter(|at| LOG.is_char_boundary(*at)) {
        let _ = last_course(&LOG[at..LOG.len().min(at + 400)], "pgsqld");
    }
}
