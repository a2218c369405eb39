//! How facts are made from what was observed.

use std::collections::BTreeMap;

use crate::ocf::NodeName;
use crate::record::{Evidence, Reign, ShutdownCheckpoint, Vote};
use crate::testing::node;
use crate::wal::notation::{SYSTEM, place, position};
use crate::wal::{Place, SystemId};

/// A claim of `name` in the election of this number.
fn elected(name: &str, term: u64) -> Reign {
    Reign {
        term,
        ..Reign::claim(node(name), position("1@0/100"), None, 1)
    }
}

fn checkpoint(name: &str, at: &str, reigns: Option<&[Reign]>) -> ShutdownCheckpoint {
    let (timeline, lsn) = place(at);
    let start = Place { timeline, lsn };
    ShutdownCheckpoint::of(node(name), SystemId::from(SYSTEM), start, reigns)
}

#[test]
fn a_vote_knows_the_last_election() {
    let term = |reigns: &[Reign]| {
        let seen = Evidence::of(reigns.to_vec());
        Vote::cast(position("1@0/100"), seen, None).term
    };
    assert_eq!(term(&[]), Some(0));
    assert_eq!(term(&[elected("n2", 4), elected("n1", 3)]), Some(4));
}

/// It says which of the node's own reigns ended there: not the last of anybody.
#[test]
fn a_shutdown_checkpoint_knows_the_last_election_that_its_node_won() {
    let reigns = [elected("n1", 3), elected("n2", 4), elected("n1", 1)];
    let term = |name, reigns| checkpoint(name, "1@0/100", reigns).term;
    assert_eq!(term("n1", Some(&reigns[..])), Some(3));
    assert_eq!(term("n3", Some(&reigns[..])), Some(0));
    assert_eq!(term("n1", None), None);
}

#[test]
fn the_newest_shutdown_checkpoint_of_a_demoted_node_is_copied() {
    let line = |name, at| (node(name), checkpoint(name, at, None).encode());
    let published = BTreeMap::from([
        line("n1", "2@0/100"),
        line("n2", "3@0/50"),
        line("n3", "9@0/900"),
        (node("n4"), "no line".to_owned()),
    ]);
    let copied = |demoted: &[&str]| {
        let is_demoted = |node: &NodeName| demoted.contains(&node.as_str());
        ShutdownCheckpoint::to_copy(published.iter(), is_demoted)
    };
    assert_eq!(
        copied(&["n1", "n2", "n4"]),
        Some(published[&node("n2")].as_str())
    );
    assert_eq!(copied(&["n1"]), Some(published[&node("n1")].as_str()));
    assert_eq!(copied(&["n4", "n5"]), None);
}
