//! From a claim to a reign: what a primary publishes once its branch is open, and
//! what becomes of a claim.

use std::collections::BTreeSet;

use super::confirming::{Confirming, Past};
use super::lineage::Lineage;
use crate::ocf::NodeName;
use crate::record::line::HISTORY_LIMIT;
use crate::record::reign::{Particulars, Reign, Stage, last_of, last_reign, next_term};
use crate::record::{DataId, Evidence};
use crate::wal::{Lsn, Place, Position};

/// What a claim has become when its node starts PostgreSQL again. Once that is
/// known, the claim itself is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndOfClaim {
    /// The node opened its branch: this is the reign to publish.
    CameTrue(Box<Reign>),
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
        Self::CameTrue(Box::new(Reign {
            stage: Stage::Opened,
            branch: opened(own),
            particulars: Particulars {
                opens: None,
                ..claim.particulars
            },
            ..claim
        }))
    }
}

/// The node that was elected last, if that is not `node`: then `node` is a primary by
/// no election. `None` also where no election is on record.
pub fn elected_instead_of<'a>(node: &NodeName, known: &'a [Reign]) -> Option<&'a NodeName> {
    let elected = &last_reign(known)?.primary;
    (elected != node).then_some(elected)
}

impl Reign {
    /// The reign of a database that takes the place of the elected one, because an admin says so:
    /// later than all that is known, without a standby that has to vouch for it. So whoever still
    /// remembers another database, a node that is away or an old configuration, is outweighed.
    ///
    /// `held` and `data` are what the node has now, `now` is in seconds since the epoch. The one
    /// that was made before, if nothing has come since.
    pub fn anew(
        primary: NodeName,
        (held, data): (&Position, &DataId),
        known: &Evidence,
        now: u64,
    ) -> Self {
        let last = known.last_term();
        let made = known.of_node(&primary, Stage::Opened).cloned();
        let mut anew = Self::claim(primary, opened(held), None, last.saturating_add(1));
        anew.stage = Stage::Opened;
        anew.particulars.data = Some(data.clone());
        anew.particulars.held_at = Some(now);
        let same = |made: &Self| {
            made.term == last && last_reign(&known.reigns()) == Some(made) && made.is_like(&anew)
        };
        made.filter(same).unwrap_or(anew)
    }

    /// Whether it says the same of the same data, whenever and in whatever election.
    fn is_like(&self, other: &Self) -> bool {
        let particulars = Particulars {
            held_at: self.particulars.held_at,
            revision: self.particulars.revision,
            ..other.particulars.clone()
        };
        let term = self.term;
        *self
            == Self {
                term,
                particulars,
                ..other.clone()
            }
    }

    /// What the primary's monitor has on record of its own reign. `position` is the
    /// primary's own, up to where it has written; `data` is its data's identity.
    pub fn refresh(
        primary: &NodeName,
        (position, data): (&Position, Option<&DataId>),
        confirming: Confirming<'_>,
        known: &[Self],
    ) -> Self {
        let own = last_of(known.iter().filter(|reign| reign.primary == *primary));
        let kept = own.filter(|own| own.goes_on(position, data, known));
        let mut fresh = match kept {
            Some(kept) => kept.opened_at(position, data),
            None => Self::unelected(primary, (position, data), &confirming.nodes, known),
        };
        confirming.note(&mut fresh, kept, Place::from(position));
        if kept.is_some_and(|own| own.is_opened() && *own != fresh) {
            fresh.particulars.revision += 1;
        }
        fresh
    }

    /// The same reign, seen open.
    fn opened_at(&self, position: &Position, data: Option<&DataId>) -> Self {
        let mut opened_reign = self.clone();
        opened_reign.stage = Stage::Opened;
        opened_reign.branch = opened(position);
        opened_reign.particulars.opens = None;
        if let Some(data) = data {
            opened_reign.particulars.data = Some(data.clone());
        }
        opened_reign
    }

    /// The reign of a primary that no election is on record for, or on another branch.
    fn unelected(
        primary: &NodeName,
        (position, data): (&Position, Option<&DataId>),
        nodes: &BTreeSet<NodeName>,
        known: &[Self],
    ) -> Self {
        let branch = opened(position);
        let mut reign = Self::claim(primary.clone(), branch, None, next_term(known));
        reign.stage = Stage::Opened;
        reign.particulars.data = data.cloned();
        let reigns: Vec<_> = known.iter().collect();
        let reigns = &reigns;
        let starts = reign.start().unwrap_or_else(|| Place::from(position));
        let starts = (position, starts);
        reign.particulars.older = Past { reigns, nodes }.rules_of(primary, starts);
        reign
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
