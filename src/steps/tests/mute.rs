//! A node that could not vote, and when it says that it can again.

use super::bench::{Bench, soon};
use crate::instance::{NoAnswer, Role};
use crate::steps::mute;

const HELD: &str = "2@0/3000000<1@0/2000000";
const WRITTEN: &str = "voter-pgsqld";

#[test]
fn pacemaker_is_told_once_and_only_when_this_node_could_vote() {
    let bench = Bench::running(Role::Standby, HELD);
    let monitor = || mute::report_the_end(&bench.server, &bench.cluster, &bench.notes, soon());
    monitor();
    assert_eq!(bench.cluster.value_of("n1", WRITTEN), None, "it had voted");

    mute::remember(&bench.notes);
    bench.server.instance().refuses = Some(NoAnswer::Full);
    monitor();
    assert_eq!(bench.cluster.value_of("n1", WRITTEN), None, "it is mute");

    bench.server.instance().refuses = None;
    bench.journal.fail("set_transient", 1);
    monitor();
    assert_eq!(bench.cluster.value_of("n1", WRITTEN), None);
    monitor();
    assert!(bench.cluster.value_of("n1", WRITTEN).is_some());
    bench.journal.forget();
    monitor();
    assert_eq!(bench.effects(), Vec::<String>::new());
}

#[test]
fn who_follows_a_primary_has_nothing_to_say() {
    let bench = Bench::running(Role::Standby, HELD);
    mute::remember(&bench.notes);
    mute::forget(&bench.notes);
    mute::report_the_end(&bench.server, &bench.cluster, &bench.notes, soon());
    assert_eq!(bench.effects(), Vec::<String>::new());
}
