//! What holds for every election, likely or not.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::election::standing::Count;
use crate::election::verdict::{Ground, Warning};
use crate::election::{Ballot, Verdict, elect, explain};
use crate::ocf::NodeName;
use crate::record::reign::{Particulars, Stage};
use crate::record::{Evidence, Force, Reign, ShutdownCheckpoint, SyncRule, Vote};
use crate::testing::node;
use crate::wal::notation::{place, position};
use crate::wal::{Position, Relation, SystemId};

const NAMES: [&str; 4] = ["n1", "n2", "n3", "n4"];

/// Branches as a cluster makes them, and as it should not.
const PLACES: [&str; 14] = [
    "1@0/80",
    "1@0/100",
    "1@0/101",
    "1@0/180",
    "2@0/100<1@0/100",
    "2@0/120<1@0/100",
    "2@0/90<1@0/100",
    "2@0/120<1@0/80",
    "2@0/180<1@0/100",
    "3@0/190<2@0/150<1@0/100",
    "3@0/160<2@0/120<1@0/80",
    "3@0/190<1@0/100",
    "4@0/300<3@0/190<?",
    "4@0/310<?",
];

fn positions() -> impl Strategy<Value = Position> {
    (prop::sample::select(PLACES.to_vec()), 0..20_u8).prop_map(|(text, odd)| Position {
        system: match odd {
            0 => None,
            1 => Some(SystemId::from(8)),
            _ => Some(SystemId::from(7)),
        },
        ..position(text)
    })
}

fn names() -> impl Strategy<Value = NodeName> {
    prop::sample::select(NAMES.to_vec()).prop_map(node)
}

fn votes() -> impl Strategy<Value = Vote> {
    (
        positions(),
        prop::option::of(0..4_u64),
        any::<Option<bool>>(),
    )
        .prop_map(|(position, term, ends_with_shutdown)| Vote {
            position,
            term,
            ends_with_shutdown,
            last_commit_age: None,
            data: None,
            fresh: None,
            ledger_is_unreadable: false,
            seen: Evidence::default(),
        })
}

fn reigns() -> impl Strategy<Value = Reign> {
    let sync = prop::sample::select(vec!["", "n2", "ANY 1 (n1, n2, n3)", "FIRST 2 (*)"]);
    (names(), 1..4_u64, any::<bool>(), positions(), sync).prop_map(
        |(primary, term, opened, branch, sync)| Reign {
            primary,
            term,
            stage: if opened {
                Stage::Opened
            } else {
                Stage::Claimed
            },
            branch,
            sync: SyncRule::parse(sync).unwrap(),
            particulars: Particulars::default(),
        },
    )
}

fn checkpoints() -> impl Strategy<Value = ShutdownCheckpoint> {
    let at = prop::sample::select(vec!["1@0/90", "1@0/100", "2@0/110", "2@0/180"]);
    let term = prop::option::of(0..4_u64);
    (names(), term, at).prop_map(|(node, term, at)| {
        let (timeline, lsn) = place(at);
        ShutdownCheckpoint {
            node,
            term,
            system: Some(SystemId::from(7)),
            timeline,
            lsn,
        }
    })
}

prop_compose! {
    fn ballots()(
        candidate in names(),
        voters in prop::collection::btree_set(names(), 0..4),
        votes in prop::collection::btree_map(names(), votes(), 0..5),
        scores in prop::collection::btree_map(names(), -1000..1001_i32, 0..4),
        checkpoints in prop::collection::btree_set(checkpoints(), 0..3),
        reigns in prop::collection::vec(reigns(), 0..4),
        flags in any::<(bool, bool)>(),
        demoted in prop::option::of(names()),
        force in prop::option::of(1..4_u32),
    ) -> Ballot {
        let mut ballot = Ballot::new(candidate);
        ballot.voters.extend(voters);
        ballot.known_nodes.extend(NAMES.map(node));
        ballot.votes = votes;
        ballot.scores = scores;
        ballot.shutdown_checkpoints = checkpoints;
        ballot.reigns = reigns;
        (ballot.wait_is_over, ballot.sync_guard) = flags;
        ballot.demoted = demoted;
        let force = force.map(|timeline| Force::decode(&timeline.to_string()).unwrap());
        ballot.forces.extend(force.map(|force| (ballot.candidate.clone(), force)));
        ballot
    }
}

/// The voters that can be elected.
fn electable(ballot: &Ballot) -> Vec<Position> {
    let count = Count::of(ballot);
    let electable = count.electable().into_iter();
    electable.map(|(_, held)| held.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nobody_is_promoted_below_a_voter(ballot in ballots()) {
        if let Verdict::Promote { .. } = elect(&ballot) {
            let own = &ballot.votes[&ballot.candidate].position;
            for other in electable(&ballot) {
                prop_assert_ne!(own.compare(&other), Relation::Behind, "{} < {}", own, other);
            }
        }
    }

    #[test]
    fn who_is_yielded_to_does_not_yield_back(ballot in ballots()) {
        let verdict = elect(&ballot);
        if let Verdict::Yield { to, .. } = &verdict {
            let mut second = Ballot { candidate: to.clone(), ..ballot.clone() };
            second.scores.extend(verdict.scores(&ballot, 0));
            if let Verdict::Yield { to, .. } = elect(&second) {
                prop_assert_ne!(to, ballot.candidate);
            }
        }
    }

    #[test]
    fn the_wait_ends(ballot in ballots()) {
        let ballot = Ballot { wait_is_over: true, ..ballot };
        let verdict = elect(&ballot);
        let waits = matches!(verdict, Verdict::Wait { .. });
        prop_assert!(!waits);
    }

    #[test]
    fn reasons_fit_into_an_exit_reason(ballot in ballots()) {
        let reason = match elect(&ballot) {
            Verdict::Yield { reason, .. } => reason.to_string(),
            Verdict::Refuse { reason } => reason.to_string(),
            _ => String::new(),
        };
        prop_assert!(reason.len() <= 100, "{} bytes: {reason}", reason.len());
    }

    #[test]
    fn a_forced_promotion_says_what_it_overrides(ballot in ballots()) {
        if let Verdict::Promote { ground, warnings } = elect(&ballot) {
            let forced = warnings.iter().any(|warning| matches!(warning, Warning::Forced(_)));
            prop_assert_eq!(forced, ground == Ground::Forced);
            let without = Ballot { forces: BTreeMap::new(), ..ballot };
            let alone = matches!(elect(&without), Verdict::Promote { .. });
            prop_assert!(forced || alone);
        }
    }

    #[test]
    fn everything_can_be_explained(ballot in ballots()) {
        for line in explain(&ballot, &elect(&ballot), "pgsqld") {
            prop_assert!(!line.is_empty() && line.len() < 400 && !line.contains('\n'), "{line}");
        }
    }
}
