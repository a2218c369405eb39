//! What would happen if nodes were lost now: the election itself, on votes made of what is
//! known from here.
//!
//! The next election looks again when it is held. This one is held as that will be: Pacemaker
//! tries the candidate with the highest score, and follows it where it gives way to another.

use std::collections::{BTreeMap, BTreeSet};

use super::cib::Running;
use super::fate::Positions;
pub use super::fate::{Fate, FirstFetch, Loss};
use super::held::{Held, held};
use super::replay::Late;
use super::seen::Seen;
use super::unsure::{consider, undecided};
use crate::election::{
    Ballot, Verdict, Warning, asks_for_bars, elect, explain, remedy, to_be_fetched,
};
use crate::ocf::NodeName;
use crate::record::{Reign, ShutdownCheckpoint, Vote};

/// What would happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// The nodes that are lost in it.
    pub lost: BTreeSet<NodeName>,
    /// What becomes of the role of the primary.
    pub fate: Fate,
    /// The lines that the log would have.
    pub lines: Vec<String>,
}

impl Prospect {
    /// What would happen without these nodes.
    pub fn without(seen: &Seen, lost: &BTreeSet<NodeName>) -> Self {
        let (fate, lines) = match decided_before(seen, lost) {
            Some(fate) => (fate, Vec::new()),
            None => held_now(seen, lost),
        };
        Self {
            lost: lost.clone(),
            fate,
            lines,
        }
    }

    /// What would happen without the primary; `None` if there is none.
    pub fn without_primary(seen: &Seen) -> Option<Self> {
        let primary = seen.primary()?.clone();
        Some(Self::without(seen, &BTreeSet::from([primary])))
    }
}

fn nobody(reason: impl Into<String>, cures: &[&str]) -> Fate {
    Fate::Nobody {
        reason: reason.into(),
        cures: cures.iter().map(|cure| (*cure).to_owned()).collect(),
    }
}

/// What no election is needed for, or can be held for from here.
fn decided_before(seen: &Seen, lost: &BTreeSet<NodeName>) -> Option<Fate> {
    if seen.local.is_none() {
        let why = "what nodes hold is in no saved configuration: run it on a node of the cluster";
        return Some(Fate::Unknown(why.to_owned()));
    }
    if let Some(primary) = seen.primary().filter(|primary| !lost.contains(*primary)) {
        return Some(Fate::Stays(primary.clone()));
    }
    if let Some(fate) = without_pacemaker(seen, lost) {
        return Some(fate);
    }
    let voters = voters(seen, lost);
    if voters.is_empty() {
        return Some(nobody("no standby runs", &["bring a standby back"]));
    }
    let held = held(seen);
    let unknown = voters.iter().find(|node| !held.contains_key(*node))?;
    Some(Fate::Unknown(ask_elsewhere(seen, unknown)))
}

fn ask_elsewhere(seen: &Seen, unknown: &NodeName) -> String {
    match seen.primary() {
        Some(primary) => format!("what {unknown} holds is known on {primary}: run it there"),
        None => format!("what {unknown} holds is not known here: there is no primary to ask"),
    }
}

/// Pacemaker itself promotes nobody then.
fn without_pacemaker(seen: &Seen, lost: &BTreeSet<NodeName>) -> Option<Fate> {
    if seen.cib.is_unmanaged() {
        let cures = ["pcs property set maintenance-mode=false"];
        return Some(nobody("the cluster is in maintenance", &cures));
    }
    let why = no_majority(seen, lost)?;
    Some(nobody(why, &["bring back a node that was lost"]))
}

/// Why those who are left without these nodes have no majority; `None`: they have one.
pub(super) fn no_majority(seen: &Seen, lost: &BTreeSet<NodeName>) -> Option<String> {
    let all = seen.cib.nodes.len();
    let present = seen.cib.nodes.iter();
    let left = present.filter(|(name, node)| node.online && !lost.contains(*name));
    let left = left.count();
    // Two nodes have a rule of their own, or a quorum device: that is not told here.
    let has_majority = left * 2 > all || all <= 2;
    (!has_majority).then(|| {
        format!("{left} of {all} nodes are no majority, unless a quorum device adds a vote")
    })
}

/// What comes of an election among these voters once a primary has left word of its end.
pub(super) fn election_of(
    seen: &Seen,
    (voters, held): Positions<'_>,
    end: Option<ShutdownCheckpoint>,
) -> Fate {
    let Some(first) = first_choice(seen, voters) else {
        return no_candidate(seen, voters);
    };
    let mut ballot = ballot(seen, first, (voters, held));
    ballot.shutdown_checkpoints.extend(end);
    let fate = Election::hold(seen, ballot).fate(seen, held);
    undecided(&fate, (voters, held)).unwrap_or(fate)
}

fn voters(seen: &Seen, lost: &BTreeSet<NodeName>) -> BTreeSet<NodeName> {
    let standbys = seen.with(Running::Standby).into_iter();
    standbys
        .filter(|node| !lost.contains(*node))
        .cloned()
        .collect()
}

fn held_now(seen: &Seen, lost: &BTreeSet<NodeName>) -> (Fate, Vec<String>) {
    let voters = voters(seen, lost);
    let held = held(seen);
    let Some(first) = first_choice(seen, &voters) else {
        return (no_candidate(seen, &voters), Vec::new());
    };
    let election = Election::hold(seen, ballot(seen, first, (&voters, &held)));
    let Election {
        ballot, verdict, ..
    } = &election;
    let lines = explain(ballot, verdict, &seen.cib.resource.id);
    let fate = election.fate(seen, &held);
    let fate = with_unknown(seen, fate, (&voters, &held));
    (fate, lines)
}

/// By what is not known of those who are not connected.
fn with_unknown(seen: &Seen, fate: Fate, (voters, held): Positions<'_>) -> Fate {
    let again = |held: &BTreeMap<NodeName, Held>| again(seen, voters, held);
    undecided(&fate, (voters, held)).unwrap_or_else(|| consider(seen, fate, (voters, held), again))
}

fn again(seen: &Seen, voters: &BTreeSet<NodeName>, held: &BTreeMap<NodeName, Held>) -> Fate {
    let first = first_choice(seen, voters);
    let election = first.map(|first| Election::hold(seen, ballot(seen, first, (voters, held))));
    election.map_or_else(
        || no_candidate(seen, voters),
        |election| election.fate(seen, held),
    )
}

fn no_candidate(seen: &Seen, voters: &BTreeSet<NodeName>) -> Fate {
    let is_candidate = |node: &&NodeName| seen.scores.get(*node).is_none_or(|score| *score >= 0);
    let mut barred = voters.iter().filter(is_candidate);
    let barred = barred.find_map(|node| Some((node, seen.bars.get(node)?)));
    match barred {
        Some((node, bar)) => nobody(
            format!(
                "Pacemaker may promote no standby: {node} is barred by {}",
                bar.what
            ),
            &[bar.command.as_str()],
        ),
        None => nobody(
            "no standby is a candidate: each has a negative promotion score",
            &["let a standby catch up with the primary"],
        ),
    }
}

/// Whom Pacemaker tries first. A node without a score offers itself where nobody has one.
fn first_choice(seen: &Seen, voters: &BTreeSet<NodeName>) -> Option<NodeName> {
    let score = |node: &&NodeName| seen.scores.get(*node).copied().unwrap_or(1);
    let free = voters.iter().filter(|node| !seen.bars.contains_key(*node));
    let candidates = free.filter(|node| score(node) >= 0);
    candidates.max_by_key(score).cloned()
}

/// The ballot of an election of `first` among these voters, with what is known here.
pub(super) fn ballot(seen: &Seen, first: NodeName, (voters, held): Positions<'_>) -> Ballot {
    let mut ballot = Ballot::new(first);
    ballot.voters.clone_from(voters);
    ballot.known_nodes.extend(seen.cib.nodes.keys().cloned());
    ballot.scores.clone_from(&seen.scores);
    ballot.forces.clone_from(&seen.forces);
    ballot.unreadable.clone_from(&seen.known.unreadable);
    ballot.sync_guard = seen.policy.sync_guard;
    ballot.max_loss = seen.policy.max_loss;
    ballot.wait_is_over = true;
    ballot.count_evidence(&seen.known.published, &seen.known.all);
    for node in voters {
        let vote = held.get(node).map(|held| {
            let seen = seen.known.all.clone();
            Vote::cast(held.position.clone(), seen, None)
        });
        ballot.votes.extend(vote.map(|vote| (node.clone(), vote)));
    }
    ballot
}

/// An election that was held.
struct Election {
    ballot: Ballot,
    verdict: Verdict,
    fetch: Option<FirstFetch>,
}

impl Election {
    /// That of the candidate on the ballot, and of each other that one gives way to.
    fn hold(seen: &Seen, mut ballot: Ballot) -> Self {
        let mut verdict = follow(&mut ballot, seen);
        let fetch = fetch(&mut ballot).map(|from| FirstFetch {
            from,
            otherwise: without_fetch(&verdict),
        });
        if fetch.is_some() {
            verdict = elect(&ballot);
        }
        Self {
            ballot,
            verdict,
            fetch,
        }
    }

    fn fate(self, seen: &Seen, held: &BTreeMap<NodeName, Held>) -> Fate {
        let candidate = &self.ballot.candidate;
        match &self.verdict {
            Verdict::Promote { warnings, .. } => Fate::Promotes {
                loss: Loss {
                    is_guarded: is_guarded(seen, warnings),
                    behind: self.behind(seen, held.get(candidate)),
                },
                late: Late::of(seen, candidate),
                node: candidate.clone(),
                instead: BTreeSet::new(),
                fetch: self.fetch,
            },
            Verdict::Refuse { reason } => Fate::Nobody {
                reason: reason.to_string(),
                cures: remedy(&self.ballot, reason, &seen.cib.resource.id),
            },
            Verdict::Yield { to, reason } => nobody(format!("{reason}, and {to} gives way"), &[]),
            Verdict::Wait { .. } => nobody("a vote is missing", &[]),
        }
    }

    /// By how much the winner is behind the primary that is here; 0 where it told of what it
    /// has a moment after that.
    fn behind(&self, seen: &Seen, before: Option<&Held>) -> Option<u64> {
        let is_known = self.fetch.is_some() || before.is_some_and(|held| !held.is_assumed);
        let winner = self.ballot.votes.get(&self.ballot.candidate);
        let winner = winner.filter(|_| is_known)?;
        let behind = seen.writer()?.written.bytes_since(winner.position.lsn);
        Some(behind.unwrap_or_default())
    }
}

/// The commits of a primary by hand are guarded by no rule on record.
fn is_guarded(seen: &Seen, warnings: &[Warning]) -> bool {
    let is_forced = |warning: &Warning| matches!(warning, Warning::Forced(_));
    let is_guarded_by = |last: &Reign| {
        let primary = seen.primary();
        let is_elected = primary.is_none_or(|primary| *primary == last.primary);
        is_elected && last.sync.is_some()
    };
    let is_synchronous = seen.last_reign().as_ref().is_some_and(is_guarded_by);
    is_synchronous && seen.policy.sync_guard && !warnings.iter().any(is_forced)
}

/// What is said of the election of a candidate that has not fetched what it should.
fn without_fetch(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Promote { .. } => "it is promoted without that".to_owned(),
        Verdict::Refuse { reason } => format!("nobody is promoted: {reason}"),
        Verdict::Yield { .. } | Verdict::Wait { .. } => "nobody is promoted".to_owned(),
    }
}

/// As if the candidate had fetched what only a node holds that may not be promoted.
fn fetch(ballot: &mut Ballot) -> Option<NodeName> {
    let (from, theirs) = to_be_fetched(ballot)?;
    let own = ballot.votes.get_mut(&ballot.candidate)?;
    own.position.lsn = theirs.lsn;
    Some(from)
}

/// The election of each candidate that another one gives way to, up to the last. Pacemaker may not
/// promote one that was excluded besides: then the first is tried again, and passes over it.
fn follow(ballot: &mut Ballot, seen: &Seen) -> Verdict {
    let mut tried = BTreeSet::new();
    let mut bars = seen.bars.clone();
    loop {
        ballot.barred.clear();
        let mut verdict = elect(ballot);
        if asks_for_bars(ballot) {
            ballot.barred.clone_from(&bars);
            verdict = elect(ballot);
        }
        let Verdict::Yield { to, .. } = &verdict else {
            return verdict;
        };
        match seen.bars_once_tried.get(to) {
            Some(bar) if !bars.contains_key(to) => drop(bars.insert(to.clone(), bar.clone())),
            _ if tried.insert(to.clone()) => ballot.candidate = to.clone(),
            _ => return verdict,
        }
    }
}
