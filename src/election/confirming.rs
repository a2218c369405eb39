//! Who confirms the commits of a primary: what its claim says, and what its monitor sees.
//!
//! A node that could confirm has to count before it does. At an election all nodes on which
//! the database runs vote, so the claim names them; one that is started later is added when
//! Pacemaker says that it will be; who else connects, the next monitor sees. Whoever leaves,
//! and every change of the rule, ends what held up to that place of the WAL: commits up to
//! there stay guarded by it until the best voter holds the place.

use std::collections::{BTreeMap, BTreeSet};

use super::ballot::Ballot;
use crate::instance::replication::Sender;
use crate::ocf::NodeName;
use crate::record::confirmers::{Confirmers, EarlierRule, EarlierRules, Names};
use crate::record::reign::{Reign, last_of};
use crate::record::sync_rule::SyncRule;
use crate::wal::{Place, Position};

/// By whom commits are confirmed, as the primary sees it now.
#[derive(Debug, Clone)]
pub struct Confirming<'a> {
    /// `synchronous_standby_names`; `None`: nobody has to confirm.
    pub rule: Option<SyncRule>,
    /// Who receives WAL.
    pub senders: &'a [Sender],
    /// All nodes of the cluster, present or not.
    pub nodes: BTreeSet<NodeName>,
}

impl Confirming<'_> {
    /// Puts it into the record of a reign. `before`: what that said last; `here`: up to where
    /// the primary has written.
    pub(super) fn note(self, fresh: &mut Reign, before: Option<&Reign>, here: Place) {
        fresh.particulars.confirm = self.confirm(&fresh.primary, before);
        fresh.sync = self.rule;
        let mut older = std::mem::take(&mut fresh.particulars.older);
        if let Some(before) = before {
            older.ended(before.confirmers(&self.nodes), here);
        }
        let today = fresh.confirmers(&self.nodes);
        let branch = Some(fresh.branch.timeline);
        fresh.particulars.older = older.beside(branch, today.as_ref());
    }

    /// The names, where the rule alone does not tell them.
    fn confirm(&self, primary: &NodeName, before: Option<&Reign>) -> Option<Names> {
        let rule = self.rule.as_ref()?;
        let seen = self.confirming_connections();
        let beside = |(name, count): (&String, &usize)| {
            let second_on = 2..=*count;
            second_on.map(|n| another(name, n)).collect::<Vec<_>>()
        };
        let others: Names = seen.iter().flat_map(beside).collect();
        if !rule.is_open() && others.is_empty() {
            return None;
        }
        let before = before.and_then(|before| before.confirmers(&self.nodes));
        let kept = before.into_iter().flat_map(|before| before.names);
        let kept = kept.filter(|name| is_node(&self.nodes, name));
        let any = kept.chain(seen.into_keys()).collect();
        let mut confirmers = Confirmers::of(rule, primary, &any);
        confirmers.names.extend(others);
        Some(confirmers.names)
    }

    /// How many connections of each name could confirm now, in lower case.
    fn confirming_connections(&self) -> BTreeMap<String, usize> {
        let mut seen = BTreeMap::new();
        for sender in self.senders.iter().filter(|sender| sender.confirms) {
            *seen.entry(sender.name.to_ascii_lowercase()).or_default() += 1;
        }
        seen
    }
}

impl Reign {
    /// The reign with these nodes among those who confirm, if any standby may, and they are
    /// not there yet.
    pub fn with_confirmers(&self, nodes: &BTreeSet<NodeName>) -> Option<Self> {
        let rule = self.sync.as_ref().filter(|rule| rule.is_open())?;
        let names = self.particulars.confirm.as_ref()?;
        let nodes = nodes.iter().map(NodeName::to_string).collect();
        let added = Confirmers::of(rule, &self.primary, &nodes).names;
        if added.is_subset(names) {
            return None;
        }
        let mut with = self.clone();
        with.particulars.confirm = Some(names | &added);
        with.particulars.revision += 1;
        Some(with)
    }
}

/// The names that are new on the record of a reign, and are no node's: what they confirm may
/// be nowhere in the cluster.
pub fn strangers(nodes: &BTreeSet<NodeName>, before: Option<&Reign>, now: &Reign) -> Names {
    let known = before.and_then(|before| before.particulars.confirm.clone());
    let known = known.unwrap_or_default();
    let names = now.particulars.confirm.iter().flatten();
    let strangers = names.filter(|name| !is_node(nodes, name) && !known.contains(*name));
    strangers.cloned().collect()
}

fn is_node(nodes: &BTreeSet<NodeName>, name: &str) -> bool {
    let mut nodes = nodes.iter();
    nodes.any(|node| node.as_str().eq_ignore_ascii_case(name))
}

/// What a second connection with the name of a node is called. No node has such a name.
fn another(name: &str, number: usize) -> String {
    format!("{name} (connection {number})")
}

impl EarlierRules {
    fn ended(&mut self, confirmers: Option<Confirmers>, until: Place) {
        if let Some(confirmers) = confirmers {
            self.push(EarlierRule { until, confirmers });
        }
    }
}

/// The reigns on record, and the nodes that `*` meant in them.
pub(super) struct Past<'a> {
    pub(super) reigns: &'a [&'a Reign],
    pub(super) nodes: &'a BTreeSet<NodeName>,
}

impl Past<'_> {
    /// The rules of an earlier reign of the same node, whose entry a new one takes: they
    /// guard what was written before the reign that came after it. The new one is of this
    /// database, and `starts` there; where the next one began may not be known.
    pub(super) fn rules_of(
        &self,
        node: &NodeName,
        (database, starts): (&Position, Place),
    ) -> EarlierRules {
        let own = self.reigns.iter().copied();
        let own = own.filter(|reign| reign.primary == *node);
        let own = last_of(own.filter(|reign| !reign.branch.is_of_other_system(database)));
        let Some(own) = own else {
            return EarlierRules::default();
        };
        let later = self.reigns.iter().filter(|reign| reign.term > own.term);
        let next = later.min_by_key(|reign| reign.term);
        let until = next.and_then(|next| next.start()).unwrap_or(starts);
        let mut older = own.particulars.older.clone();
        older.ended(own.confirmers(self.nodes), until);
        older
    }
}

impl Ballot {
    /// What the candidate claims, with the rule that it is going to follow.
    pub fn claim(&self, held: Position, rule: Option<SyncRule>) -> Reign {
        let node = self.candidate.clone();
        let reigns = self.valid_reigns();
        let past = Past {
            reigns: &reigns,
            nodes: &self.known_nodes,
        };
        let older = past.rules_of(&node, (&held, Place::from(&held)));
        let open = rule.as_ref().filter(|rule| rule.is_open());
        let voters = self.voters.iter().map(NodeName::to_string).collect();
        let confirm = open.map(|rule| Confirmers::of(rule, &node, &voters).names);
        let mut claim = Reign::claim(node, held, rule, self.next_term());
        claim.particulars.confirm = confirm;
        claim.particulars.older = older.beside(None, None);
        claim
    }
}
