//! Which standbys could not be promoted if the primary were lost now, and why.
//!
//! The next election looks again when it is held. This is said before it is needed: one line
//! when it begins, one when it ends, and one more where the reason becomes another.

use std::collections::{BTreeMap, BTreeSet};

use super::roster::{Ranking, Roster};
use super::scale::{OUTVOTED, is_excluded};
use crate::instance::replication::SenderState;
use crate::ocf::NodeName;
use crate::record::Constraint;

/// What is known of the standbys where the primary runs.
#[derive(Debug)]
pub struct Outlook<'a> {
    /// What its monitor gathered.
    pub roster: &'a Roster,
    /// The scores that followed from that.
    pub ranking: &'a Ranking,
    /// The standbys that said of themselves why they are not sound.
    pub unsound: BTreeMap<NodeName, String>,
    /// The standbys that said of themselves that they have diverged.
    pub diverged: BTreeSet<NodeName>,
    /// What keeps the role of the primary away from nodes.
    pub constraints: Vec<Constraint>,
}

/// Why a standby could not be promoted now, or not as well as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unready {
    /// It could not.
    No(String),
    /// Only where no other standby could.
    LastChoice(String),
    /// It could, later than others: that has to end first.
    Late(String),
}

impl Unready {
    /// The sentence about a standby.
    pub fn of(&self, who: &str) -> String {
        match self {
            Self::No(why) => format!("{who} could not be promoted now: {why}"),
            Self::LastChoice(why) => {
                format!("{who} would be promoted only where no other standby is sound: {why}")
            }
            Self::Late(why) => format!("{who} would be promoted late: {why}"),
        }
    }
}

/// Who is concerned, and the sentence about it.
pub type Concerns = BTreeMap<String, String>;

/// Who is concerned where no standby could be promoted: the blank makes it the name of no node.
const NO_STANDBY: &str = " nobody";
const NOBODY: &str = "Nobody";
const SOMEBODY: &str = "A standby";

impl Outlook<'_> {
    /// All concerns of this moment.
    pub fn concerns(&self) -> Concerns {
        let roster = self.roster;
        let others = roster.members.iter().chain(&roster.offline);
        let others: Vec<_> = others.filter(|node| **node != roster.primary).collect();
        let unready = others.iter().map(|node| (*node, self.of(node)));
        let unready: BTreeMap<_, _> = unready.collect();
        let is_out = |found: &Option<Unready>| matches!(found, Some(Unready::No(_)));
        let is_alone = unready.values().all(is_out);
        let each = unready
            .into_iter()
            .filter_map(|(node, found)| Some((node.to_string(), found?.of(node.as_str()))));
        let nobody = format!("{NOBODY} could take over from this primary now");
        let nobody = (NO_STANDBY.to_owned(), nobody);
        each.chain(is_alone.then_some(nobody)).collect()
    }

    fn of(&self, node: &NodeName) -> Option<Unready> {
        let no = |why: &str| Some(Unready::No(why.to_owned()));
        if self.roster.offline.contains(node) {
            return no("its node is not in the cluster");
        }
        if self.diverged.contains(node) {
            return no("it has diverged");
        }
        let names = |one: &&Constraint| one.node.as_ref() == Some(node);
        if let Some(bar) = self.constraints.iter().find(names) {
            return no(&("it is barred by the constraint ".to_owned() + &bar.id));
        }
        self.by_score(node)
    }

    fn by_score(&self, node: &NodeName) -> Option<Unready> {
        let state = self.state(node);
        let score = self.score(node);
        if score.is_none_or(is_excluded) {
            let why = match state {
                _ if score == Some(OUTVOTED) => {
                    "it lost an election, a constraint prefers it, and it is not close yet"
                }
                None => "it is not connected to the primary, or not under the name of its node",
                Some(SenderState::Following) => "it is too far behind the primary (maxlag)",
                Some(_) => "it has only begun to connect, or is being built",
            };
            return Some(Unready::No(why.to_owned()));
        }
        if let Some(why) = self.unsound.get(node) {
            return Some(Unready::LastChoice(why.clone()));
        }
        let since = self.ranking.missing_since.get(node).copied();
        let is_gone = since.is_some_and(|since| !self.roster.is_lately(since));
        is_gone.then(|| Unready::LastChoice("it is cut off from the primary".to_owned()))
    }

    /// The score that it has, or is given now.
    fn score(&self, node: &NodeName) -> Option<i32> {
        let mut changes = self.ranking.changes.iter();
        let change = changes.find(|change| change.node == *node);
        let stored = self.roster.scores.get(node).copied();
        change.map(|change| change.score).or(stored)
    }

    /// The best of its connections.
    fn state(&self, node: &NodeName) -> Option<SenderState> {
        let senders = self.roster.senders.iter();
        let own = senders.filter(|sender| sender.name == node.as_str());
        own.map(|sender| sender.state).max()
    }
}

/// What is to be said of concerns after others were said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// What began, or has another reason.
    pub begun: Vec<String>,
    /// What is over.
    pub over: Vec<String>,
}

impl News {
    /// From those that were said to those of now.
    pub fn between(said: &Concerns, now: &Concerns) -> Self {
        let begun = now
            .iter()
            .filter(|(who, what)| said.get(*who) != Some(what));
        let over = said.keys().filter(|who| !now.contains_key(*who));
        Self {
            begun: begun.map(|(_, what)| what.clone()).collect(),
            over: over.map(|who| end_of(who)).collect(),
        }
    }
}

fn end_of(who: &str) -> String {
    match who {
        NO_STANDBY => format!("{SOMEBODY} can take over again"),
        who => format!("{who} could be promoted now"),
    }
}
