//! Who confirms commits, as the primary puts it on record.

use crate::election::{Ballot, Confirming};
use crate::instance::replication::{Sender, SenderState};
use crate::record::confirmers::{EarlierRule, Names};
use crate::record::{Confirmers, Reign, SyncRule};
use crate::testing::{check, node};
use crate::wal::Place;
use crate::wal::Position;
use crate::wal::notation::{place, position};

fn sender(name: &str, confirms: bool) -> Sender {
    Sender {
        name: name.to_owned(),
        state: SenderState::Following,
        lag: Some(0),
        confirms,
    }
}

fn names(words: &[&str]) -> Names {
    words.iter().map(|name| name.replace("%20", " ")).collect()
}

fn earlier(until: &str, count: &str, words: &[&str]) -> EarlierRule {
    let (timeline, lsn) = place(until);
    EarlierRule {
        until: Place { timeline, lsn },
        confirmers: Confirmers {
            count: count.parse().unwrap(),
            names: names(words),
        },
    }
}

/// A primary in the middle of its reign.
struct Seen {
    before: Reign,
    rule: String,
    senders: Vec<Sender>,
    here: Position,
}

impl Seen {
    fn add(&mut self, fact: &str) {
        let words: Vec<&str> = fact.split_whitespace().collect();
        match words.as_slice() {
            ["before", rule @ ..] => self.before.sync = SyncRule::parse(&rule.join(" ")).unwrap(),
            ["names", words @ ..] => self.before.particulars.confirm = Some(names(words)),
            ["older", until, count, words @ ..] => {
                let older = earlier(until, count, words);
                self.before.particulars.older.push(older);
            }
            ["here", at] => self.here = position(&format!("{at}<1@0/0")),
            ["rule", rule @ ..] => self.rule = rule.join(" "),
            ["connected", names @ ..] => {
                self.senders
                    .extend(names.iter().map(|name| sender(name, true)));
            }
            ["reads", name] => self.senders.push(sender(name, false)),
            other => panic!("unknown fact {other:?}"),
        }
    }

    fn refresh(&self) -> Reign {
        let confirming = Confirming {
            rule: SyncRule::parse(&self.rule).unwrap(),
            senders: &self.senders,
            nodes: ["n1", "n2", "n3"].map(node).into(),
        };
        let known = std::slice::from_ref(&self.before);
        Reign::refresh(&node("n1"), (&self.here, None), confirming, known)
    }
}

fn seen(facts: &[&str]) -> Seen {
    let here = position("2@0/0<1@0/0");
    let mut seen = Seen {
        before: Reign::claim(node("n1"), position("1@0/0"), None, 1),
        rule: String::new(),
        senders: Vec::new(),
        here,
    };
    facts.iter().for_each(|fact| seen.add(fact));
    seen
}

fn tell(reign: &Reign) -> String {
    let today = match (&reign.sync, &reign.particulars.confirm) {
        (None, _) => "nobody has to".to_owned(),
        (Some(_), None) => "by the rule alone".to_owned(),
        (Some(_), Some(names)) => names.iter().cloned().collect::<Vec<_>>().join(" "),
    };
    let mut lines = vec![format!("today: {today}")];
    let mut older: Vec<_> = reign.particulars.older.newest_first().collect();
    older.reverse();
    let older = older.iter();
    lines.extend(older.map(|rule| format!("older: {} until {}", rule.confirmers, rule.until)));
    lines.join("\n")
}

#[test]
fn the_monitor_notes_who_confirms() {
    check(include_str!("../testdata/confirming.txt"), |facts| {
        let reign = seen(facts).refresh();
        let line = reign.encode();
        assert_eq!(
            Reign::decode(node("n1"), &line).as_ref(),
            Ok(&reign),
            "{line}"
        );
        tell(&reign)
    });
}

/// Nothing is written while nothing changes.
#[test]
fn what_was_noted_stays() {
    let mut seen = seen(&["before n2", "rule *", "connected n3 archive"]);
    let first = seen.refresh();
    seen.before = first.clone();
    assert_eq!(seen.refresh(), first);
}

fn ballot(reigns: Vec<Reign>) -> Ballot {
    let mut ballot = Ballot::new(node("n1"));
    ballot.known_nodes.extend(["n1", "n2", "n3"].map(node));
    ballot.voters.extend(["n1", "n2"].map(node));
    ballot.reigns = reigns;
    ballot
}

/// n1 is elected again, after its standby was exchanged and before a monitor saw that.
#[test]
fn a_claim_carries_the_rule_of_the_nodes_last_reign() {
    let first = Reign::claim(
        node("n1"),
        position("1@0/100"),
        SyncRule::parse("n2").unwrap(),
        1,
    );
    let ballot = ballot(vec![first]);
    let claim = ballot.claim(position("2@0/500<1@0/100"), SyncRule::parse("n3").unwrap());
    assert_eq!(claim.term, 2);
    let older = "today: by the rule alone\nolder: 1 of n2 until timeline 2 at 0/500";
    assert_eq!(tell(&claim), older);
    // The same rule too: who left the branch since has nothing of the new reign, and vouches
    // for that alone.
    let same = ballot.claim(position("2@0/500<1@0/100"), SyncRule::parse("n2").unwrap());
    assert_eq!(tell(&same), older);
}

/// Between its two reigns another node was elected: its branch has all that was confirmed.
#[test]
fn an_earlier_reign_ends_where_the_next_one_began() {
    let rule = || SyncRule::parse("n2").unwrap();
    let first = Reign::claim(node("n1"), position("1@0/100"), rule(), 1);
    let between = Reign::claim(node("n2"), position("2@0/300<1@0/100"), None, 2);
    let ballot = ballot(vec![first, between]);
    let claim = ballot.claim(position("3@0/500<2@0/300<1@0/100"), None);
    let older = "today: nobody has to\nolder: 1 of n2 until timeline 2 at 0/300";
    assert_eq!(tell(&claim), older);
}

#[test]
fn all_voters_may_confirm_where_any_standby_may() {
    let claim = ballot(Vec::new()).claim(position("1@0/100"), SyncRule::parse("*").unwrap());
    assert_eq!(tell(&claim), "today: n2");
    let with = claim
        .with_confirmers(&["n2", "n3"].map(node).into())
        .unwrap();
    assert_eq!(tell(&with), "today: n2 n3");
    assert_eq!(with.particulars.revision, 1);
    assert_eq!(with.with_confirmers(&["n1", "n3"].map(node).into()), None);
}
