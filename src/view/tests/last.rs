//! The course of a promotion, from a log of Pacemaker 2.1.5.

use crate::ocf::Line;
use crate::view::{last_course, last_json, last_lines};

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

From detected to writable: 2.996 s, by the clock of srv2";
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

#[test]
fn no_text_is_too_odd() {
    for at in (0..LOG.len()).filter(|at| LOG.is_char_boundary(*at)) {
        let _ = last_course(&LOG[at..LOG.len().min(at + 400)], "pgsqld");
    }
}
