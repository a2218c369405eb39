//! What people see of each world.

use std::collections::BTreeSet;

use super::world::world;
use crate::ocf::Line;
use crate::testing::{check, node};
use crate::view::{Prospect, View, before_stop, explanation, lines, may_stop, stop_lines};

fn text(lines: &[Line]) -> String {
    let lines: Vec<_> = lines.iter().map(Line::text).collect();
    lines.join("\n")
}

#[test]
fn table_of_status() {
    check(include_str!("../testdata/status.txt"), |facts| {
        let view = View::of(&world(facts));
        // A table of `check` ends at a blank line.
        text(&lines(&view)).replace("\n\n", "\n.\n")
    });
}

#[test]
fn table_of_stop() {
    check(include_str!("../testdata/stop.txt"), |facts| {
        let (stop, rest): (Vec<&str>, Vec<&str>) =
            facts.iter().partition(|fact| fact.starts_with("stop "));
        let target = node(stop[0].trim_start_matches("stop "));
        let checked = before_stop(&world(&rest), &target);
        let code = may_stop(&checked).code();
        format!("{}\nexit {code}", text(&stop_lines(&target, &checked)))
    });
}

#[test]
fn table_of_explain() {
    check(include_str!("../testdata/explain.txt"), |facts| {
        let lost = facts.iter().filter_map(|fact| fact.strip_prefix("lost "));
        let lost: BTreeSet<_> = lost.map(node).collect();
        let rest: Vec<_> = facts
            .iter()
            .copied()
            .filter(|fact| !fact.starts_with("lost "))
            .collect();
        let seen = world(&rest);
        let prospect = Prospect::without(&seen, &lost);
        let code = prospect.health().code();
        format!("{}\nexit {code}", text(&explanation(&seen, &prospect)))
    });
}
