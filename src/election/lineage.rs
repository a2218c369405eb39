//! What a reign says about positions, shutdown checkpoints and other reigns.
//!
//! An opened reign names its branch. A claim names only where the claimant stood:
//! whether a branch was opened there, and under which number, is not known.

use super::rule::Rule;
use crate::ocf::NodeName;
use crate::record::reign::{Reign, Stage};
use crate::record::{DataId, ShutdownCheckpoint, Vote};
use crate::wal::{Common, History, Lsn, Place, Position, Relation};

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
    pub(super) fn start_is_held_by(&self, position: &Position) -> bool {
        self.base()
            .is_none_or(|base| matches!(base.compare(position), Relation::Same | Relation::Behind))
    }

    /// Whether a shutdown checkpoint no longer binds, because this reign came after it
    /// and its branch is open:
    ///
    /// ```text
    /// n1: 1 ────■            n1, elected in term 1, was stopped at ■
    /// n2:       └── 2 ──     n2, elected in term 2, went on from there
    /// ```
    ///
    /// n2 held the checkpoint, or an admin gave it up by force. A claim of term 2 alone
    /// does not prove that a branch was opened; it does if the claimant stood on a
    /// higher timeline, which somebody must have opened. If the checkpoint's term is
    /// not known, only a higher timeline shows that the reign came after it.
    pub(super) fn supersedes(&self, checkpoint: &ShutdownCheckpoint) -> bool {
        let beyond = self.branch.timeline > checkpoint.timeline;
        match checkpoint.term {
            Some(term) => self.term > term && (beyond || self.is_opened()),
            None => beyond,
        }
    }

    /// Whether this reign may have ended with a shutdown checkpoint. No reign ended
    /// with that of a node which was promoted by hand and demoted again.
    pub(super) fn may_have_ended_at(&self, checkpoint: &ShutdownCheckpoint) -> bool {
        let timeline = self.branch.timeline;
        self.primary == checkpoint.node
            && match self.stage {
                Stage::Opened => checkpoint.timeline == timeline,
                Stage::Claimed => checkpoint.timeline > timeline,
            }
    }

    /// Whether a claim never came true: the claimant's own vote shows that it
    /// did not leave the timeline it was elected on.
    pub(super) fn is_void_given(&self, vote_of_primary: Option<&Vote>) -> bool {
        self.stage == Stage::Claimed
            && vote_of_primary.is_some_and(|vote| {
                self.is_of_data(vote) && vote.position.timeline <= self.branch.timeline
            })
    }

    /// Whether a vote of the primary is of the data that it reigned with. Where either is
    /// not known it is.
    pub(super) fn is_of_data(&self, vote: &Vote) -> bool {
        !Rule::DataIdentity.holds()
            || !DataId::differ(self.particulars.data.as_ref(), vote.data.as_ref())
    }

    /// Whether this reign began on the branch of an earlier one. Each reign
    /// opens a branch of its own, even where two have the same number.
    fn began_on(&self, earlier: &Self) -> bool {
        let Some(base) = self.base() else {
            return true;
        };
        let switch = base.history.switch_point_of(earlier.branch.timeline);
        match earlier.stage {
            Stage::Opened if base.timeline == earlier.branch.timeline => true,
            Stage::Opened => switch.is_some() || !base.history.is_complete(),
            Stage::Claimed => switch.map_or(!base.history.is_complete(), |at| {
                let began_here = at <= earlier.branch.lsn && earlier.may_have_opened(&base);
                began_here || earlier.opened(&base)
            }),
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

    /// Where the reign began; `None` on a timeline that began with the database.
    pub(super) fn start(&self) -> Option<Place> {
        self.base().map(|base| Place::from(&base))
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
            Stage::Claimed => {
                let began_here = left_here && fork <= self.branch.lsn;
                began_here && self.may_have_opened(position) || self.opened(position)
            }
        }
    }

    /// Whether the timeline on which a position left this one can be the one that this claim
    /// opened. PostgreSQL takes the number that was meant or, where the archive has that, a
    /// higher one:
    ///
    /// ```text
    /// n1: 1 ────┬── 2 ──     n2 followed n1 to timeline 2, and is away
    /// n3: 1 ────┴── 3 ?      n3 held just this when it was elected, to open timeline 3
    /// ```
    fn may_have_opened(&self, position: &Position) -> bool {
        let child = position.child_of(self.branch.timeline);
        let meant = self.particulars.opens;
        child.is_none() || meant.is_none() || child >= meant
    }

    /// Whether a position is on the very timeline that this claim opens. A promotion replays
    /// what it finds in the archive first, so that one begins at the claimant's LSN or beyond:
    ///
    /// ```text
    /// n1: 1 ──────────┬──×       the archive has the segment up to there
    /// n2:    │        └── 2 ──   n2 held just this when it was elected, to open timeline 2
    /// ```
    fn opened(&self, position: &Position) -> bool {
        let timeline = self.branch.timeline;
        let left_at = position.history.switch_point_of(timeline);
        Rule::Opens.holds()
            && left_at.is_some_and(|at| at >= self.branch.lsn)
            && self.particulars.opens.is_some()
            && self.particulars.opens == position.child_of(timeline)
    }
}

/// Whether a node still holds a branch that it opened itself and that the `later`
/// reign did not begin on. Then it holds nothing of the later reign's branch:
///
/// ```text
/// n1: 1 ───┬── 2 ──×     n1 was elected, opened timeline 2, and died
/// n2:      └── 2'──      n2 was elected without n1, and opened a timeline 2 too
/// ```
///
/// The history files of both say "timeline 2, left timeline 1 here"; only the reigns
/// tell the two branches apart. But a history does show that n1 was rewound or
/// rebuilt by hand: then it holds nothing of its own branch any more.
pub(super) fn reigned_aside_of(
    reigns: &[&Reign],
    later: &Reign,
    node: &NodeName,
    vote: &Vote,
) -> bool {
    let held = &vote.position;
    let own = reigns
        .iter()
        .filter(|reign| reign.primary == *node && reign.is_of_data(vote));
    let mut kept = own.filter(|own| own.is_passed_by(held) && !own.is_untouched_by(held));
    kept.any(|own| own.term < later.term && !later.began_on(own))
}
