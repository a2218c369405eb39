//! How a node becomes a candidate: by its vote, or by offering itself where nobody is one.

use super::bench::{Arrange, Bench, reign, soon};
use crate::election::Ballot;
use crate::instance::{NoAnswer, Role};
use crate::ocf::notify::Transition;
use crate::record::{Reign, Vote};
use crate::steps::bars;
use crate::steps::offer::if_nobody_is_a_candidate;
use crate::steps::vote::{cast, withdraw};
use crate::testing::node;

const HELD: &str = "2@0/4000000<1@0/3000000";
const VOTE: &str = "vote-pgsqld";
const SHARED: &str = "lsn_location-pgsqld";

fn standby() -> Bench {
    Bench::running(Role::Standby, HELD)
}

fn votes(bench: &Bench) -> [Option<String>; 2] {
    [VOTE, SHARED].map(|name| bench.cluster.value_of("n1", name))
}

#[test]
fn a_vote_says_what_the_node_holds_and_which_election_it_knows() {
    let bench = standby();
    bench.elected("n2", 4, "2@0/3000000<1@0/3000000");
    bench.elected("n3", 3, "1@0/0");
    cast(
        &bench.server,
        &bench.cluster,
        &Transition::default(),
        soon(),
    )
    .unwrap();
    let [own, shared] = votes(&bench).map(Option::unwrap);
    let wanted = "1;sys=7;tl=2;lsn=67108864;hist=1:50331648;term=4;age=3;data=131.1764.0;seen=";
    assert!(own.starts_with(wanted), "{own}");
    assert_eq!(shared, "2#67108864");
    let vote = Vote::decode(&own).unwrap();
    assert_eq!(vote.seen.reigns().len(), 2);
    withdraw(&bench.cluster).unwrap();
    assert_eq!(votes(&bench), [None, None]);
    assert_eq!(bench.cluster.kept().cib_writes, 0);
}

#[test]
fn a_node_that_cannot_vote_leaves_no_older_vote() {
    let troubles: [(&str, Arrange); 5] = [
        ("it is silent", |bench| {
            bench.server.instance().refuses = Some(NoAnswer::Silent);
        }),
        ("it replays", |bench| {
            bench.server.instance().replays_for = 999
        }),
        ("it is down", |bench| bench.server.instance().crash()),
        ("it is a primary", |bench| {
            bench.server.instance().run_as(Role::Primary)
        }),
        ("its control file", |bench| {
            bench.journal.fail("control_data", 9)
        }),
    ];
    for (what, trouble) in troubles {
        let bench = standby();
        for name in [VOTE, SHARED] {
            bench.cluster.with_private("n1", name, "old");
        }
        trouble(&bench);
        assert!(
            cast(
                &bench.server,
                &bench.cluster,
                &Transition::default(),
                soon()
            )
            .is_err(),
            "{what}"
        );
        assert_eq!(votes(&bench), [None, None], "{what}");
    }
}

fn offered(scores: &[(&str, i32)]) -> Bench {
    let bench = standby();
    for (node, score) in scores {
        bench.with_score(node, *score);
    }
    if_nobody_is_a_candidate(&bench.cluster, &bench.notes, "a test");
    bench
}

#[test]
fn where_nobody_has_a_score_the_node_offers_itself() {
    assert_eq!(offered(&[]).score("n1").as_deref(), Some("1"));
    let excluded = offered(&[("n2", -1000), ("n3", -1)]);
    assert_eq!(excluded.score("n1").as_deref(), Some("1"));
}

#[test]
fn where_somebody_is_a_candidate_nobody_offers_itself() {
    assert!(offered(&[("n2", 1)]).effects().is_empty());
    assert!(offered(&[("n3", 0)]).effects().is_empty());
}

#[test]
fn a_candidate_that_is_away_is_none() {
    let bench = standby();
    bench.with_score("n2", 1001);
    bench.cluster.kept().leave("n2");
    if_nobody_is_a_candidate(&bench.cluster, &bench.notes, "a test");
    assert_eq!(bench.score("n1").as_deref(), Some("1"));
}

/// How much it lacks is not known: only an admin may say so.
#[test]
fn a_node_that_the_last_primary_excluded_never_offers_itself() {
    let bench = offered(&[("n1", -1000), ("n2", -990)]);
    assert!(bench.effects().is_empty());
}

/// n2 was to be promoted in its place, in the election after the last reign.
#[test]
fn a_node_that_gave_way_in_vain_offers_itself_again() {
    let outvoted = |to: &str, term: u64| {
        let bench = standby();
        bench.with_score("n1", -1_000_001);
        bench.with_score("n2", 1000);
        bench.elected("n3", 4, "2@0/2000000");
        let mut ballot = Ballot::new(node("n1"));
        let known = Reign::decode(node("n3"), &reign(term, "2@0/2000000"));
        ballot.reigns.push(known.unwrap());
        bars::note_yield(&bench.notes, &ballot, &node(to));
        if_nobody_is_a_candidate(&bench.cluster, &bench.notes, "a test");
        bench.score("n1").unwrap()
    };
    assert_eq!(outvoted("gone", 4), "1");
    assert_eq!(outvoted("n2", 4), "-1000001");
    assert_eq!(outvoted("gone", 3), "-1000001");
}

#[test]
fn where_the_cluster_does_not_answer_nobody_offers_itself() {
    for method in ["permanent", "members", "node"] {
        let mut bench = standby();
        bench.cluster.named = false;
        bench.journal.fail(method, 1);
        if_nobody_is_a_candidate(&bench.cluster, &bench.notes, "a test");
        assert!(bench.effects().is_empty(), "{method}");
    }
}
