//! From a claim to a reign: what a primary publishes once its branch is open, and
//! what becomes of a claim.

use super::lineage::Lineage;
use crate::ocf::NodeName;
use crate::record::DataId;
use crate::record::line::HISTORY_LIMIT;
use crate::record::reign::{Particulars, Reign, Stage, last_of, last_reign, next_term};
use crate::record::sync_rule::SyncRule;
use crate::wal::{Lsn, Position};

/// What a claim has become when its node starts PostgreSQL again. Once that is
/// known, the claim itself is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndOfClaim {
    /// The node opened its branch: this is the reign to publish.
    CameTrue(Reign),
    /// The node never left the timeline on which it was elected; or its monitor has
    /// published this reign already, or a later one.
    NothingNew,
    /// The data are not those that it was made with: whether it came true is not known
    /// here, and it stays.
    OfOtherData,
}

impl EndOfClaim {
    /// By what the node holds, in which data, and the reign that its monitor published last.
    pub fn of(claim: Reign, own: &Position, data: Option<&DataId>, reign: Option<&Reign>) -> Self {
        if reign.is_some_and(|reign| reign.term >= claim.term) {
            return Self::NothingNew;
        }
        if DataId::differ(claim.particulars.data.as_ref(), data) {
            return Self::OfOtherData;
        }
        if !claim.is_passed_by(own) {
            return Self::NothingNew;
        }
        Self::CameTrue(Reign {
            stage: Stage::Opened,
            branch: opened(own),
            particulars: Particulars {
                opens: None,
                ..claim.particulars
            },
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
    /// What the primary's monitor has on record of its own reign. `position` is the
    /// primary's own: timeline and history are what counts; `data` is its data's identity.
    pub fn refresh(
        primary: &NodeName,
        (position, data): (&Position, Option<&DataId>),
        sync: Option<SyncRule>,
        known: &[Self],
    ) -> Self {
        let own = last_of(known.iter().filter(|reign| reign.primary == *primary));
        let kept = own.filter(|own| own.goes_on(position, data, known));
        let particulars = kept.map_or_else(Particulars::default, |own| own.particulars.clone());
        let mut fresh = Self {
            primary: primary.clone(),
            term: kept.map_or_else(|| next_term(known), |own| own.term),
            stage: Stage::Opened,
            branch: opened(position),
            sync,
            particulars: Particulars {
                data: data.cloned().or(particulars.data),
                opens: None,
                ..particulars
            },
        };
        if kept.is_some_and(|own| own.is_opened() && *own != fresh) {
            fresh.particulars.revision += 1;
        }
        fresh
    }

    /// Whether this reign of a running primary is still the one that it is in.
    fn goes_on(&self, position: &Position, data: Option<&DataId>, known: &[Self]) -> bool {
        let same_data = !DataId::differ(self.particulars.data.as_ref(), data);
        same_data && self.is_last(known) && self.covers_branch(position)
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
