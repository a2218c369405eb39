//! Whether a node could take over, and why not.

use std::fmt;

use super::cib::Running;
use super::held::{divergence, receiver};
use super::replay::Late;
use super::seen::Seen;
use crate::ocf::NodeName;
use crate::record::{impairment, score};

/// Whether a node could take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidacy {
    /// It is the primary.
    Primary,
    /// It could.
    Yes,
    /// It could, by its promotion score; the rest is not known here.
    ByScore,
    /// It could, once it has replayed what it has.
    Late(String),
    /// Only where no other standby could.
    LastChoice(String),
    /// It could not.
    No(String),
    /// The state of the cluster is not known here.
    Unknown,
}

impl fmt::Display for Candidacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.write_str("-"),
            Self::Yes => f.write_str("yes"),
            Self::ByScore => f.write_str("by its score"),
            Self::Late(why) => write!(f, "late: {why}"),
            Self::LastChoice(why) => write!(f, "last: {why}"),
            Self::No(why) => write!(f, "no: {why}"),
            Self::Unknown => f.write_str("?"),
        }
    }
}

impl Candidacy {
    /// That of a node.
    pub fn of(seen: &Seen, node: &NodeName) -> Self {
        let running = seen.running(node);
        if running == Running::Primary {
            return Self::Primary;
        }
        if !seen.cib.has_state {
            return Self::Unknown;
        }
        let name = impairment::NAME.of(&seen.cib.resource.id);
        let impaired = seen
            .cib
            .nodes
            .get(node)
            .and_then(|node| node.transient.get(&name));
        match (obstacle(seen, node, running), impaired) {
            (Some(why), _) => Self::No(why),
            (None, Some(why)) => Self::LastChoice(why.clone()),
            (None, None) if seen.is_unseen(node) => Self::ByScore,
            (None, None) => late(seen, node).unwrap_or(Self::Yes),
        }
    }

    /// Whether it could take over at all.
    pub fn is_candidate(&self) -> bool {
        matches!(
            self,
            Self::Yes | Self::ByScore | Self::Late(_) | Self::LastChoice(_)
        )
    }
}

fn late(seen: &Seen, node: &NodeName) -> Option<Candidacy> {
    let late = Late::of(seen, node)?;
    Some(Candidacy::Late(format!("{} to replay", late.amount())))
}

fn obstacle(seen: &Seen, node: &NodeName, running: Running) -> Option<String> {
    let facts = seen.cib.nodes.get(node)?;
    if !facts.online {
        return Some("offline".to_owned());
    }
    if facts.standby {
        return Some("node in standby".to_owned());
    }
    if running != Running::Standby {
        return Some("not running".to_owned());
    }
    if divergence(seen, node).is_some() {
        return Some("diverged".to_owned());
    }
    if let Some(bar) = seen.bars.get(node) {
        return Some(format!("barred by {}", bar.what));
    }
    by_score(seen, node)
}

fn by_score(seen: &Seen, node: &NodeName) -> Option<String> {
    let Some(score) = seen.scores.get(node) else {
        return Some("no promotion score yet".to_owned());
    };
    let is_away = seen.writer().is_some() && receiver(seen, node).is_none();
    let why = match *score {
        0.. => return None,
        _ if is_away => "not connected".to_owned(),
        score => format!("promotion score {}", score::encode(score)),
    };
    Some(why)
}
