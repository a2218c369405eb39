//! A cluster to explore, and how much may happen to it.

use super::made::Made;
use super::world::{Branch, Entry, Instance, Node, Phase, Wal, World, bit, data_id, name};
use crate::election::scores::scale::{FIRST_STANDBY, PRIMARY, STEP};
use crate::instance::replication::{Sender, SenderState};
use crate::record::reign::{Particulars, Stage};
use crate::record::{Evidence, Reign, SyncRule};
use crate::testing::node;
use crate::wal::History;

/// The kinds of trouble that a scenario allows. Each costs one of its faults.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    /// A node loses power, and is fenced.
    pub(super) crash: bool,
    /// The primary's postmaster dies; its node recovers it in place.
    pub(super) instance_crash: bool,
    /// A vote is lost on its way.
    pub(super) lost_vote: bool,
    /// A vote arrives while the candidate waits.
    pub(super) late_vote: bool,
    /// pre-promote fails on a node: no vote, and an old one is not cleaned.
    pub(super) failed_notify: bool,
    /// post-promote fails on a node: its vote is not cleaned.
    pub(super) failed_cleaning: bool,
    /// pg_promote fails, before or after the branch is open.
    pub(super) failed_promote: bool,
    /// A node does not copy the demoted primary's shutdown checkpoint.
    pub(super) lost_copy: bool,
    /// The primary's standbys stay unconnected for longer than the grace time.
    pub(super) long_absence: bool,
    /// A constraint comes to forbid the promotion of a node.
    pub(super) ban: bool,
    /// Permanent attributes are lost, or old ones come back; private ones are lost.
    pub(super) evidence: bool,
    /// All nodes lose power at once, and the CIB its last change.
    pub(super) power_cut: bool,
    /// A node's data are rebuilt or rewound.
    pub(super) rebuilds: bool,
    /// The promotion replays WAL from the archive, beyond what was voted.
    pub(super) archive: bool,
    /// A promotion dies between PostgreSQL's first effects.
    pub(super) half_open: bool,
    /// A vote cannot be read.
    pub(super) unreadable: bool,
    /// A ledger cannot be read.
    pub(super) torn: bool,
    /// Somebody promotes a node past Pacemaker, and all follow it.
    pub(super) by_hand: bool,
}

impl Trouble {
    /// Nodes lose power; nothing else goes wrong.
    pub(super) const POWER: Self = Self {
        crash: true,
        instance_crash: false,
        lost_vote: false,
        late_vote: false,
        failed_notify: false,
        failed_cleaning: false,
        failed_promote: false,
        lost_copy: false,
        long_absence: false,
        ban: false,
        evidence: false,
        power_cut: false,
        rebuilds: false,
        archive: false,
        half_open: false,
        unreadable: false,
        torn: false,
        by_hand: false,
    };

    /// Nodes lose power, evidence is lost, and data are replaced.
    pub(super) const EVIDENCE: Self = Self {
        evidence: true,
        power_cut: true,
        rebuilds: true,
        ..Self::POWER
    };

    /// Everything but late votes, which change nothing as long as they are
    /// waited for, and constraints, which have scenarios of their own.
    pub(super) const ALL: Self = Self {
        crash: true,
        instance_crash: true,
        lost_vote: true,
        late_vote: false,
        failed_notify: true,
        failed_cleaning: true,
        failed_promote: true,
        lost_copy: true,
        long_absence: true,
        ban: false,
        evidence: false,
        power_cut: false,
        rebuilds: false,
        archive: false,
        half_open: false,
        unreadable: false,
        torn: false,
        by_hand: false,
    };
}

/// A cluster and its bounds.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) title: &'static str,
    /// `synchronous_standby_names` of each node; as many as there are nodes.
    pub(super) sync: Vec<&'static str>,
    pub(super) guard: bool,
    /// How many members Pacemaker needs to act at all.
    pub(super) quorum: usize,
    pub(super) maxlag: u64,
    pub(super) trouble: Trouble,
    pub(super) faults: u8,
    pub(super) writes: u8,
    pub(super) moves: u8,
    /// Promotions at most, plus one.
    pub(super) branches: usize,
    /// Elections are held while the last known term is lower: each that is refused leaves
    /// a promise behind, so there is no end of them.
    pub(super) terms: u64,
    /// Whether `promote` publishes a claim before PostgreSQL leaves recovery.
    pub(super) claims: bool,
    /// Whether `promote` keeps PostgreSQL from taking a timeline that another
    /// node may have opened.
    pub(super) reserves: bool,
    /// Whether `start` ends the node's own claim.
    pub(super) claims_are_ended: bool,
    /// Whether standbys forget their promises as soon as an election is over, whatever came of it.
    pub(super) forgets_early: bool,
    /// Whether the last node holds another database.
    pub(super) foreign: bool,
    /// The nodes that Pacemaker may not promote in the beginning, as bits.
    pub(super) barred: u8,
    /// How many bytes more such a node may hold than the winner.
    pub(super) max_loss: u64,
    /// The rule that all nodes may get later.
    pub(super) later_rule: Option<&'static str>,
    /// A receiver that is no node of the cluster confirms commits.
    pub(super) foreign_confirmer: bool,
    /// The nodes without a database, and those that run the first version of the agent.
    pub(super) empty: u8,
    pub(super) old: u8,
    /// Those whose data may be replaced.
    pub(super) rebuilt: u8,
}

/// A receiver of WAL that is no node.
pub(super) const STRANGER: &str = "archive";

impl Scenario {
    /// `nodes` nodes, asynchronous, everything allowed.
    pub(super) fn new(title: &'static str, nodes: usize) -> Self {
        Self {
            title,
            sync: vec![""; nodes],
            guard: true,
            quorum: if nodes == 2 { 1 } else { 2 },
            maxlag: 0,
            trouble: Trouble::ALL,
            faults: 2,
            writes: 2,
            moves: 1,
            branches: 4,
            terms: 4,
            claims: true,
            reserves: true,
            claims_are_ended: true,
            forgets_early: false,
            foreign: false,
            barred: 0,
            max_loss: 0,
            later_rule: None,
            foreign_confirmer: false,
            empty: 0,
            old: 0,
            rebuilt: 0b111,
        }
    }

    /// The same cluster, where PostgreSQL on each node follows such a rule.
    pub(super) fn with_rules(mut self, sync: Vec<&'static str>) -> Self {
        self.sync = sync;
        self
    }

    /// The rule that PostgreSQL on a node follows.
    pub(super) fn rule_of(&self, id: usize, changed: bool) -> Option<SyncRule> {
        let later = self.later_rule.filter(|_| changed);
        SyncRule::parse(later.unwrap_or(self.sync[id])).unwrap()
    }

    /// Who receives WAL from a primary, as it sees them.
    pub(super) fn senders(&self, world: &World, primary: usize) -> Vec<Sender> {
        let end = world.nodes[primary].wal.lsn;
        let sender = |name: &str, lag: u8| Sender {
            name: name.to_owned(),
            state: SenderState::Following,
            lag: Some(u64::from(lag)),
            confirms: true,
        };
        let followers = world.followers().into_iter();
        let nodes = followers.map(|id| sender(name(id), end - world.nodes[id].wal.lsn));
        let stranger = self.foreign_confirmer.then(|| sender(STRANGER, 0));
        nodes.chain(stranger).collect()
    }

    /// The beginning: n1 is primary, all hold the same.
    pub(super) fn start(&self) -> World {
        let root = |system| Branch {
            left: None,
            number: 1,
            end: 1,
            system,
            history: Made::new(History::root()),
        };
        let mut world = World {
            nodes: (0..self.sync.len()).map(|id| self.first_node(id)).collect(),
            cib: (0..self.sync.len()).map(first_entry).collect(),
            branches: vec![root(7)],
            elected: 0,
            acked: Vec::new(),
            planned: None,
            phase: Phase::Idle,
            barred: self.barred,
            faults: self.faults,
            writes: self.writes,
            moves: self.moves,
            saved: None,
            before: None,
            // Nobody can tell what a stranger confirmed: a refusal is right.
            lost: self.foreign_confirmer,
            waits_for_all: false,
            rule_changed: false,
        };
        if self.foreign {
            world.branches.push(root(8));
            let stranger = world.nodes.len() - 1;
            world.nodes[stranger].wal = Wal { branch: 1, lsn: 9 };
        }
        world.nodes[0].instance = Instance::Primary;
        let reign = Reign {
            primary: node(name(0)),
            term: 1,
            stage: Stage::Opened,
            branch: world.position(Wal { branch: 0, lsn: 0 }),
            sync: self.rule_of(0, false),
            particulars: Particulars {
                data: Some(data_id(0, (0, 0))),
                ..Particulars::default()
            },
        };
        let ledger = Made::new(Evidence::of([reign.clone()]));
        let kept = world.nodes.iter_mut().filter(|node| !node.old);
        kept.for_each(|node| node.ledger = ledger.clone());
        world.cib[0].reign = Some(Made::new(reign));
        world
    }

    fn first_node(&self, id: usize) -> Node {
        let empty = self.empty & bit(id) != 0;
        Node {
            up: true,
            instance: if empty {
                Instance::Stopped
            } else {
                Instance::Standby
            },
            wal: Wal { branch: 0, lsn: 1 },
            data: (0, 0),
            fresh: None,
            ledger: Made::new(Evidence::default()),
            vote: None,
            checkpoint: None,
            empty,
            old: self.old & bit(id) != 0,
            torn: false,
            barred: self.barred & bit(id) != 0,
        }
    }
}

fn first_entry(id: usize) -> Entry {
    Entry {
        score: Some([PRIMARY, FIRST_STANDBY, FIRST_STANDBY - STEP][id]),
        ..Entry::default()
    }
}
