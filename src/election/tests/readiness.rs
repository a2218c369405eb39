//! Which standbys are ready, and what is said when that changes.

use std::collections::{BTreeMap, BTreeSet};

use super::scores::roster;
use crate::election::scores::{Concerns, News, Outlook, rank};
use crate::record::Constraint;
use crate::testing::{check, node};

/// What the standbys, and the configuration, say besides what scores depend on.
type Own = (BTreeMap<String, String>, BTreeSet<String>, Vec<Constraint>);

fn concerns(facts: &[&str]) -> Concerns {
    let is_own = |fact: &&str| {
        let own = ["diverged ", "unsound ", "barred "];
        own.iter().any(|word| fact.starts_with(word))
    };
    let (own, of_scores): (Vec<&str>, Vec<&str>) = facts.iter().partition(|fact| is_own(fact));
    let mut roster = roster(&of_scores);
    let (unsound, diverged, constraints) = owned(&own);
    roster.impaired = unsound.keys().map(|name| node(name)).collect();
    let ranking = rank(&roster);
    let mut unsound: BTreeMap<_, _> = unsound
        .into_iter()
        .map(|(name, why)| (node(&name), why))
        .collect();
    for name in &roster.unknown_error {
        unsound.insert(name.clone(), "it does not answer queries".to_owned());
    }
    let outlook = Outlook {
        roster: &roster,
        ranking: &ranking,
        unsound,
        diverged: diverged.iter().map(|name| node(name)).collect(),
        constraints,
    };
    outlook.concerns()
}

fn owned(facts: &[&str]) -> Own {
    let mut own = Own::default();
    for fact in facts {
        let words: Vec<_> = fact.splitn(3, ' ').map(str::to_owned).collect();
        match words.as_slice() {
            [word, name] if word == "diverged" => drop(own.1.insert(name.clone())),
            [word, name, why] if word == "unsound" => drop(own.0.insert(name.clone(), why.clone())),
            [word, name, id] if word == "barred" => own.2.push(Constraint {
                id: id.clone(),
                resource: "pgsqld-clone".to_owned(),
                node: Some(node(name)),
            }),
            other => panic!("unknown fact {other:?}"),
        }
    }
    own
}

#[test]
fn the_table_of_readiness_holds() {
    check(include_str!("../testdata/readiness.txt"), |facts| {
        let concerns = concerns(facts);
        let lines: Vec<_> = concerns.into_values().collect();
        lines.join("\n")
    });
}

#[test]
fn only_what_changes_is_said() {
    let of = |pairs: &[(&str, &str)]| -> Concerns {
        let pairs = pairs
            .iter()
            .map(|(who, what)| ((*who).to_owned(), (*what).to_owned()));
        pairs.collect()
    };
    let lags = of(&[("n2", "n2 could not be promoted now: it lags")]);
    let away = of(&[
        (" nobody", "Nobody could take over from this primary now"),
        ("n2", "n2 could not be promoted now: it is away"),
    ]);
    let news = |said: &Concerns, now: &Concerns| {
        let News { begun, over } = News::between(said, now);
        (begun.join("; "), over.join("; "))
    };
    let said = |begun: &str, over: &str| (begun.to_owned(), over.to_owned());
    assert_eq!(news(&of(&[]), &of(&[])), said("", ""));
    assert_eq!(
        news(&of(&[]), &lags),
        said("n2 could not be promoted now: it lags", "")
    );
    assert_eq!(news(&lags, &lags), said("", ""));
    let begun = "Nobody could take over from this primary now; n2 could not be promoted now: it is \
                 away";
    assert_eq!(news(&lags, &away), said(begun, ""));
    let over = "A standby can take over again; n2 could be promoted now";
    assert_eq!(news(&away, &of(&[])), said("", over));
}

/// The name of a node is no word of ours.
#[test]
fn a_node_may_be_called_nobody() {
    let facts = ["score n1 1001", "score Nobody -1000", "offline Nobody"];
    let now = concerns(&facts);
    let lines: Vec<_> = now.values().map(String::as_str).collect();
    let wanted = [
        "Nobody could take over from this primary now",
        "Nobody could not be promoted now: its node is not in the cluster",
    ];
    assert_eq!(lines[..2], wanted);
    let over = News::between(&now, &Concerns::new()).over;
    let wanted = [
        "A standby can take over again",
        "Nobody could be promoted now",
    ];
    assert_eq!(over[..2], wanted);
}
