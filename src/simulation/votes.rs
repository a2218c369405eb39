//! What becomes of a node's vote between two elections.

use std::time::Duration;

use super::fleet::{Fleet, List, NAMES};
use crate::instance::NoAnswer;
use crate::ocf::time::in_tests;
use crate::ocf::{OcfExit, Outcome};

const ALL: List<'_> = ("active", "n1 n2 n3");
const SUCCESS: Outcome = Ok(OcfExit::Success);

/// `n1` was elected, and nobody follows it.
fn elected() -> Fleet {
    let fleet = Fleet::holding("1@0/3000000");
    for name in NAMES {
        assert_eq!(fleet.start(name), SUCCESS);
    }
    let promoted = fleet.promote("n1", &[ALL, ("promote", "n1")]);
    assert_eq!(promoted, SUCCESS);
    fleet
}

fn vote_again(fleet: &Fleet) {
    fleet.tell(["pre", "promote"], &[ALL, ("promote", "n2")]);
}

/// It is there to take back the vote of the election before.
#[test]
fn a_monitor_between_a_vote_and_its_election_leaves_the_vote() {
    let fleet = elected();
    // Long after the first election.
    in_tests::begin(Duration::ZERO);
    vote_again(&fleet);
    assert_eq!(fleet.monitor("n3"), SUCCESS);
    in_tests::end();
    assert!(fleet.cluster().value_of("n3", "vote-pgsqld").is_some());
}

/// To say so would throw away the transition that runs.
#[test]
fn a_node_that_has_voted_since_does_not_say_that_it_can() {
    let mut fleet = elected();
    let said = |fleet: &Fleet| fleet.cluster().value_of("n3", "voter-pgsqld");
    fleet.server("n3").instance().refuses = Some(NoAnswer::Full);
    vote_again(&fleet);
    fleet.server("n3").instance().refuses = None;
    vote_again(&fleet);
    assert_eq!(fleet.monitor("n3"), SUCCESS);
    assert_eq!(said(&fleet), None);

    fleet.server("n3").instance().refuses = Some(NoAnswer::Full);
    vote_again(&fleet);
    fleet.server("n3").instance().refuses = None;
    assert_eq!(fleet.monitor("n3"), SUCCESS);
    assert!(said(&fleet).is_some());
}
