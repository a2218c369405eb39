//! What each node holds, as far as it can be known from here.

use std::collections::BTreeMap;

use super::cib::Running;
use super::seen::Seen;
use crate::instance::replication::SenderState;
use crate::instance::survey::Receiver;
use crate::ocf::NodeName;
use crate::record::Divergence;
use crate::wal::{History, Position, Timeline};

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// At least this.
    pub position: Position,
    /// Whether that is no more than what every standby of the branch holds: the primary is here,
    /// and the node is not connected to it.
    pub is_assumed: bool,
}

/// What is known from here of what the nodes hold.
pub fn held(seen: &Seen) -> BTreeMap<NodeName, Held> {
    let mut all = BTreeMap::new();
    for node in seen.cib.nodes.keys() {
        let known = own(seen, node)
            .or_else(|| diverged(seen, node))
            .or_else(|| followed(seen, node));
        let certain = |position| Held {
            position,
            is_assumed: false,
        };
        let held = known.map(certain).or_else(|| assumed(seen, node));
        all.extend(held.map(|held| (node.clone(), held)));
    }
    all
}

fn own(seen: &Seen, node: &NodeName) -> Option<Position> {
    let local = seen.local.as_ref()?;
    local
        .survey
        .as_ref()
        .filter(|_| seen.here.as_ref() == Some(node))?;
    local.position.clone()
}

/// What it says itself: on another branch its LSN says nothing at the primary.
fn diverged(seen: &Seen, node: &NodeName) -> Option<Position> {
    let Some(Divergence::Left { timeline, lsn, .. }) = divergence(seen, node) else {
        return None;
    };
    let local = seen.local.as_ref()?;
    Some(Position {
        system: local.position.as_ref()?.system,
        timeline,
        lsn,
        history: history(seen, timeline),
    })
}

fn history(seen: &Seen, timeline: Timeline) -> History {
    let known = seen
        .local
        .as_ref()
        .and_then(|local| local.histories.get(&timeline));
    known.cloned().unwrap_or(History::unknown())
}

/// What it has told the primary that runs here.
fn followed(seen: &Seen, node: &NodeName) -> Option<Position> {
    let primary = seen.local.as_ref()?.position.as_ref()?;
    let lsn = receiver(seen, node)?.holds()?;
    Some(Position {
        lsn,
        ..primary.clone()
    })
}

fn assumed(seen: &Seen, node: &NodeName) -> Option<Held> {
    seen.writer()?;
    let is_standby = seen.running(node) == Running::Standby;
    let reign = seen
        .last_reign()
        .filter(|reign| is_standby && reign.is_opened())?;
    Some(Held {
        position: reign.branch,
        is_assumed: true,
    })
}

/// The connection of a node to the primary that runs here.
pub fn receiver<'a>(seen: &'a Seen, node: &NodeName) -> Option<&'a Receiver> {
    let mut receivers = seen.writer()?.receivers.iter();
    receivers.find(|one| one.name == node.as_str() && one.state == SenderState::Following)
}

/// How a node's data differ from the primary's branch, by its own word.
pub fn divergence(seen: &Seen, node: &NodeName) -> Option<Divergence> {
    let name = Divergence::NAME.of(&seen.cib.resource.id);
    let facts = seen.cib.nodes.get(node)?;
    Divergence::decode(facts.transient.get(&name)?)
}
