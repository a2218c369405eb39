//! What is checked before a switchover in each world, and what is made of its course.

use std::time::Duration;

use super::world::world;
use crate::testing::{check, check_rows, node};
use crate::view::{Course, Ending, Stage, before_switchover, checked_lines, may_move};

#[test]
fn table_of_switchover() {
    check(include_str!("../testdata/switchover.txt"), |facts| {
        let mut to = "srv2";
        let mut rest = Vec::new();
        for fact in facts {
            match fact.split_once(' ') {
                Some(("to", name)) => to = name,
                _ => rest.push(*fact),
            }
        }
        let seen = world(&rest);
        let checked = before_switchover(&seen, &node(to));
        let lines: Vec<_> = checked_lines(&checked)
            .iter()
            .map(|one| one.text())
            .collect();
        format!("{}\nexit {}", lines.join("\n"), may_move(&checked).code())
    });
}

/// What each node runs, one state after another; `!` has a failed promotion.
fn stage(states: &[&str]) -> String {
    let mut course = Course::new(node("srv1"), node("srv2"));
    let mut last = Stage::Waits;
    for state in states {
        let mut facts = vec![];
        for (index, what) in state.chars().enumerate() {
            let running = match what {
                'P' => "primary",
                'S' | '!' => "standby",
                '-' => "away",
                _ => "stopped",
            };
            facts.push(format!("node srv{} {running} 1", index + 1));
            if what == '!' {
                facts.push(format!("failed srv{} promote 1 why", index + 1));
            }
        }
        let facts: Vec<_> = facts.iter().map(String::as_str).collect();
        last = course.stage(&world(&facts).cib);
    }
    format!("{last:?}")
}

/// States of a move from srv1 to srv2, each with what runs on srv1, srv2 and srv3, and the stage
/// after the last.
#[test]
fn table_of_its_course() {
    let table = "
        PSS             | Waits
        PSS SSS         | Between
        PSS SSS SPS     | Done
        PSS -SS -PS     | Done
        PSS SSS PSS     | Back
        PSS SSS S!S     | Failed
        PSS SSS S!S P!S | Back
        PSS SSS S.S SSP | Elsewhere(NodeName(\"srv3\"))
        PSS P!S         | Failed
        PSS PPS         | Waits
        PSS P-S         | Waits
    ";
    check_rows(table, stage);
}

fn ending(stage: Option<Stage>) -> Ending {
    Ending {
        stage,
        reason: None,
        blocked: Some(Duration::from_millis(1_340)),
        is_settled: true,
        cut_short: None,
        left: None,
    }
}

fn told(ending: &Ending) -> String {
    let course = Course::new(node("srv1"), node("srv2"));
    let lines: Vec<_> = ending.lines(&course).iter().map(|one| one.text()).collect();
    format!("{} exit {}", lines.join(" "), ending.health().code())
}

#[test]
fn an_end_says_who_is_the_primary_and_what_is_left() {
    let done = ending(Some(Stage::Done));
    assert_eq!(
        told(&done),
        "srv2 is the primary, srv1 is a standby; clients were blocked for 1.3 s; the constraint is \
         gone. exit 0"
    );
    let back = Ending {
        reason: Some("promote failed on srv2: why".to_owned()),
        ..ending(Some(Stage::Back))
    };
    assert_eq!(
        told(&back),
        "the role went back: srv1 is the primary (promote failed on srv2: why); the constraint is \
         gone.     pgsqlms status exit 1"
    );
    let left = Ending {
        left: Some(("cli-prefer-x".to_owned(), "crm_resource --clear".to_owned())),
        ..done
    };
    assert_eq!(
        told(&left),
        "srv2 is the primary, srv1 is a standby; clients were blocked for 1.3 s; the constraint \
         cli-prefer-x could not be removed.     crm_resource --clear exit 3"
    );
}

#[test]
fn an_end_that_is_none_is_told_as_one_that_cannot_be_told() {
    for (stage, code) in [
        (None, 3),
        (Some(Stage::Between), 3),
        (Some(Stage::Failed), 3),
        (Some(Stage::Waits), 1),
        (Some(Stage::Elsewhere(node("srv3"))), 1),
    ] {
        assert_eq!(ending(stage.clone()).health().code(), code, "{stage:?}");
    }
}
