//! Whether a node may be rebuilt: the table.

use std::path::PathBuf;

use crate::instance::Offered;
use crate::instance::rebuild::{
    Cluster, Facts, Place, Refusal, Source, Wish, refusal_of_switch, refusals,
};
use crate::record::Reign;
use crate::record::reign::Stage;
use crate::testing::{check_rows, node};
use crate::wal::{self, History, Lsn, Position, SystemId, Timeline};

const NO_LUCK: &str = "no such luck";

fn elected(word: &str) -> Option<Reign> {
    let branch = Position {
        system: Some(SystemId::from(7)),
        timeline: Timeline::new(2).unwrap(),
        lsn: Lsn::from(5),
        history: History::root(),
    };
    let mut reign = Reign::claim(node(word), branch, None, 3);
    reign.stage = Stage::Opened;
    Some(reign)
}

fn cluster([pacemaker, primary, last, record]: [&str; 4]) -> Cluster {
    let known = |word: &str| Some(word.to_owned()).filter(|word| word != "-");
    Cluster {
        here: Some(node("srv1")),
        resource: "pgsqld-clone".to_owned(),
        silence: (pacemaker == "silent").then(|| NO_LUCK.to_owned()),
        is_kept_off: pacemaker == "standby",
        primary: known(primary).map(|name| node(&name)),
        last: known(last).and_then(|name| elected(&name)),
        is_unreadable: record == "unreadable",
    }
}

fn place(word: &str) -> Place {
    let spaces = ["/a", "/b"].map(PathBuf::from);
    Place {
        is_link: word == "link",
        is_mount: word == "mount",
        wal: (word == "wal").then(|| PathBuf::from("/wal")),
        spaces: spaces.into_iter().filter(|_| word == "spaces").collect(),
    }
}

fn source(word: &str) -> Source {
    let offers = |system: u64, timeline| {
        Source::Answers(Offered {
            system: SystemId::from(system),
            place: wal::Place {
                timeline: Timeline::new(timeline).unwrap(),
                lsn: Lsn::from(9),
            },
        })
    };
    match word {
        "command" => Source::Command,
        "unknown" => Source::Unknown,
        "silent" => Source::Silent(NO_LUCK.to_owned()),
        "foreign" => offers(8, 2),
        "branch" => offers(7, 1),
        _ => offers(7, 2),
    }
}

fn judged(words: &[&str]) -> Vec<Refusal> {
    let [
        user,
        server,
        pacemaker,
        primary,
        last,
        record,
        of_place,
        wish,
        from,
    ] = *words
    else {
        panic!("nine columns wanted: {words:?}")
    };
    let facts = Facts {
        is_root: user == "root",
        runs: match server {
            "unseen" => Err(NO_LUCK.to_owned()),
            other => Ok(other == "runs"),
        },
        cluster: cluster([pacemaker, primary, last, record]),
        place: place(of_place),
        missing_program: (from == "missing").then(|| PathBuf::from("/bin/pg_basebackup")),
        source: source(from),
    };
    let wish = Wish {
        discard: wish == "discard",
        waldir: (wish == "waldir").then(|| PathBuf::from("/new")),
        mapped: [PathBuf::from("/a")]
            .into_iter()
            .filter(|_| wish == "map-a")
            .collect(),
    };
    refusals(&facts, &wish)
}

#[test]
fn every_row_of_the_table_of_rebuilds_holds() {
    check_rows(include_str!("../testdata/rebuild.txt"), |words| {
        let found: Vec<_> = judged(words).iter().map(Refusal::to_string).collect();
        if found.is_empty() {
            return "-".to_owned();
        }
        found.join("; ")
    });
}

/// What was so when the copy began says nothing hours later. That the node may be started by now does
/// not count: a start fails as long as it is rebuilt.
#[test]
fn before_the_old_data_go_it_counts_who_is_the_primary_then() {
    let against = |facts: [&str; 4], discard| {
        let wish = Wish {
            discard,
            ..Wish::default()
        };
        refusal_of_switch(&cluster(facts), &wish)
    };
    assert_eq!(against(["managed", "srv2", "srv2", "-"], false), None);
    let none = ["standby", "-", "srv2", "-"];
    assert_eq!(against(none, false), Some(Refusal::NoPrimary));
    assert_eq!(against(none, true), None);
    let own = against(["standby", "srv2", "srv1", "-"], false);
    assert_eq!(own, Some(Refusal::Elected(node("srv1"))));
    let silent = against(["silent", "srv2", "srv2", "-"], true);
    assert_eq!(silent, Some(Refusal::NoCluster(NO_LUCK.to_owned())));
}
