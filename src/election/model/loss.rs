//! How evidence of elections is lost or comes back, and how data are replaced.

use std::fmt;

use super::made::Made;
use super::observe::timeline;
use super::scenario::Scenario;
use super::world::{Entry, Id, Instance, Phase, Planned, Wal, World, bit, name};
use crate::record::{Evidence, Fresh};
use crate::wal::Timeline;

/// A kind of permanent attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Claims,
    Reigns,
    Ends,
    Scores,
}

/// What becomes of evidence, or of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The standbys' monitors copy the cluster's configuration into their ledgers.
    Copy,
    /// A node that is away is removed from the cluster.
    Remove(Id),
    /// All attributes of one kind are removed.
    Erase(Kind),
    /// Somebody saves the cluster's configuration.
    Save,
    /// Somebody pushes what was saved.
    Push,
    /// Pacemaker is stopped on all nodes and started again: all private attributes go.
    Restart,
    /// All nodes lose power; the last change of the configuration was not on disk yet.
    PowerCut,
    /// A node's data are made anew from those of another.
    Rebuild { id: Id, from: Id },
    /// A diverged node is rewound to the primary.
    Rewind(Id),
    /// What a node published of elections is of a later version.
    Unreadable(Id),
    /// A node's ledger cannot be read any more.
    Tear(Id),
    /// All nodes get the other rule.
    ChangeRule,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy => f.write_str("the standbys' monitors copy what was elected"),
            Self::Remove(id) => write!(f, "{} is removed from the cluster", name(*id)),
            Self::Erase(kind) => write!(f, "somebody removes all attributes: {kind:?}"),
            Self::Save => f.write_str("somebody saves the CIB"),
            Self::Push => f.write_str("somebody pushes the saved CIB"),
            Self::Restart => f.write_str("Pacemaker restarts on all nodes"),
            Self::PowerCut => f.write_str("all nodes lose power, and the CIB its last change"),
            Self::Rebuild { id, from } => {
                write!(f, "{} is rebuilt from {}", name(*id), name(*from))
            }
            Self::Rewind(id) => write!(f, "{} is rewound", name(*id)),
            Self::Unreadable(id) => write!(f, "the reign of {} becomes unreadable", name(*id)),
            Self::Tear(id) => write!(f, "the ledger of {} becomes unreadable", name(*id)),
            Self::ChangeRule => f.write_str("the nodes get another synchronous_standby_names"),
        }
    }
}

impl Loss {
    /// How many faults it costs.
    pub(super) fn cost(self) -> u8 {
        u8::from(!matches!(self, Self::Copy | Self::Save))
    }

    /// Whether evidence is gone: then an election may be refused that was not before.
    fn takes_evidence(self) -> bool {
        let keeps = [Self::Copy, Self::Save, Self::ChangeRule];
        !keeps.contains(&self) && !matches!(self, Self::Rewind(_))
    }
}

impl World {
    /// What can become of evidence now.
    pub(super) fn losses(&self, scenario: &Scenario) -> Vec<Loss> {
        let trouble = scenario.trouble;
        let mut losses = Vec::new();
        if trouble.power_cut && self.before.is_some() {
            losses.push(Loss::PowerCut);
        }
        if self.phase != Phase::Idle {
            return losses;
        }
        if trouble.evidence {
            losses.extend(self.losses_of_configuration());
        }
        if trouble.rebuilds {
            losses.extend(self.replacements(scenario));
        }
        if trouble.torn {
            let ids = 0..self.nodes.len();
            losses.extend(ids.filter(|id| !self.nodes[*id].torn).map(Loss::Tear));
        }
        if scenario.later_rule.is_some() && !self.rule_changed {
            losses.push(Loss::ChangeRule);
        }
        losses
    }

    /// What is new in the configuration is copied within a monitor's interval: nothing is
    /// lost from it before.
    fn losses_of_configuration(&self) -> Vec<Loss> {
        let mut standbys = self.running(Instance::Standby);
        let copied =
            standbys.all(|id| Evidence::clone(&self.known(id)).pruned() == *self.nodes[id].ledger);
        if !copied {
            return vec![Loss::Copy];
        }
        let ids = 0..self.nodes.len();
        let away = ids
            .clone()
            .filter(|id| !self.nodes[*id].up && !self.cib[*id].gone);
        let mut losses: Vec<_> = away.map(Loss::Remove).collect();
        let kinds = [Kind::Claims, Kind::Reigns, Kind::Ends, Kind::Scores];
        let there = kinds.into_iter().filter(|kind| self.has_any(*kind));
        losses.extend(there.map(Loss::Erase));
        losses.push(if self.saved.is_none() {
            Loss::Save
        } else {
            Loss::Push
        });
        let readable = ids.filter(|id| self.cib[*id].reign.is_some() && !self.cib[*id].unreadable);
        losses.extend(readable.map(Loss::Unreadable));
        losses.push(Loss::Restart);
        losses
    }

    fn has_any(&self, kind: Kind) -> bool {
        let mut entries = self.cib.iter();
        entries.any(|entry| match kind {
            Kind::Claims => entry.claim.is_some(),
            Kind::Reigns => entry.reign.is_some(),
            Kind::Ends => entry.ended > 0,
            Kind::Scores => entry.score.is_some(),
        })
    }

    fn replacements(&self, scenario: &Scenario) -> Vec<Loss> {
        let primary = self.primary();
        let mut losses = Vec::new();
        for (id, node) in self.nodes.iter().enumerate() {
            if Some(id) == primary || node.empty || scenario.rebuilt & bit(id) == 0 {
                continue;
            }
            let sources = self
                .members()
                .filter(|from| *from != id && self.nodes[*from].instance != Instance::Stopped);
            losses.extend(sources.map(|from| Loss::Rebuild { id, from }));
            let diverged =
                primary.is_some_and(|primary| !self.contains(self.nodes[primary].wal, node.wal));
            if diverged {
                losses.push(Loss::Rewind(id));
            }
        }
        losses
    }

    /// Does it.
    pub(super) fn lose(&mut self, scenario: &Scenario, loss: Loss) {
        self.lost |= loss.takes_evidence();
        match loss {
            Loss::Copy => self.copy_all(scenario),
            Loss::Remove(id) => {
                self.cib[id] = Entry {
                    gone: true,
                    ..Entry::default()
                };
            }
            Loss::Erase(kind) => self.cib.iter_mut().for_each(|entry| erase(entry, kind)),
            Loss::Save => self.saved = Some(Made::new(self.cib.clone())),
            Loss::Push => {
                let saved = self.saved.take().unwrap();
                self.cib.clone_from(&saved);
            }
            Loss::Restart => self.restart_everywhere(),
            Loss::PowerCut => {
                let before = self.before.take().unwrap();
                (0..self.nodes.len()).for_each(|id| self.crash(id));
                self.cib.clone_from(&before);
                self.phase = Phase::Idle;
                self.waits_for_all = scenario.quorum == 1;
            }
            Loss::Rebuild { id, from } => {
                let data = (self.nodes[id].data.0 + 1, 0);
                self.nodes[id].fresh = Some(Fresh::since(self.known(id).last_term()));
                self.replace(scenario, id, self.nodes[from].wal, data);
            }
            Loss::Rewind(id) => {
                let data = (self.nodes[id].data.0, self.nodes[id].data.1 + 1);
                let sent = self.nodes[self.primary().unwrap()].wal;
                self.cib[id].claim = None;
                self.cib[id].reign = None;
                self.replace(scenario, id, sent, data);
            }
            Loss::Unreadable(id) => self.cib[id].unreadable = true,
            Loss::Tear(id) => self.nodes[id].torn = true,
            Loss::ChangeRule => self.change_rule(scenario),
        }
    }

    /// What is committed before the primary's monitor sees the new rule is guarded by the old
    /// one alone, a monitor's interval long: here it sees it at once.
    fn change_rule(&mut self, scenario: &Scenario) {
        self.rule_changed = true;
        if self.primary().is_some() {
            self.monitor(scenario, false);
        }
    }

    fn copy_all(&mut self, scenario: &Scenario) {
        let standbys: Vec<Id> = self.running(Instance::Standby).collect();
        for id in standbys {
            let mut known = Evidence::clone(&self.known(id));
            if self.nodes[id].vote.is_none() {
                // Whoever streams on the first timeline has seen nothing come of any candidacy.
                let early = scenario.forgets_early.then_some(timeline(1));
                known.forget_promises(early.or_else(|| self.streams_on(id)));
            }
            self.keep(id, &known);
        }
    }

    /// The timeline on which a standby streams: that of the primary.
    fn streams_on(&self, id: Id) -> Option<Timeline> {
        let primary = self.primary().filter(|_| self.followers().contains(&id))?;
        let branch = &self.branches[self.nodes[primary].wal.branch];
        Timeline::new(branch.number)
    }

    fn restart_everywhere(&mut self) {
        if let Some(primary) = self.primary() {
            let start = self.nodes[primary].wal;
            self.append(primary);
            let checkpoint = self.new_checkpoint(primary, start);
            self.remember(primary, &checkpoint);
            self.planned = Some(Planned {
                end: self.nodes[primary].wal,
                witnesses: 0,
                noted: bit(primary),
            });
        }
        if let Some(planned) = &mut self.planned {
            planned.witnesses = 0;
        }
        for node in &mut self.nodes {
            node.instance = Instance::Stopped;
            node.vote = None;
            node.checkpoint = None;
        }
    }

    fn replace(&mut self, scenario: &Scenario, id: Id, wal: Wal, data: (u8, u8)) {
        self.nodes[id].wal = wal;
        self.nodes[id].data = data;
        self.start_instance(scenario, id);
    }
}

fn erase(entry: &mut Entry, kind: Kind) {
    match kind {
        Kind::Claims => entry.claim = None,
        Kind::Reigns => entry.reign = None,
        Kind::Ends => entry.ended = 0,
        Kind::Scores => entry.score = None,
    }
}
