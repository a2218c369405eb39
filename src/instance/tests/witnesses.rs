//! What runs of an instance: the table of witnesses.

use crate::instance::Postmaster;
use crate::instance::postmaster_pid::PidFileError;
use crate::instance::witnesses::{Doubt, Lock, Memory, Named, Place, Witnesses};
use crate::testing::check_rows;

fn named(word: &str) -> Option<Named> {
    let words: Vec<_> = word.split('+').collect();
    let place = match words[0] {
        "-" => return None,
        "here" => Place::Here,
        "elsewhere" => Place::Elsewhere,
        "unseen" => Place::Unseen,
        other => panic!("{other}"),
    };
    Some(Named {
        pid: 4711,
        place,
        has_servers_name: words.contains(&"name"),
        started_then: words.contains(&"start"),
        made_memory: words.contains(&"maker"),
    })
}

fn witnesses(words: &[&str]) -> Witnesses {
    let [lock, process, here, unseen, memory, control] = *words else {
        panic!("six columns wanted: {words:?}")
    };
    Witnesses {
        lock: match lock {
            "none" => Lock::Absent,
            "broken" => Lock::Broken(PidFileError::Pid(String::new())),
            "server" => Lock::Server,
            "single" => Lock::SingleUser,
            other => panic!("{other}"),
        },
        named: named(process),
        here: here.parse().unwrap(),
        unseen: (unseen == "yes").then_some(4712),
        memory: match memory {
            "free" => Memory::Free,
            "attached" => Memory::Attached(2),
            "unknown" => Memory::Unknown,
            other => panic!("{other}"),
        },
        shut_down: control == "down",
    }
}

#[test]
fn every_row_of_the_table_of_witnesses_holds() {
    check_rows(
        include_str!("../testdata/witnesses.txt"),
        |words| match witnesses(words).finding() {
            Ok(Postmaster::Alive(_)) => "postmaster".to_owned(),
            Ok(Postmaster::SingleUser(_)) => "single-user".to_owned(),
            Ok(Postmaster::LeftBehind(left)) => format!("left {left}"),
            Ok(Postmaster::None) => "nothing".to_owned(),
            Err(Doubt::Lock(_)) => "broken lock".to_owned(),
            Err(Doubt::Unseen(_)) => "not seen".to_owned(),
        },
    );
}
