//! A rebuild by an admin: what a start makes of it, and what the node says of its new data.

use super::bench::Bench;
use super::rejoin::{FORK, to_be_rewound};
use crate::pacemaker::Cluster;
use crate::postgres::Rebuild;
use crate::steps::{evidence, lost, rebuild};
use crate::testing::{in_ms, node};

#[test]
fn data_that_are_whole_are_started_and_none_while_it_goes_on() {
    for (left, refusal) in [
        (Rebuild::Nothing, None),
        (Rebuild::Before, None),
        (Rebuild::After, None),
        (
            Rebuild::GoesOn,
            Some("an admin rebuilds this node at this moment"),
        ),
        (Rebuild::Without, Some("there are no data")),
    ] {
        let bench = Bench::stopped("1@0/4000000");
        bench.server.data().rebuild = left;
        let may = rebuild::before_start(&bench.server);
        match refusal {
            None => assert_eq!(may, Ok(()), "{left:?}"),
            Some(why) => assert!(may.unwrap_err().reason.contains(why), "{left:?}"),
        }
    }
}

/// What is in the data directory is never half made.
#[test]
fn a_mark_that_cannot_be_read_keeps_nothing_from_being_started() {
    let bench = Bench::stopped("1@0/4000000");
    bench.journal.fail_after(0, "rebuild");
    assert_eq!(rebuild::before_start(&bench.server), Ok(()));
}

#[test]
fn other_data_are_fresh_also_where_nothing_was_known_of_the_old_ones() {
    let bench = Bench::stopped("1@0/4000000");
    let permanent = bench.cluster.permanent().unwrap();
    assert!(!evidence::is_fresh(&bench.cluster, &node("n1")));
    let noted = evidence::expect_other_data(&bench.server, &bench.cluster, &permanent);
    assert_eq!(noted.ok(), Some(true));
    assert!(evidence::is_fresh(&bench.cluster, &node("n1")));
}

/// Else the new data would vouch for what the old ones confirmed.
#[test]
fn where_that_cannot_be_noted_it_is_told() {
    let bench = Bench::stopped("1@0/4000000");
    let permanent = bench.cluster.permanent().unwrap();
    bench.journal.fail_after(0, "keep_ledger");
    let noted = evidence::expect_other_data(&bench.server, &bench.cluster, &permanent);
    assert_eq!(noted.ok(), Some(false));
}

#[test]
fn what_is_behind_the_fork_is_kept_before_a_rebuild_and_nothing_else() {
    let bench = to_be_rewound();
    lost::keep_before_rebuild(&bench.server, &bench.cluster, in_ms(5_000));
    assert_eq!(
        bench.effects(),
        [format!("keep WAL from {FORK} to 0/4000000")]
    );
    let bench = Bench::stopped("1@0/4000000");
    lost::keep_before_rebuild(&bench.server, &bench.cluster, in_ms(5_000));
    assert!(bench.effects().is_empty());
}

/// It was asked for, and a node that stays away is the worse.
#[test]
fn a_rewind_goes_on_where_nothing_can_be_kept() {
    let bench = to_be_rewound();
    bench.journal.fail_after(0, "keep_lost");
    assert_eq!(super::rejoin::prepare(&bench), Ok(None));
    assert_eq!(bench.journal.times("rewind"), 1);
}
