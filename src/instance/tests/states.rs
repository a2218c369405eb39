//! What monitor answers: the table of states.

use std::time::Duration;

use crate::instance::{ControlData, NoAnswer, Observation, Postmaster, Role, State};
use crate::ocf::{Failure, OcfExit};
use crate::testing::check_rows;

fn control(state: &str) -> Option<ControlData> {
    if state == "unread" {
        return None;
    }
    let output = format!(
        "Database system identifier: 7301234567890123456\n\
         Database cluster state: {}\n\
         Latest checkpoint location: 0/3000060\n\
         Latest checkpoint's TimeLineID: 1\n\
         Min recovery ending loc's timeline: 0\n\
         Minimum recovery ending location: 0/0\n\
         wal_level setting: replica\n\
         max_connections setting: 100\n\
         max_worker_processes setting: 8\n\
         max_wal_senders setting: 10\n\
         max_prepared_xacts setting: 0\n\
         max_locks_per_xact setting: 64\n\
         wal_log_hints setting: on\n\
         Data page checksum version: 0\n\
         Bytes per WAL segment: 16777216\n",
        state.replace('-', " ")
    );
    Some(ControlData::parse(&output).unwrap())
}

fn observation(words: &[&str]) -> Observation {
    let [postmaster, answer, state, more @ ..] = words else {
        panic!("three columns wanted: {words:?}")
    };
    let seconds = more.iter().find_map(|word| word.strip_suffix('s'));
    let (postmaster, answer) = (*postmaster, *answer);
    Observation {
        postmaster: match postmaster {
            "alive" => Postmaster::Alive(4711),
            "left-behind" => Postmaster::LeftBehind(3),
            "single-user" => Postmaster::SingleUser(4711),
            "none" => Postmaster::None,
            other => panic!("{other}"),
        },
        answer: match answer {
            "-" => None,
            "primary" => Some(Ok(Role::Primary)),
            "standby" => Some(Ok(Role::Standby)),
            "not-yet" => Some(Err(NoAnswer::NotYet("starting up".into()))),
            "full" => Some(Err(NoAnswer::Full)),
            "login" => Some(Err(NoAnswer::Login("no pg_hba.conf entry".into()))),
            "silent" => Some(Err(NoAnswer::Silent)),
            "frozen" => Some(Err(NoAnswer::Frozen)),
            "not-listening" => Some(Err(NoAnswer::NotListening)),
            "cut-off" => Some(Err(NoAnswer::CutOff)),
            code => Some(Err(NoAnswer::of_code(code, "in the server's words"))),
        },
        control: control(state),
        stopping: more.contains(&"stopping"),
        starting: more.contains(&"starting"),
        standby_signal: more.contains(&"signal"),
        recovering_for: seconds.map(|text| Duration::from_secs(text.parse().unwrap())),
    }
}

fn code(outcome: Result<OcfExit, Failure>) -> u8 {
    outcome.unwrap_or_else(|failure| failure.exit).code()
}

#[test]
fn every_row_of_the_table_of_states_holds() {
    check_rows(include_str!("../testdata/states.txt"), |words| {
        let state = State::of(&observation(words));
        let [monitor, probe] = [false, true].map(|probe| code(state.monitor(probe)));
        format!("{monitor} {probe}")
    });
}
