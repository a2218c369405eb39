//! The view: what people and programs are shown of one resource.

use std::time::Duration;

use super::candidacy::Candidacy;
use super::cib::{Action, Device, Failed, Running};
use super::fencing::fencing_words;
use super::held::{divergence, receiver};
use super::past::how;
use super::problem::{Health, Problem, worst};
use super::prospect::Prospect;
use super::replay::Late;
use super::seen::Seen;
use super::synchronous::Synchronous;
use super::trouble::problems;
use crate::instance::slots::{self, Kept};
use crate::instance::survey::{Follower, Receiver, Says, Survey, Writer};
use crate::ocf::NodeName;
use crate::record::Divergence;
use crate::wal::{Lsn, SystemId, Timeline};

/// What is, what would happen, what is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The resource.
    pub resource: String,
    /// The clone around it.
    pub clone: Option<String>,
    /// How all of it is.
    pub health: Health,
    /// When it was looked at, since the epoch.
    pub checked_at: Duration,
    /// From which node.
    pub seen_from: Option<NodeName>,
    /// The version of the server here.
    pub postgresql: Option<String>,
    /// The database.
    pub system: Option<SystemId>,
    /// Who is the primary.
    pub primary: Option<Primary>,
    /// Which standbys commits wait for.
    pub synchronous: Synchronous,
    /// All nodes.
    pub nodes: Vec<NodeView>,
    /// What would happen without the primary.
    pub if_primary_lost: Option<Prospect>,
    /// The cluster around it.
    pub cluster: Cluster,
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
}

/// The primary, and since when.
#[derive(Debug, Clone, PartialEq)]
pub struct Primary {
    /// Its node.
    pub node: NodeName,
    /// The number of its election, if that is on record.
    pub election: Option<u64>,
    /// Its timeline.
    pub timeline: Option<Timeline>,
    /// When the election was held, since the epoch.
    pub since: Option<Duration>,
    /// What it was by: `failover from srv2`, as far as the record tells.
    pub how: Option<String>,
}

/// The cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Whether its state is known here.
    pub is_known: bool,
    /// Whether this partition has quorum.
    pub quorate: bool,
    /// How many nodes are members.
    pub online: usize,
    /// Whether it has fencing.
    pub fencing: bool,
    /// That, and what of its devices runs, in words.
    pub fencing_words: String,
    /// The fence devices.
    pub devices: Vec<Device>,
    /// Whether Pacemaker leaves the resource alone.
    pub maintenance: bool,
    /// What `move` and `ban` left behind.
    pub left_constraints: Vec<String>,
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeView {
    /// Its name.
    pub node: NodeName,
    /// Whether it is a member.
    pub online: bool,
    /// What runs there.
    pub running: Running,
    /// What it holds, as far as it is known here.
    pub wal: Wal,
    /// Whether nothing but its score is known here.
    pub is_unseen: bool,
    /// Whether its promotion would wait for its replay.
    pub late: Option<Late>,
    /// `pg_stat_replication.sync_state`.
    pub sync: Option<String>,
    /// Its promotion score.
    pub score: Option<i32>,
    /// Whether it could take over.
    pub candidacy: Candidacy,
    /// How its data differ from the primary's branch.
    pub diverged: Option<Divergence>,
    /// What the server here keeps for it by a slot.
    pub slot: Option<Kept>,
    /// The actions that failed there.
    pub failed: Vec<Failed>,
    /// The last action of each kind.
    pub actions: Vec<Action>,
}

/// Positions of a node; what is not known here is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wal {
    /// Its timeline.
    pub timeline: Option<Timeline>,
    /// Up to where it has received, or, as the primary, written.
    pub received: Option<Lsn>,
    /// Up to where it has replayed.
    pub replayed: Option<Lsn>,
    /// By how many bytes what it has received is behind the primary.
    pub behind: Option<u64>,
    /// By how many bytes what it has replayed is.
    pub replay_behind: Option<u64>,
}

impl View {
    /// Of what was seen.
    pub fn of(seen: &Seen) -> Self {
        let if_primary_lost = Prospect::without_primary(seen);
        let problems = problems(seen, if_primary_lost.as_ref());
        let local = seen.local.as_ref();
        let survey = local.and_then(|local| local.survey.as_ref());
        let position = local.and_then(|local| local.position.as_ref());
        let of_reign = || seen.last_reign().and_then(|last| last.branch.system);
        Self {
            resource: seen.cib.resource.id.clone(),
            clone: seen.cib.resource.clone.clone(),
            health: worst(&problems),
            checked_at: seen.at,
            seen_from: seen.here.clone(),
            postgresql: survey.map(|survey| survey.version.clone()),
            system: position.and_then(|held| held.system).or_else(of_reign),
            primary: primary(seen),
            synchronous: Synchronous::of(seen),
            nodes: seen
                .cib
                .nodes
                .keys()
                .map(|node| node_view(seen, node))
                .collect(),
            if_primary_lost,
            cluster: cluster(seen),
            problems,
        }
    }

    /// Whether there are standbys that are judged elsewhere.
    pub fn is_partial(&self) -> bool {
        self.nodes.iter().any(|node| node.is_unseen)
    }

    /// Whether the lags of all standbys are known here.
    pub fn knows_lags(&self) -> bool {
        let primary = self.primary.as_ref().map(|primary| &primary.node);
        primary.is_some() && primary == self.seen_from.as_ref()
    }
}

fn primary(seen: &Seen) -> Option<Primary> {
    let node = seen.primary()?.clone();
    let reign = seen.last_reign().filter(|reign| reign.primary == node);
    let reign = reign.as_ref();
    let of_writer = seen.writer().and_then(|writer| writer.timeline);
    let of_reign = reign.filter(|reign| reign.is_opened());
    Some(Primary {
        election: reign.map(|reign| reign.term),
        how: reign.and_then(|reign| how(seen, reign.term)),
        timeline: of_writer.or_else(|| of_reign.map(|reign| reign.branch.timeline)),
        since: reign
            .and_then(|reign| reign.particulars.held_at)
            .map(Duration::from_secs),
        node,
    })
}

fn cluster(seen: &Seen) -> Cluster {
    Cluster {
        is_known: seen.cib.has_state && seen.silence.is_none(),
        quorate: seen.cib.quorate,
        online: seen.cib.nodes.values().filter(|node| node.online).count(),
        fencing: seen.cib.has_fencing(),
        fencing_words: fencing_words(&seen.cib),
        devices: seen.cib.devices.clone(),
        maintenance: seen.cib.is_unmanaged(),
        left_constraints: seen.cib.left_constraints(),
    }
}

fn node_view(seen: &Seen, node: &NodeName) -> NodeView {
    let facts = seen.cib.nodes.get(node).cloned().unwrap_or_default();
    let sync = receiver(seen, node).map(|receiver| receiver.sync.clone());
    NodeView {
        online: facts.online,
        running: seen.running(node),
        wal: wal(seen, node),
        is_unseen: seen.is_unseen(node),
        late: Late::of(seen, node),
        sync: sync.filter(|sync| !sync.is_empty()),
        score: seen.scores.get(node).copied(),
        candidacy: Candidacy::of(seen, node),
        diverged: divergence(seen, node),
        slot: slot(seen, node),
        failed: facts.failed,
        actions: facts.actions,
        node: node.clone(),
    }
}

fn slot(seen: &Seen, node: &NodeName) -> Option<Kept> {
    let survey = seen.local.as_ref()?.survey.as_ref()?;
    let name = slots::name::of(node);
    let mut slots = survey.slots.iter();
    slots.find(|one| one.slot == name).cloned()
}

fn wal(seen: &Seen, node: &NodeName) -> Wal {
    if let Some(survey) = own_survey(seen, node) {
        return own_wal(seen, survey);
    }
    if let Some(Divergence::Left { timeline, lsn, .. }) = divergence(seen, node) {
        return Wal {
            timeline: Some(timeline),
            received: Some(lsn),
            ..Wal::default()
        };
    }
    match (seen.writer(), receiver(seen, node)) {
        (Some(writer), Some(receiver)) => followed(writer, receiver),
        _ => primary_elsewhere(seen, node),
    }
}

fn own_survey<'a>(seen: &'a Seen, node: &NodeName) -> Option<&'a Survey> {
    let local = seen
        .local
        .as_ref()
        .filter(|_| seen.here.as_ref() == Some(node))?;
    local.survey.as_ref()
}

fn own_wal(seen: &Seen, survey: &Survey) -> Wal {
    let held = seen
        .local
        .as_ref()
        .and_then(|local| local.position.as_ref());
    let timeline = held.map(|held| held.timeline);
    match &survey.says {
        Says::Primary(writer) => Wal {
            timeline: writer.timeline.or(timeline),
            received: Some(writer.written),
            ..Wal::default()
        },
        Says::Standby(follower) => Wal {
            timeline,
            received: follower.end(),
            replayed: follower.replayed,
            behind: lag(follower.primary_end, follower.end()),
            replay_behind: lag(follower.primary_end, follower.replayed),
        },
    }
}

fn followed(writer: &Writer, receiver: &Receiver) -> Wal {
    let written = Some(writer.written);
    Wal {
        timeline: writer.timeline,
        received: receiver.holds(),
        replayed: receiver.replay,
        behind: lag(written, receiver.holds()),
        replay_behind: lag(written, receiver.replay),
    }
}

/// What a standby here heard of it last.
fn primary_elsewhere(seen: &Seen, node: &NodeName) -> Wal {
    if seen.running(node) != Running::Primary {
        return Wal::default();
    }
    let survey = seen.local.as_ref().and_then(|local| local.survey.as_ref());
    let follower: Option<&Follower> = survey.and_then(|survey| survey.follower());
    Wal {
        timeline: primary(seen).and_then(|primary| primary.timeline),
        received: follower.and_then(|follower| follower.primary_end),
        ..Wal::default()
    }
}

/// 0 where the standby was asked a moment later.
fn lag(primary: Option<Lsn>, standby: Option<Lsn>) -> Option<u64> {
    let (primary, standby) = (primary?, standby?);
    Some(primary.bytes_since(standby).unwrap_or_default())
}
