//! From a claim to a reign: what a primary publishes once its branch is open, and
//! what becomes of a claim.

use super::lineage::Lineage;
use crate::ocf::NodeName;
use crate::record::line::{FieldError, HISTORY_LIMIT};
use crate::record::reign::{Reign, Stage, last_of, last_reign, next_term};
use crate::record::sync_rule::SyncRule;
use crate::wal::{Lsn, Position};

/// What a claim has become when its node starts PostgreSQL again. In each case the
/// claim itself is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndOfClaim {
    /// The node opened its branch: this is the reign to publish.
    CameTrue(Reign),
    /// The node never left the timeline on which it was elected; or its monitor has
    /// published this reign already, or a later one.
    NothingNew,
    /// The line cannot be read.
    Unreadable(FieldError),
}

impl EndOfClaim {
    /// By what the node holds, and the reign that its monitor published last.
    pub fn of(claim: Result<Reign, FieldError>, own: &Position, reign: Option<&Reign>) -> Self {
        let claim = match claim {
            Ok(claim) => claim,
            Err(error) => return Self::Unreadable(error),
        };
        let known = reign.is_some_and(|reign| reign.term >= claim.term);
        if known || !claim.is_passed_by(own) {
            return Self::NothingNew;
        }
        Self::CameTrue(Reign {
            stage: Stage::Opened,
            branch: opened(own),
            ..claim
        })
    }
}

/// The node that was elected last, if that is not `node`: then `node` is a primary by
/// no election. `None` also where no election is on record.
pub fn elected_instead_of<'a>(node: &NodeName, known: &'a [Reign]) -> Option<&'a NodeName> {
    let elected = &last_reign(known)?.primary;
    (elected != node).then_some(elected)
}

impl Reign {
    /// What the primary's monitor publishes; `None` if nothing has changed.
    /// `position` is the primary's own: timeline and history are what counts.
    pub fn refresh(
        primary: &NodeName,
        position: &Position,
        sync: Option<SyncRule>,
        known: &[Self],
    ) -> Option<Self> {
        let own = last_of(known.iter().filter(|reign| reign.primary == *primary));
        let kept = own.filter(|own| own.is_last(known) && own.covers_branch(position));
        let fresh = Self {
            primary: primary.clone(),
            term: kept.map_or_else(|| next_term(known), |own| own.term),
            stage: Stage::Opened,
            branch: opened(position),
            sync,
        };
        (own != Some(&fresh)).then_some(fresh)
    }

    fn is_last(&self, known: &[Self]) -> bool {
        known.iter().all(|other| other.term <= self.term)
    }

    /// Whether `position`, seen on the running primary, is on the branch that
    /// this reign claimed or opened.
    fn covers_branch(&self, position: &Position) -> bool {
        match self.stage {
            Stage::Claimed => self.lineage_of(position) == Lineage::Follows,
            Stage::Opened => self.branch == opened(position),
        }
    }
}

/// The place where the timeline of a position began.
fn opened(position: &Position) -> Position {
    let history = position.history.newest(HISTORY_LIMIT);
    let lsn = history
        .switches()
        .last()
        .map_or(Lsn::ZERO, |switch| switch.at);
    Position {
        lsn,
        history,
        ..position.clone()
    }
}
