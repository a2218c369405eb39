//! What a reign says about positions, floors and other reigns.
//!
//! An opened reign names its branch. A claim names only where the claimant stood:
//! whether a branch was opened there, and under which number, is not known.

use super::rule::Rule;
use crate::ocf::NodeName;
use crate::record::reign::{HISTORY_LIMIT, Reign, Stage, last_of, newest_timeline, next_term};
use crate::record::{Floor, SyncRule};
use crate::wal::{Common, History, Lsn, Position, Relation, Timeline};

/// How a position stands to the branch of a reign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lineage {
    /// On the branch, or short of the point where it began, or beyond it on a
    /// branch that began there.
    Follows,
    /// Holds WAL that this branch does not have.
    Left {
        /// The end of the part they share.
        fork: Lsn,
    },
    /// Another database.
    OtherSystem,
    /// The known histories do not tell.
    Unknown,
}

impl Reign {
    /// How a position stands to this reign's branch.
    pub fn lineage_of(&self, position: &Position) -> Lineage {
        if position.is_of_other_system(&self.branch) {
            return Lineage::OtherSystem;
        }
        if !Rule::History.holds() {
            return Lineage::Follows;
        }
        let fork = match position.common_with(&self.branch) {
            Common::Unknown => return Lineage::Unknown,
            Common::Whole => self.end_of_branch(),
            Common::Until(fork) => Some(fork),
        };
        match fork {
            Some(fork) if position.lsn > fork && !self.continues_in(position, fork) => {
                Lineage::Left { fork }
            }
            _ => Lineage::Follows,
        }
    }

    /// Whether a position holds all that the primary held when it was elected.
    pub fn start_is_held_by(&self, position: &Position) -> bool {
        self.base()
            .is_none_or(|base| matches!(base.compare(position), Relation::Same | Relation::Behind))
    }

    /// Whether a floor is settled: somebody was elected after it and opened a
    /// branch. He held it, or an admin gave it up by force. A claim shows that
    /// only if it was made on a branch that was opened since. Of a floor whose
    /// term is not known, a higher timeline shows it.
    pub(super) fn settles(&self, floor: &Floor) -> bool {
        let beyond = self.branch.timeline > floor.timeline;
        match floor.term {
            Some(term) => self.term > term && (beyond || self.stage == Stage::Opened),
            None => beyond,
        }
    }

    /// Whether the primary of a timeline is on record, if this is the last one of
    /// `known`: a later promotion by the Perl agent would have opened a higher one.
    pub(super) fn accounts_for(&self, timeline: Timeline, known: &[Self]) -> bool {
        let own = match self.stage {
            Stage::Opened => Some(self.branch.timeline),
            Stage::Claimed => newest_timeline(known),
        };
        own.is_none_or(|own| timeline <= own)
    }

    /// Whether this reign may have ended with a floor. A node that was promoted by
    /// hand, and demoted again, publishes one that no reign ended with.
    pub(super) fn may_have_ended_at(&self, floor: &Floor) -> bool {
        let timeline = self.branch.timeline;
        self.primary == floor.node
            && match self.stage {
                Stage::Opened => floor.timeline == timeline,
                Stage::Claimed => floor.timeline > timeline,
            }
    }

    /// Whether a claim never came true: the claimant's own vote shows that it
    /// did not leave the timeline it was elected on.
    pub fn is_void_given(&self, vote_of_primary: Option<&Position>) -> bool {
        self.stage == Stage::Claimed
            && vote_of_primary.is_some_and(|held| held.timeline <= self.branch.timeline)
    }

    /// Whether this reign began on the branch of an earlier one. Each reign
    /// opens a branch of its own, even where two have the same number.
    pub(super) fn began_on(&self, earlier: &Reign) -> bool {
        let Some(base) = self.base() else {
            return true;
        };
        let switch = base.history.switch_point_of(earlier.branch.timeline);
        match earlier.stage {
            Stage::Opened if base.timeline == earlier.branch.timeline => true,
            Stage::Opened => switch.is_some() || !base.history.is_complete(),
            Stage::Claimed => {
                switch.map_or(!base.history.is_complete(), |at| at <= earlier.branch.lsn)
            }
        }
    }

    /// Whether a position holds nothing of this reign's branch, and cannot have
    /// confirmed a commit on it.
    pub(super) fn is_untouched_by(&self, held: &Position) -> bool {
        let known = held.history.is_complete();
        let switch = held.history.switch_point_of(self.branch.timeline);
        let here = held.timeline == self.branch.timeline;
        known && switch.is_none() && (self.stage == Stage::Claimed || !here)
    }

    /// Whether a position is beyond the point where this reign began. The
    /// primary's own is, once its branch is open.
    pub(super) fn is_passed_by(&self, own: &Position) -> bool {
        match self.stage {
            Stage::Claimed => own.timeline > self.branch.timeline,
            Stage::Opened => own.timeline >= self.branch.timeline,
        }
    }

    /// What the primary held when it was elected; `None` on a timeline that
    /// began with the database.
    fn base(&self) -> Option<Position> {
        if self.stage == Stage::Claimed {
            return Some(self.branch.clone());
        }
        let (last, before) = self.branch.history.switches().split_last()?;
        let complete = self.branch.history.is_complete();
        let history = History::from_switches(before.to_vec(), last.timeline, complete).ok()?;
        Some(Position {
            system: self.branch.system,
            timeline: last.timeline,
            lsn: last.at,
            history,
        })
    }

    /// A claim ends where the claimant stood; an opened branch is open.
    fn end_of_branch(&self) -> Option<Lsn> {
        (self.stage == Stage::Claimed).then_some(self.branch.lsn)
    }

    /// Whether a position beyond `fork` is on a branch that began on this one.
    fn continues_in(&self, position: &Position, fork: Lsn) -> bool {
        let left_here = position.history.switch_point_of(self.branch.timeline) == Some(fork);
        match self.stage {
            Stage::Opened => left_here,
            // The claimed branch itself. It may begin a little earlier than the
            // claimant's LSN, when its last record was received only in part.
            Stage::Claimed => left_here && fork <= self.branch.lsn,
        }
    }
}

impl Reign {
    /// What the primary's monitor publishes; `None` if nothing has changed.
    /// `position` is the primary's own: timeline and history are what counts.
    pub fn refresh(
        primary: &NodeName,
        position: &Position,
        sync: Option<SyncRule>,
        known: &[Reign],
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

    /// What a claim has become, by the claimant's own position before its
    /// instance starts again: the reign to publish. `None` if it never left its
    /// timeline, or if the monitor has published this or a later `reign` already.
    pub fn ended_by(&self, own: &Position, reign: Option<&Reign>) -> Option<Self> {
        let known = reign.is_some_and(|reign| reign.term >= self.term);
        (!known && self.is_passed_by(own)).then(|| Self {
            stage: Stage::Opened,
            branch: opened(own),
            ..self.clone()
        })
    }

    fn is_last(&self, known: &[Reign]) -> bool {
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
    let history: History = position.history.newest(HISTORY_LIMIT);
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
