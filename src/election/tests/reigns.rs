//! What becomes of claims and reigns.

use crate::election::{Confirming, Diverged, EndOfClaim, elected_instead_of, taken_timelines};
use crate::record::reign::Stage;
use crate::record::{DataId, Divergence, Evidence, Reign, SyncRule, Vote};
use crate::testing::node;
use crate::wal::notation::position;
use crate::wal::{Lsn, Position, Timeline};

fn reign(sync: &str) -> Reign {
    let held = position("2@0/5000028<1@0/4000000");
    Reign::claim(node("n1"), held, SyncRule::parse(sync).unwrap(), 1)
}

#[test]
fn the_monitor_writes_a_reign_only_when_it_changes() {
    let claim = reign("n2");
    let primary = node("n1");
    let opened = position("3@0/6000000<2@0/5000000<1@0/4000000");
    let refresh = |known: &[Reign], sync: &str| {
        let confirming = Confirming {
            rule: SyncRule::parse(sync).unwrap(),
            senders: &[],
            nodes: ["n1", "n2", "n3"].map(node).into(),
        };
        Reign::refresh(&primary, (&opened, None), confirming, known)
    };
    let first = refresh(&[claim], "n2");
    assert_eq!((first.term, first.stage), (1, Stage::Opened));
    assert_eq!(first.branch.lsn, Lsn::from(0x500_0000));
    assert_eq!(refresh(std::slice::from_ref(&first), "n2"), first);
    let other_rule = refresh(std::slice::from_ref(&first), "n3");
    assert_eq!((other_rule.term, other_rule.particulars.revision), (1, 1));
    let later = Reign {
        primary: node("n2"),
        term: 5,
        ..first.clone()
    };
    assert_eq!(refresh(&[first, later], "n2").term, 6);
    assert_eq!(refresh(&[], "n2").term, 1);
}

/// A promotion that is asked for again has come true, unless it was by hand.
#[test]
fn a_primary_is_accepted_unless_another_node_was_elected_last() {
    let (own, other) = (reign(""), node("n2"));
    let later = Reign {
        primary: other.clone(),
        term: own.term + 1,
        ..own.clone()
    };
    let known = [later, own];
    assert_eq!(elected_instead_of(&node("n1"), &[]), None);
    assert_eq!(elected_instead_of(&node("n1"), &known[1..]), None);
    assert_eq!(elected_instead_of(&node("n1"), &known), Some(&other));
    assert_eq!(elected_instead_of(&other, &known), None);
}

/// srv3 opened timeline 3 and died before anybody connected; n1, on 2, claimed then.
#[test]
fn a_timeline_that_may_be_open_is_taken() {
    let timelines = |numbers: &[u32]| -> Vec<_> {
        let all = numbers.iter().map(|number| Timeline::new(*number).unwrap());
        all.collect()
    };
    let own = timelines(&[2])[0];
    let opened = Reign {
        stage: Stage::Opened,
        branch: position("3@0/5000028<2@0/5000028<1@0/4000000"),
        ..reign("")
    };
    let claim = Reign {
        term: 2,
        ..reign("")
    };
    let taken = |known: &[Reign]| taken_timelines(own, known);
    assert_eq!(taken(&[]), Ok(vec![]));
    assert_eq!(taken(std::slice::from_ref(&opened)), Ok(timelines(&[3])));
    assert_eq!(taken(&[claim, opened.clone()]), Ok(timelines(&[3, 4])));
    let damaged = Reign {
        branch: position("4000000000@0/5000028<2@0/5000028<1@0/4000000"),
        ..opened
    };
    assert_eq!(taken(&[damaged]), Err(timelines(&[4_000_000_000])[0]));
}

#[test]
fn a_claim_is_void_if_its_claimant_stayed_where_it_was() {
    let mut claim = reign("");
    claim.particulars.data = Some(DataId::of("1.1"));
    let vote = |held, data| Vote::cast(position(held), Evidence::default(), data);
    let (stayed, opened) = (
        "2@0/5000028<1@0/4000000",
        "3@0/5000100<2@0/5000028<1@0/4000000",
    );
    for data in [None, Some(DataId::of("1.1"))] {
        assert!(claim.is_void_given(Some(&vote(stayed, data.clone()))));
        assert!(!claim.is_void_given(Some(&vote(opened, data))));
    }
    assert!(!claim.is_void_given(None));
    // Rebuilt since: whether the old data came to a branch is not seen in the new ones.
    let rebuilt = Some(DataId::of("2.2"));
    assert!(!claim.is_void_given(Some(&vote(stayed, rebuilt))));
}

#[test]
fn a_claim_ends_by_what_its_node_holds() {
    let claim = reign("n2");
    let stayed = position("2@0/5000028<1@0/4000000");
    let opened = position("3@0/6000000<2@0/5000028<1@0/4000000");
    let end = |held: &Position, reign| EndOfClaim::of(claim.clone(), held, None, reign);
    assert_eq!(end(&stayed, None), EndOfClaim::NothingNew);
    let EndOfClaim::CameTrue(reign) = end(&opened, None) else {
        panic!("{:?}", end(&opened, None));
    };
    assert_eq!((reign.term, reign.stage), (claim.term, Stage::Opened));
    assert_eq!(reign.branch.lsn, Lsn::from(0x500_0028));
    assert_eq!(reign.sync, claim.sync);
    // The monitor was faster.
    assert_eq!(end(&opened, Some(&reign)), EndOfClaim::NothingNew);
    let mut of_others = claim.clone();
    of_others.particulars.data = Some(DataId::of("1.1"));
    let here = DataId::of("2.2");
    assert_eq!(
        EndOfClaim::of(of_others, &stayed, Some(&here), None),
        EndOfClaim::OfOtherData
    );
}

fn diverged(reigns: &[Reign], own: &str, held: &str) -> Option<Divergence> {
    let held = || Ok::<_, ()>(position(held));
    let found = Diverged::find(reigns, Some(&node(own)), held).unwrap();
    found.map(|diverged| diverged.how)
}

#[test]
fn a_node_has_diverged_where_it_holds_what_the_elected_branch_does_not() {
    let opened = Reign {
        stage: Stage::Opened,
        branch: position("2@0/100<1@0/100"),
        ..reign("")
    };
    let reigns = std::slice::from_ref(&opened);
    assert_eq!(diverged(reigns, "n2", "1@0/100"), None);
    assert_eq!(diverged(reigns, "n2", "2@0/180<1@0/100"), None);
    let how = Divergence::Left {
        timeline: Timeline::FIRST,
        lsn: Lsn::from(0x120),
        fork: Lsn::from(0x100),
    };
    assert_eq!(diverged(reigns, "n2", "1@0/120"), Some(how));
    // What cannot be told is not held against a node.
    assert_eq!(diverged(reigns, "n2", "3@0/120<?"), None);
}

/// Neither the elected primary itself, nor anybody before the claim has come true.
#[test]
fn nobody_has_diverged_from_himself_or_from_a_claim() {
    let look = || -> Result<Position, &str> { Err("it was looked at") };
    let opened = Reign {
        stage: Stage::Opened,
        ..reign("")
    };
    let own = Some(&opened.primary);
    assert_eq!(
        Diverged::find(std::slice::from_ref(&opened), own, look),
        Ok(None)
    );
    assert_eq!(Diverged::find(&[reign("")], None, look), Ok(None));
    assert_eq!(Diverged::find(&[], None, look), Ok(None));
    assert!(Diverged::find(std::slice::from_ref(&opened), None, look).is_err());
}
