//! Data that left the primary's branch: what a start does with them, and that a rewind
//! which breaks off is never started from.

use super::bench::{Bench, lsn, soon};
use crate::instance::{ClusterState, Role};
use crate::ocf::{OcfExit, Rejoin};
use crate::postgres::fake_instance::Processes;
use crate::postgres::{Found, RewindError};
use crate::steps::rejoin::prepare;
use crate::testing::journal::{Trouble, unless_killed};
use crate::testing::{in_ms, node};
use crate::wal::notation::position;

pub const FORK: &str = "0/3000000";
pub const OURS: &str = "1@0/4000000";
const THEIRS: &str = "2@0/5000000<1@0/3000000";

/// `n1` is to be rewound: it holds more of timeline 1 than `n2` went on from.
pub fn to_be_rewound() -> Bench {
    holding(OURS)
}

fn holding(held: &str) -> Bench {
    let mut bench = Bench::stopped(held);
    bench.server.parameters.rejoin = Rejoin::Rewind;
    bench.elected("n2", 2, "2@0/3000000<1@0/3000000");
    bench.elected("n1", 1, "1@0/0");
    bench.server.data().source = (lsn(FORK), position(THEIRS));
    bench
}

pub fn prepare(bench: &Bench) -> Result<Option<crate::election::Diverged>, String> {
    let prepared = prepare::prepare(&bench.server, &bench.cluster, soon());
    prepared.map_err(|failure| failure.reason)
}

/// What diverged is started as a standby that follows nobody, as it was.
fn assert_left_alone(bench: &Bench) {
    let found = prepare(bench).unwrap().unwrap();
    assert_eq!(found.primary, node("n2"));
    let data = bench.server.data();
    assert_eq!((data.mark, data.standby_signal), (Found::Nothing, true));
    assert!(!data.half_rewound && data.end == lsn("0/4000000"));
}

#[test]
fn where_nothing_has_diverged_nothing_is_done() {
    for held in ["1@0/2000000", THEIRS, "2@0/3000000<1@0/3000000"] {
        let bench = holding(held);
        assert_eq!(prepare(&bench), Ok(None));
        assert!(bench.effects().is_empty(), "{held}");
    }
}

#[test]
fn without_a_cluster_nothing_is_known_to_have_diverged() {
    let bench = to_be_rewound();
    bench.journal.fail_after(0, "permanent");
    assert_eq!(prepare(&bench), Ok(None));
    assert!(bench.effects().is_empty());
}

#[test]
fn where_nobody_asked_for_a_rewind_what_diverged_is_left_alone() {
    let mut bench = to_be_rewound();
    bench.server.parameters.rejoin = Rejoin::Follow;
    assert_left_alone(&bench);
    assert!(bench.effects().is_empty());
}

#[test]
fn a_rewind_leaves_the_nodes_own_files_a_signal_and_no_mark() {
    let bench = to_be_rewound();
    assert_eq!(prepare(&bench), Ok(None));
    let order = [
        "keep WAL from 0/3000000 to 0/4000000",
        "set mark 0/3000000",
        "rewind",
        "restore files",
        "write standby.signal",
        "n1: ledger",
        "remove mark",
        "n1: no reign-pgsqld",
        "n1: no claim-pgsqld",
    ];
    assert_eq!(bench.effects(), order);
    let data = bench.server.data();
    assert!(data.own_files && data.standby_signal && data.end == lsn("0/5000000"));
}

#[test]
fn a_rewind_that_would_fail_changes_nothing() {
    let bench = to_be_rewound();
    let words = "could not find previous WAL record".to_owned();
    bench
        .server
        .data()
        .complaints
        .push_back(RewindError::Failed(words));
    assert_left_alone(&bench);
    assert!(bench.effects().is_empty());
}

#[test]
fn a_primary_that_is_just_coming_up_is_waited_for() {
    let bench = to_be_rewound();
    bench
        .server
        .data()
        .complaints
        .push_back(RewindError::NothingToDo);
    let prepared = prepare::prepare(&bench.server, &bench.cluster, in_ms(2_000));
    assert_eq!(prepared, Ok(None));
    assert_eq!(bench.journal.times("rewind"), 1);
}

#[test]
fn a_primary_that_does_not_come_leaves_what_diverged_alone() {
    let bench = to_be_rewound();
    bench.journal.fail_after(0, "preview");
    assert_left_alone(&bench);
}

#[test]
fn a_server_that_is_not_the_elected_one_is_not_rewound_from() {
    let bench = to_be_rewound();
    bench.server.data().source.0 = lsn("0/2000000");
    assert_left_alone(&bench);
    assert!(bench.effects().is_empty());
}

#[test]
fn a_file_in_the_way_of_pg_rewind_is_found_before_it_begins() {
    let bench = to_be_rewound();
    bench.server.data().foreign_file = Some("/data/base/1/2".into());
    assert_left_alone(&bench);
    assert!(bench.effects().is_empty());
}

/// A crashed one must replay its WAL first, for which the signal goes: a start in
/// between would open it as a primary.
#[test]
fn a_crashed_server_is_a_standby_again_where_the_rewind_cannot_work() {
    let bench = to_be_rewound();
    bench.server.data().control.state = ClusterState::InArchiveRecovery;
    let words = "source and target are of different systems".to_owned();
    bench
        .server
        .data()
        .complaints
        .push_back(RewindError::Failed(words));
    assert_left_alone(&bench);
    let order = [
        "set mark 0/3000000",
        "remove standby.signal",
        "recover",
        "write standby.signal",
        "remove mark",
    ];
    assert_eq!(bench.effects(), order);
}

#[test]
fn a_rewind_that_breaks_off_is_a_failure_and_the_next_start_resumes_it() {
    let mut bench = to_be_rewound();
    bench.server.data().breaks_off = Some("could not fetch file");
    let reason = prepare(&bench).unwrap_err();
    assert_eq!(
        reason,
        "Not started: the data directory is only half rewound (see log): could not fetch file"
    );
    assert!(matches!(bench.server.data().mark, Found::Here { .. }));

    // Also where nobody wants it any more: there is no way back.
    bench.server.parameters.rejoin = Rejoin::Follow;
    assert_eq!(prepare(&bench), Ok(None));
    assert_eq!(bench.server.data().mark, Found::Nothing);
    assert!(bench.server.data().own_files);
}

#[test]
fn what_is_half_rewound_is_started_by_nobody() {
    let bench = to_be_rewound();
    bench.server.data().breaks_off = Some("could not fetch file");
    assert!(bench.bring_up(soon()).with_rejoin().is_err());
    bench.journal.fail_after(0, "preview");
    assert!(bench.bring_up(soon()).with_rejoin().is_err());
    assert!(bench.bring_up(soon()).without_look().is_err());
    assert_eq!(bench.journal.times("start"), 0);
}

#[test]
fn one_that_was_killed_after_its_end_is_finished_and_not_done_again() {
    let bench = to_be_rewound();
    bench.journal.trouble("rewind", Trouble::KilledAfter, 1);
    assert!(unless_killed(|| prepare(&bench)).is_none());
    bench.journal.forget();
    assert_eq!(prepare(&bench), Ok(None));
    bench
        .journal
        .assert_order(&["sync disks", "restore", "write", "remove mark"]);
    assert_eq!(bench.journal.times("rewind"), 0);
}

#[test]
fn one_that_was_killed_before_pg_rewind_wrote_anything_is_begun_again() {
    let bench = to_be_rewound();
    bench.server.data().control.state = ClusterState::InArchiveRecovery;
    bench.journal.trouble("set_mark", Trouble::KilledAfter, 1);
    assert!(unless_killed(|| prepare(&bench)).is_none());
    assert_eq!(prepare(&bench), Ok(None));
    assert_eq!(bench.journal.times("rewind"), 1);
}

#[test]
fn one_whose_end_may_not_have_reached_the_disk_is_refused() {
    let bench = to_be_rewound();
    bench.journal.trouble("rewind", Trouble::KilledAfter, 1);
    assert!(unless_killed(|| prepare(&bench)).is_none());
    bench.server.data().lose_power();
    bench.journal.forget();
    assert!(bench.bring_up(soon()).with_rejoin().is_err());
    assert!(bench.effects().is_empty());
}

#[test]
fn the_mark_of_a_directory_that_was_rebuilt_since_goes() {
    let bench = Bench::stopped(THEIRS);
    bench.server.data().mark = Found::OfOtherData;
    assert_eq!(prepare(&bench), Ok(None));
    assert_eq!(bench.effects(), ["remove mark"]);
}

#[test]
fn where_the_mark_cannot_be_read_nothing_is_started() {
    let bench = to_be_rewound();
    bench.journal.fail("mark", 1);
    assert!(bench.bring_up(soon()).with_rejoin().is_err());
    assert!(bench.effects().is_empty());
}

/// Wherever the agent is killed, the next start brings the node to the primary's branch,
/// as a standby with its own files, or says why not; and no start ever opens it.
#[test]
fn a_start_that_is_killed_anywhere_is_finished_by_the_next_one() {
    for (state, trouble) in [
        (ClusterState::ShutDownInRecovery, Trouble::KilledBefore),
        (ClusterState::ShutDownInRecovery, Trouble::KilledAfter),
        (ClusterState::InArchiveRecovery, Trouble::KilledBefore),
        (ClusterState::InArchiveRecovery, Trouble::KilledAfter),
    ] {
        for index in 0.. {
            let bench = to_be_rewound();
            bench.server.data().control.state = state;
            bench.journal.trouble_at(index, trouble);
            let whole = unless_killed(|| bench.bring_up(soon()).with_rejoin());
            if bench.processes() == Processes::Nothing {
                assert_eq!(
                    bench.bring_up(soon()).with_rejoin(),
                    Ok(OcfExit::Success),
                    "{state:?} {trouble:?} {:#?}",
                    bench.effects()
                );
            }
            assert_eq!(bench.processes(), Processes::Alive(Role::Standby));
            let data = bench.server.data();
            assert!(data.own_files && data.end == lsn("0/5000000") && data.mark == Found::Nothing);
            if whole.is_some() {
                break;
            }
        }
    }
}
