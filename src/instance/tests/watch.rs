//! The monitor that waits for the end of the postmaster: the tables.

use std::time::Duration;

use crate::instance::watch::{AfterEnd, Moment, Operation, after_end, complaint};
use crate::instance::{ClusterState, Postmaster};
use crate::record::Sighting;
use crate::testing::check_rows;

const NOW: f64 = 1_795_000_000.0;
const BOOT: &str = "boot";

fn seconds(word: &str) -> Duration {
    Duration::from_secs_f64(word.parse().unwrap())
}

fn operation(words: &[&str]) -> Operation {
    Operation {
        of_primary: words[0] == "primary",
        interval: seconds(words[1]),
        timeout: seconds(words[2]),
        wait: seconds(words[3]),
    }
}

fn before(ago: &str) -> Duration {
    Duration::from_secs_f64(NOW - ago.parse::<f64>().unwrap())
}

fn sighting(word: &str, operation: &Operation) -> Option<Sighting> {
    let (boot, interval, times) = match word {
        "-" => return None,
        "other-boot" => ("other", operation.interval, "1/1"),
        "other-interval" => (BOOT, operation.interval * 2, "1/1"),
        times => (BOOT, operation.interval, times),
    };
    let (seen, asked) = times.split_once('/').unwrap();
    Some(Sighting {
        pid: 4711,
        started: 5000,
        boot: boot.to_owned(),
        interval,
        seen: before(seen),
        asked: before(asked),
    })
}

#[test]
fn every_row_of_the_table_of_waits_holds() {
    check_rows(include_str!("../testdata/watch.txt"), |words| {
        let operation = operation(words);
        let left = sighting(words[4], &operation);
        let now = Moment {
            since_epoch: Duration::from_secs_f64(NOW),
            boot: BOOT,
        };
        match left.filter(|seen| operation.waits_for(seen, &now)) {
            None => "look",
            Some(seen) => {
                let then = Moment {
                    since_epoch: now.since_epoch + operation.wait,
                    ..now
                };
                match operation.is_to_ask(&seen, &then) {
                    true => "wait asks",
                    false => "wait answers",
                }
            }
        }
        .to_owned()
    });
}

#[test]
fn every_row_of_the_table_of_ends_holds() {
    check_rows(include_str!("../testdata/ends.txt"), |words| {
        let now = match words[0] {
            "alive" => Some(Postmaster::Alive(4712)),
            "single-user" => Some(Postmaster::SingleUser(4712)),
            "left-behind" => Some(Postmaster::LeftBehind(5)),
            "nothing" => Some(Postmaster::None),
            "unknown" => None,
            word => panic!("{word:?}"),
        };
        let state = words[1].replace('-', " ");
        let control = (words[1] != "unread").then(|| ClusterState::named(&state).unwrap());
        match after_end(now, control) {
            AfterEnd::Crashed => "crashed",
            AfterEnd::AwaitRestart => "await",
            AfterEnd::Look => "look",
        }
        .to_owned()
    });
}

#[test]
fn what_keeps_it_from_waiting_is_said() {
    let obstacle = |words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        operation(&words).obstacle().map(|why| why.to_string())
    };
    assert_eq!(obstacle("primary 1 60 5"), None);
    for (words, why) in [
        ("primary 1 60 0", "watch is 0"),
        ("standby 1 60 5", "its role is not Promoted"),
        ("primary 15 60 5", "its interval is longer than 5s"),
        (
            "primary 1 10 5",
            "its timeout is shorter than 20s, 4 times watch",
        ),
    ] {
        assert_eq!(obstacle(words).as_deref(), Some(why));
    }
}

#[test]
fn an_admin_is_told_where_a_crash_would_be_noticed_late() {
    let told = |lines: &[&str]| {
        let words = lines.iter().map(|line| line.split(' ').collect::<Vec<_>>());
        let monitors: Vec<_> = words.map(|words| operation(&words)).collect();
        complaint(&monitors, monitors[0].wait)
    };
    assert_eq!(told(&["primary 1 60 5", "standby 16 10 5"]), None);
    assert_eq!(told(&["primary 15 10 5", "primary 1 60 5"]), None);
    assert_eq!(told(&["primary 15 10 0"]), None);
    let late = told(&["primary 15 10 5", "standby 1 60 5"]).unwrap();
    assert!(
        late.starts_with("No monitor of the primary waits"),
        "{late}"
    );
    let short = told(&["primary 1 10 5", "standby 16 10 5"]).unwrap();
    assert!(
        short.ends_with("its timeout is shorter than 20s, 4 times watch"),
        "{short}"
    );
}

#[test]
fn a_look_has_the_usual_time_and_more_where_an_admin_gives_more() {
    let longest = |words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        operation(&words).longest_look().map(|time| time.as_secs())
    };
    assert_eq!(longest("primary 1 60 5"), Some(10));
    assert_eq!(longest("primary 1 20 5"), Some(10));
    assert_eq!(longest("primary 1 120 5"), Some(20));
    assert_eq!(longest("primary 15 10 5"), None);
    let run = |words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        operation(&words).longest_run().map(|time| time.as_secs())
    };
    assert_eq!(run("primary 1 60 5"), Some(20));
    assert_eq!(run("primary 1 120 10"), Some(35));
    assert_eq!(run("standby 1 60 5"), None);
}
