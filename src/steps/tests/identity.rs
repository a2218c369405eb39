//! A lock file that is another's, and a repair in single-user mode: no node is lost to them.

use super::bench::{Bench, soon};
use crate::instance::{Role, State};
use crate::ocf::OcfExit;
use crate::postgres::fake_instance::{Manners, Obeys, Processes};
use crate::steps::{single_user, state};

const HELD: &str = "1@0/3000000";

fn with_a_lock() -> Bench {
    let bench = Bench::stopped(HELD);
    bench.server.instance().lock_in_the_way = Some("it names process 7".to_owned());
    bench
}

#[test]
fn a_lock_of_nobodys_is_removed_before_the_start() {
    let bench = with_a_lock();
    assert_eq!(bench.bring_up(soon()).without_look(), Ok(OcfExit::Success));
    bench.journal.assert_order(&["remove lock", "start"]);
    assert_eq!(bench.journal.times("start"), 1);
}

#[test]
fn a_lock_is_kept_where_it_is_not_known_that_nothing_runs() {
    for left in [Processes::LeftBehind(1), Processes::Unseen] {
        let bench = with_a_lock();
        bench.server.instance().processes = left;
        assert!(bench.bring_up(soon()).without_look().is_err());
        assert_eq!(bench.journal.times("remove lock"), 0);
    }
}

#[test]
fn a_lock_that_cannot_be_removed_is_left_to_postgresql() {
    let bench = with_a_lock();
    bench.journal.fail("remove_lock", 1);
    let failure = bench.bring_up(soon()).without_look().unwrap_err();
    assert!(failure.reason.contains("lock file"), "{failure}");
}

fn in_repair(change: impl FnOnce(&mut Manners)) -> Bench {
    let bench = Bench::stopped(HELD);
    bench.server.instance().processes = Processes::SingleUser;
    change(&mut bench.server.instance().manners);
    bench
}

#[test]
fn a_repair_is_not_running_for_a_probe() {
    let bench = in_repair(|_| ());
    let state = state::now(&bench.server, soon()).unwrap();
    assert!(matches!(state, State::SingleUser(_)));
    assert_eq!(state.monitor(true), Ok(OcfExit::NotRunning));
    assert!(state.monitor(false).is_err());
    assert!(bench.effects().is_empty());
}

#[test]
fn a_stop_asks_a_repair_to_end_and_waits() {
    let bench = in_repair(|manners| manners.fast = Obeys::AfterLooks(3));
    let ended = single_user::end(&bench.server, soon());
    assert_eq!(ended, Ok(OcfExit::Success));
    assert_eq!(bench.effects(), ["end single user"]);
}

#[test]
fn a_repair_that_does_not_end_is_a_failure_and_is_not_killed() {
    let bench = in_repair(|manners| manners.fast = Obeys::Never);
    let failure = single_user::end(&bench.server, soon()).unwrap_err();
    assert!(failure.reason.contains("single-user"), "{failure}");
    assert_eq!(bench.effects(), ["end single user"]);
}

#[test]
fn a_server_that_runs_is_no_repair() {
    let bench = Bench::running(Role::Standby, HELD);
    assert!(single_user::end(&bench.server, soon()).is_err());
    assert!(bench.effects().is_empty());
}
