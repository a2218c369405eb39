//! Everything that an election looks at.

use std::collections::{BTreeMap, BTreeSet};

use super::bar::Bar;
use super::rule::Rule;
use super::scores::scale::{FIRST_STANDBY, LAST_CHOICE};
use crate::ocf::NodeName;
use crate::record::Force;
use crate::record::evidence::Evidence;
use crate::record::reign::{Reign, last_term, next_term};
use crate::record::score::INFINITY;
use crate::record::shutdown::ShutdownCheckpoint;
use crate::record::vote::Vote;
use crate::wal::Position;

/// The facts of one election, as the candidate sees them.
///
/// The caller reads them again on each round of its bounded wait and asks
/// `elect` again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ballot {
    /// The node that Pacemaker wants to promote, i.e. this one.
    pub candidate: NodeName,
    /// The nodes whose vote counts: active after this transition (notify lists:
    /// active − stop + start), the candidate included.
    pub voters: BTreeSet<NodeName>,
    /// The votes that have arrived. The candidate's own comes from its own
    /// files, with the whole history.
    pub votes: BTreeMap<NodeName, Vote>,
    /// What members have seen of elections that do not vote, since PostgreSQL does not run there
    /// or cannot be asked.
    pub witnesses: BTreeMap<NodeName, Evidence>,
    /// Whether the bounded wait for votes has run out.
    pub wait_is_over: bool,
    /// The stored promotion scores (`master-<rsc>`) of the nodes that have one.
    pub scores: BTreeMap<NodeName, i32>,
    /// All known shutdown checkpoints: the demoted nodes' own and the copies of the others.
    pub shutdown_checkpoints: BTreeSet<ShutdownCheckpoint>,
    /// The claims and reigns of all nodes, present or not, from all sources.
    pub reigns: Vec<Reign>,
    /// The highest term in the cluster's configuration, which all voters read before they
    /// voted. `None`: that of `reigns`. It may be lower, where the configuration lost an
    /// election that a ledger has.
    pub cluster_term: Option<u64>,
    /// The last term for which each node was a candidate, as far as voters were told.
    pub promised: BTreeMap<NodeName, u64>,
    /// The highest term whose claim came to nothing; 0: none did.
    pub last_ended: u64,
    /// What is there and could not be read.
    pub unreadable: BTreeSet<Unreadable>,
    /// Parameter `sync_guard`.
    pub sync_guard: bool,
    /// All nodes of the cluster, present or not (`*` in the rule means them).
    pub known_nodes: BTreeSet<NodeName>,
    /// The node that this transition demotes (notify list `demote`), if that is not the
    /// candidate and is still a member: Pacemaker lists a fenced node too.
    pub demoted: Option<NodeName>,
    /// Which nodes an admin forces.
    pub forces: BTreeMap<NodeName, Force>,
    /// The voters that Pacemaker may not promote, and why. Asked for only where another
    /// node than the candidate holds more.
    pub barred: BTreeMap<NodeName, Bar>,
    /// What Pacemaker adds to the stored promotion score of a node, for constraints. Asked for
    /// with `barred`.
    pub added: BTreeMap<NodeName, i32>,
    /// Parameter `maxloss`: so many bytes more may a barred voter hold than the winner.
    pub max_loss: u64,
}

/// Evidence that is there and could not be read: damaged, or of a later version of the agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unreadable {
    /// On which node it stands.
    pub node: NodeName,
    /// What it is, as `reign`.
    pub what: &'static str,
}

/// What a node knows of elections before the votes tell it more: what the cluster's
/// configuration has, and its ledger.
pub fn known(published: Evidence, ledger: Evidence) -> Evidence {
    let mut known = published;
    if Rule::Ledgers.holds() {
        known.merge(ledger);
    }
    known
}

impl Ballot {
    /// A ballot that has nothing but the candidate yet.
    pub fn new(candidate: NodeName) -> Self {
        Self {
            voters: BTreeSet::from([candidate.clone()]),
            known_nodes: BTreeSet::from([candidate.clone()]),
            candidate,
            votes: BTreeMap::new(),
            witnesses: BTreeMap::new(),
            wait_is_over: false,
            scores: BTreeMap::new(),
            shutdown_checkpoints: BTreeSet::new(),
            reigns: Vec::new(),
            cluster_term: None,
            promised: BTreeMap::new(),
            last_ended: 0,
            unreadable: BTreeSet::new(),
            sync_guard: true,
            demoted: None,
            forces: BTreeMap::new(),
            barred: BTreeMap::new(),
            added: BTreeMap::new(),
            max_loss: 0,
        }
    }

    /// Takes over what is known of elections; `published` is what the cluster's configuration
    /// alone has.
    pub fn count_evidence(&mut self, published: &Evidence, known: &Evidence) {
        self.reigns = known.reigns();
        self.cluster_term = Some(last_term(&published.reigns()));
        self.promised.clone_from(known.promised());
        self.last_ended = known.last_ended();
        self.shutdown_checkpoints = known.checkpoints();
    }

    /// The reigns that count, oldest first: without claims that never came
    /// true, and without those that an admin gave up with their database.
    pub(super) fn valid_reigns(&self) -> Vec<&Reign> {
        let reigns = self.reigns.iter();
        let mut valid: Vec<_> = reigns
            .filter(|reign| !self.is_void(reign) && !self.is_given_up(reign))
            .collect();
        valid.sort_by_key(|reign| (reign.term, reign.branch.timeline));
        valid
    }

    fn is_void(&self, reign: &Reign) -> bool {
        let vote = self.current_vote(&reign.primary);
        Rule::VoidClaims.holds() && reign.is_void_given(vote)
    }

    /// Whether the cluster was built anew with another database, and an admin says so.
    pub(super) fn is_given_up(&self, reign: &Reign) -> bool {
        let Some(own) = self.votes.get(&self.candidate) else {
            return false;
        };
        self.is_forced(&self.candidate, &own.position)
            && reign.branch.is_of_other_system(&own.position)
    }

    /// Whether an admin forces the promotion of a node that holds this: on the timeline, and
    /// after the election, that the admin was told of.
    pub(super) fn is_forced(&self, node: &NodeName, held: &Position) -> bool {
        self.forces.get(node).is_some_and(|force| {
            let since = force.after.is_some_and(|term| term < self.term());
            force.timeline == held.timeline && !since
        })
    }

    /// The vote of a voter, unless it is left over from an earlier election.
    pub(super) fn current_vote(&self, node: &NodeName) -> Option<&Vote> {
        let vote = self.votes.get(node)?;
        (self.voters.contains(node) && !self.is_stale(vote)).then_some(vote)
    }

    /// Whether a vote was given before the last reign began. A voter that knows less than
    /// the cluster's configuration voted before that was written; one that knows less than
    /// somebody's ledger may only have been away.
    pub(super) fn is_stale(&self, vote: &Vote) -> bool {
        let shared = self.cluster_term.unwrap_or_else(|| self.term());
        Rule::FreshVotes.holds() && vote.term.is_some_and(|term| term < shared)
    }

    /// Whether a node that does not vote was a candidate after this reign: it may have opened
    /// a timeline, and the record of that was lost with it. A voter would have its own claim
    /// in its ledger.
    pub(super) fn was_promised_after(&self, reign: &Reign) -> bool {
        let mut promised = self.promised.iter();
        Rule::Promises.holds()
            && promised.any(|(node, term)| {
                let vote = self.current_vote(node);
                *term > reign.term && !vote.is_some_and(Vote::is_own_form)
            })
    }

    /// A candidate that may have won an election without a trace: all who were told of it and
    /// can tell have lost power since, and it does not vote itself.
    ///
    /// Not where somebody who was told of it did not: the cluster's configuration was never
    /// lost then, and it has no claim.
    pub(super) fn candidacy_in_doubt(&self) -> Option<(&NodeName, u64)> {
        let over = self.term().max(self.last_ended);
        let seen = self.seen();
        let doubted = seen.iter().flat_map(|seen| seen.doubted());
        let mut open = doubted.filter(|(_, term)| **term > over);
        let was_seen = |node: &NodeName, term: u64| {
            seen.iter().any(|seen| {
                let promised = seen.promised().get(node);
                let doubted = seen.doubted().get(node);
                promised.is_some_and(|promised| *promised >= term) && doubted < Some(&term)
            })
        };
        let votes_itself = |node| self.current_vote(node).is_some_and(Vote::is_own_form);
        open.find(|(node, term)| !votes_itself(node) && !was_seen(node, **term))
            .map(|(node, term)| (node, *term))
    }

    /// What each node that can tell has seen of elections.
    fn seen(&self) -> Vec<&Evidence> {
        let voters = self.voters.iter();
        let votes = voters.filter_map(|node| self.votes.get(node));
        let votes = votes.map(|vote| &vote.seen);
        votes.chain(self.told()).collect()
    }

    /// What those have seen that do not vote, and tell.
    pub fn told(&self) -> impl Iterator<Item = &Evidence> {
        self.witnesses.values().filter(|_| Rule::Witnesses.holds())
    }

    /// Whether Pacemaker would choose the candidate once more after it gave way to this node: a
    /// constraint outweighs the scores that say so.
    pub(super) fn is_chosen_before(&self, other: &NodeName) -> bool {
        let sum = |score: i32, node| {
            let added = self.added.get(node).copied().unwrap_or_default();
            score.saturating_add(added).min(INFINITY)
        };
        sum(LAST_CHOICE, &self.candidate) >= sum(FIRST_STANDBY, other)
    }

    /// The term of this election: higher than all that were won or came to nothing, and than
    /// all that voters were told of for another candidate.
    pub fn next_term(&self) -> u64 {
        let promised = self.promised.iter();
        let won = next_term(&self.reigns).max(self.last_ended.saturating_add(1));
        promised.fold(won, |next, (node, term)| {
            let is_this_one = *node == self.candidate;
            next.max(term.saturating_add(u64::from(!is_this_one)))
        })
    }

    /// The highest term known to the candidate; 0 before the first.
    pub fn term(&self) -> u64 {
        last_term(&self.reigns)
    }
}
