//! All that is known of elections, from whatever source.
//!
//! Three sources tell of elections, and each of them can be lost or be old:
//!
//! * the cluster's configuration (the CIB): claims and reigns on the nodes that won. A
//!   removed node takes its own with it, and an old file that somebody pushes brings old
//!   ones back;
//! * this node's ledger, a file: what it saw of elections, fsynced;
//! * the votes: each carries what its node's ledger says.
//!
//! They are merged, and nothing is decided by one of them alone. A fact that is in one
//! place and not in another is a fact. Of two copies of one fact the higher term counts,
//! then the higher revision, then the copy that is named first.
//!
//! What a fact says of an election:
//!
//! | fact | who makes it, and when | what it means |
//! |---|---|---|
//! | promise | each voter, before its vote | this node may be elected in this term: a timeline that nobody is on record for may be its own |
//! | doubt | a voter that lost power after a promise | what came of it is not known here |
//! | claim | the winner, before PostgreSQL leaves recovery | from here on there may be commits on a new branch |
//! | end | the claimant, when it knows that its claim came to nothing | the claim binds nobody, whoever still has a copy |
//! | reign | the primary's monitor | this branch was opened; commits are guarded by this rule |
//! | shutdown checkpoint | the demoted node | a new primary holds this record |

use std::collections::{BTreeMap, BTreeSet};

use super::line::{FieldError, escape, unescape};
use super::reign::{Reign, Stage, last_reign, last_term};
use super::shutdown::ShutdownCheckpoint;
use crate::ocf::NodeName;
use crate::wal::{Position, SystemId, Timeline};

/// What is known of elections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Claims and reigns, at most one of each of a node.
    won: BTreeMap<(NodeName, Stage), Reign>,
    /// Up to which term a node's claims came to nothing, or became reigns.
    ended: BTreeMap<NodeName, u64>,
    /// The last term for which each node was a candidate.
    promised: BTreeMap<NodeName, u64>,
    /// Those of them that this node cannot tell the outcome of: it lost power since, or has
    /// heard of them from one that did.
    doubted: BTreeMap<NodeName, u64>,
    /// The newest shutdown checkpoint of each node, in each database that it ever had.
    checkpoints: BTreeMap<(NodeName, Option<SystemId>), ShutdownCheckpoint>,
}

impl Evidence {
    /// Of these claims and reigns.
    #[cfg(test)]
    pub fn of(reigns: impl IntoIterator<Item = Reign>) -> Self {
        let mut evidence = Self::default();
        reigns.into_iter().for_each(|reign| evidence.add(reign));
        evidence
    }

    /// Adds a claim or a reign, unless a later copy of it is there.
    pub fn add(&mut self, reign: Reign) {
        let key = (reign.primary.clone(), reign.stage);
        let age = |reign: &Reign| (reign.term, reign.particulars.revision);
        match self.won.get(&key) {
            Some(kept) if age(kept) >= age(&reign) => {}
            _ => drop(self.won.insert(key, reign)),
        }
    }

    /// Notes that the claims of a node up to this term came to an end.
    pub fn end_claims(&mut self, node: &NodeName, term: u64) {
        raise(&mut self.ended, node, term);
    }

    /// Notes that a node is a candidate for this term.
    pub fn promise(&mut self, node: &NodeName, term: u64) {
        raise(&mut self.promised, node, term);
    }

    /// After a loss of power: whoever was a candidate then may have won without a trace. The
    /// cluster's configuration may have lost the claim, since Pacemaker writes it to disk a
    /// while after it has answered.
    pub fn doubt_promises(&mut self) {
        for (node, term) in &self.promised {
            raise(&mut self.doubted, node, *term);
        }
    }

    /// The elections are over. This node forgets those of which it knows what came: it is on
    /// record, or nothing did, since the node streams on the timeline of the last reign all the
    /// same (`None`: it does not stream).
    ///
    /// Not the others. An old configuration may have taken the place of the one that had it:
    ///
    /// ```text
    /// n1: 1 ──┐            n1 was elected in term 1, and this is on record
    /// n3:     └── 2 ──     n3 was told of n2 in term 2, and streams on timeline 2
    /// ```
    pub fn forget_promises(&mut self, streams_on: Option<Timeline>) {
        let reigns = self.reigns();
        let last = last_reign(&reigns).filter(|last| last.is_opened());
        let on_its_timeline =
            |last: &Reign| streams_on.is_some_and(|timeline| timeline <= last.branch.timeline);
        let nothing_came = last.is_some_and(on_its_timeline);
        let won = last_term(&reigns);
        let (doubted, ended) = (&self.doubted, &self.ended);
        self.promised.retain(|node, term| {
            let has_ended = ended.get(node).is_some_and(|ended| ended >= term);
            let is_known = nothing_came || *term <= won || has_ended;
            !is_known || doubted.get(node).is_some_and(|doubted| doubted >= term)
        });
    }

    /// Adds a shutdown checkpoint, unless a later one of its node is there.
    pub fn add_checkpoint(&mut self, checkpoint: ShutdownCheckpoint) {
        // Not by the term: one that could not be read is not an older one.
        let age = |checkpoint: &ShutdownCheckpoint| {
            (checkpoint.timeline, checkpoint.lsn, checkpoint.term)
        };
        let key = (checkpoint.node.clone(), checkpoint.system);
        match self.checkpoints.get(&key) {
            Some(kept) if age(kept) >= age(&checkpoint) => {}
            _ => drop(self.checkpoints.insert(key, checkpoint)),
        }
    }

    /// Adds all that another source knows. Where both have a copy of the same age, this one's
    /// stays.
    pub fn merge(&mut self, other: Self) {
        other.won.into_values().for_each(|reign| self.add(reign));
        let checkpoints = other.checkpoints.into_values();
        checkpoints.for_each(|checkpoint| self.add_checkpoint(checkpoint));
        for (node, term) in other.ended {
            self.end_claims(&node, term);
        }
        for (node, term) in other.promised {
            if self.promised.get(&node) >= Some(&term) {
                continue;
            }
            self.promise(&node, term);
            if other.doubted.get(&node) >= Some(&term) {
                raise(&mut self.doubted, &node, term);
            }
        }
    }

    /// The claims and reigns that count: without claims that came to an end, or that their
    /// own reign has followed.
    pub fn reigns(&self) -> Vec<Reign> {
        let counts = |reign: &&Reign| reign.is_opened() || !self.has_ended(reign);
        self.won.values().filter(counts).cloned().collect()
    }

    fn has_ended(&self, claim: &Reign) -> bool {
        let node = &claim.primary;
        let reign = self.won.get(&(node.clone(), Stage::Opened));
        let reigned = reign.is_some_and(|reign| reign.term >= claim.term);
        reigned || self.ended.get(node).is_some_and(|term| *term >= claim.term)
    }

    /// The claim or the reign of a node.
    pub fn of_node(&self, node: &NodeName, stage: Stage) -> Option<&Reign> {
        self.won.get(&(node.clone(), stage))
    }

    /// Up to which term the claims of a node came to an end.
    pub fn ended(&self, node: &NodeName) -> Option<u64> {
        self.ended.get(node).copied()
    }

    /// The highest term whose claim came to an end; 0: none did.
    pub fn last_ended(&self) -> u64 {
        self.ended.values().copied().max().unwrap_or(0)
    }

    /// The last term for which each node was a candidate.
    pub fn promised(&self) -> &BTreeMap<NodeName, u64> {
        &self.promised
    }

    /// Whether there are candidacies that this node will hear the end of: all but those in doubt.
    pub fn awaits_outcomes(&self) -> bool {
        let mut promised = self.promised.iter();
        promised.any(|(node, term)| self.doubted.get(node) < Some(term))
    }

    /// The candidacies whose outcome this node cannot tell.
    pub fn doubted(&self) -> &BTreeMap<NodeName, u64> {
        &self.doubted
    }

    /// The newest shutdown checkpoint of each node.
    pub fn checkpoints(&self) -> BTreeSet<ShutdownCheckpoint> {
        self.checkpoints.values().cloned().collect()
    }

    /// The highest term that was won or was a candidate's; 0 before the first.
    pub fn last_term(&self) -> u64 {
        let won: Vec<_> = self.won.values().cloned().collect();
        let others = self.promised.values().copied().chain([self.last_ended()]);
        others.fold(last_term(&won), u64::max)
    }

    /// Without what binds nobody any more: once a branch was opened in a later term, a
    /// candidacy of an earlier one, and what was on record of another database. Many
    /// elections leave no more than this behind.
    pub fn pruned(mut self) -> Self {
        let opened = self.won.values().filter(|reign| reign.is_opened());
        let Some(last) = opened.max_by_key(|reign| reign.term).cloned() else {
            return self;
        };
        let foreign = |branch: &Position| branch.is_of_other_system(&last.branch);
        self.promised.retain(|_, term| *term > last.term);
        self.doubted.retain(|_, term| *term > last.term);
        self.won
            .retain(|_, reign| reign.term >= last.term || !foreign(&reign.branch));
        self.checkpoints
            .retain(|_, checkpoint| checkpoint.concerns(&last.branch));
        self
    }

    /// One text for each fact.
    pub fn lines(&self) -> Vec<String> {
        let won = self.won.values().filter(|reign| {
            // What ended tells more with its end alone.
            reign.is_opened() || !self.has_ended(reign)
        });
        let won = won.map(|reign| fact(kind_of(reign.stage), &reign.primary, &reign.encode()));
        let ended = self.ended.iter();
        let ended = ended.map(|(node, term)| fact("ended", node, &term.to_string()));
        let promised = self.promised.iter();
        let promised = promised.map(|(node, term)| fact("promise", node, &term.to_string()));
        let doubted = self.doubted.iter();
        let doubted = doubted.map(|(node, term)| fact("doubt", node, &term.to_string()));
        let checkpoints = self.checkpoints.values();
        let checkpoints =
            checkpoints.map(|checkpoint| fact("stop", &checkpoint.node, &checkpoint.encode()));
        won.chain(ended)
            .chain(promised)
            .chain(doubted)
            .chain(checkpoints)
            .collect()
    }

    /// Reads one fact. A kind that this version does not know is an error: it may be what
    /// decides.
    pub fn read(&mut self, line: &str) -> Result<(), FieldError> {
        let shape = || FieldError::Shape(line.chars().take(100).collect());
        let mut parts = line.splitn(3, ' ');
        let (Some(kind), Some(node), Some(text)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(shape());
        };
        let node = unescape(node).and_then(|node| NodeName::new(&node));
        let node = node.ok_or_else(shape)?;
        let term = || text.parse().map_err(|_| shape());
        match kind {
            "claim" | "reign" => self.add(Reign::decode(node, text)?),
            "ended" => self.end_claims(&node, term()?),
            "promise" => self.promise(&node, term()?),
            "doubt" => raise(&mut self.doubted, &node, term()?),
            "stop" => self.add_checkpoint(ShutdownCheckpoint::decode(text)?),
            _ => return Err(shape()),
        }
        Ok(())
    }

    /// All facts as the value of one field.
    pub(super) fn encode(&self) -> Option<String> {
        let lines: Vec<_> = self.lines().iter().map(|line| escape(line)).collect();
        (!lines.is_empty()).then(|| lines.join(","))
    }

    /// Reads what `encode` wrote.
    pub(super) fn decode(text: &str) -> Result<Self, FieldError> {
        let mut evidence = Self::default();
        for fact in text.split(',') {
            let line = unescape(fact).ok_or_else(|| FieldError::Shape(fact.to_owned()))?;
            evidence.read(&line)?;
        }
        Ok(evidence)
    }
}

fn kind_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Claimed => "claim",
        Stage::Opened => "reign",
    }
}

/// `reign srv1 1;term=3;…`
fn fact(kind: &str, node: &NodeName, text: &str) -> String {
    format!("{kind} {} {text}", escape(node.as_str()))
}

fn raise(terms: &mut BTreeMap<NodeName, u64>, node: &NodeName, term: u64) {
    let kept = terms.entry(node.clone()).or_default();
    *kept = term.max(*kept);
}
