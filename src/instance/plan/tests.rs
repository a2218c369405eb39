//! Holds the plans to their table.

use super::*;
use crate::instance::NoAnswer;

const TABLE: &str = include_str!("../testdata/plans.txt");

fn verb(word: &str) -> Verb {
    match word {
        "start" => Verb::Start,
        "stop" => Verb::Stop,
        "promote" => Verb::Promote,
        "demote" => Verb::Demote,
        other => panic!("no verb {other:?}"),
    }
}

fn state(words: &str) -> State {
    let why = NoAnswer::Full;
    match words {
        "running primary" => State::Running(Role::Primary),
        "running standby" => State::Running(Role::Standby),
        "busy primary" => State::Busy(Role::Primary, why),
        "busy standby" => State::Busy(Role::Standby, why),
        "on its way" => State::Transient(NoAnswer::NotYet("starting up".to_owned())),
        "failing" => State::Failing(NoAnswer::Silent),
        "stopped primary" => State::Stopped(Role::Primary),
        "stopped standby" => State::Stopped(Role::Standby),
        "crashed primary" => State::Crashed(Role::Primary),
        "crashed standby" => State::Crashed(Role::Standby),
        "left behind" => State::LeftBehind(3),
        "single-user" => State::SingleUser(4711),
        other => panic!("no state {other:?}"),
    }
}

fn step(step: &Step) -> &'static str {
    match step {
        Step::Validate => "validate",
        Step::BringUp => "bring up",
        Step::BringUpForElection => "bring up for the election",
        Step::BringUpUnlessStoppedNext => "bring up unless stopped next",
        Step::BeginUnlessStoppedNext => "begin unless stopped next",
        Step::WaitUntilUp => "wait until up",
        Step::Offer => "offer",
        Step::Checkpoint => "checkpoint",
        Step::StopPrimary => "stop the primary",
        Step::StopPrimaryForGood => "stop the primary for good",
        Step::StopStandby => "stop the standby",
        Step::StopByFiles => "stop by its files",
        Step::StopSilent => "stop the silent",
        Step::ClearLeftBehind => "clear what is left",
        Step::EndSingleUser => "end the single user",
        Step::PublishShutdown => "publish the shutdown checkpoint",
        Step::PublishShutdownIfAny => "publish a shutdown checkpoint if any",
        Step::PublishShutdownUnlessStandby => "publish unless a standby",
        Step::Elect => "elect",
        Step::ConfirmElected => "confirm it was elected",
    }
}

fn written(verb: Verb, state: &State) -> String {
    match plan(verb, state) {
        Ok([]) => "done".to_owned(),
        Ok(steps) => steps.iter().map(step).collect::<Vec<_>>().join(", "),
        Err(failure) => format!("refuse: {failure}"),
    }
}

#[test]
fn every_row_of_the_table_holds() {
    let rows = TABLE.lines().map(str::trim);
    let rows = rows.filter(|row| !row.is_empty() && !row.starts_with('#'));
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [word, words, wanted] = cells[..] else {
            panic!("three columns wanted: {row}")
        };
        assert_eq!(written(verb(word), &state(words)), wanted, "{row}");
        seen.insert((word, words));
    }
    assert_eq!(seen.len(), 4 * 12, "a verb or a state is missing");
}
