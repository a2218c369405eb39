//! What start does with a data directory: the table.

use crate::instance::rejoin::plan::{Facts, Interrupted, decide};
use crate::ocf::Rejoin;
use crate::record::Divergence;
use crate::testing::check_rows;
use crate::wal::{Lsn, Timeline};

fn facts(words: &[&str]) -> Facts {
    let [marker, wish, data, stopped, hints, pages, conninfo] = *words else {
        panic!("seven columns wanted: {words:?}")
    };
    Facts {
        interrupted: match marker {
            "-" => None,
            "unfinished" => Some(Interrupted::Unfinished),
            "finished" => Some(Interrupted::Finished),
            "unsynced" => Some(Interrupted::FinishedUnsynced),
            other => panic!("{other}"),
        },
        wish: if wish == "rewind" {
            Rejoin::Rewind
        } else {
            Rejoin::Follow
        },
        divergence: match data {
            "fits" => None,
            "left" => Some(Divergence::Left {
                timeline: Timeline::FIRST,
                lsn: Lsn::from(2),
                fork: Lsn::from(1),
            }),
            "other" => Some(Divergence::OtherSystem),
            other => panic!("{other}"),
        },
        stopped: stopped == "clean",
        hints_logged: hints == "hints",
        full_page_writes: match pages {
            "pages" => Some(true),
            "torn" => Some(false),
            _ => None,
        },
        reachable: conninfo == "conninfo",
    }
}

#[test]
fn every_row_of_the_table_of_rejoins_holds() {
    check_rows(include_str!("../testdata/rejoin.txt"), |words| {
        decide(&facts(words)).to_string()
    });
}
