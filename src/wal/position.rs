//! How much of which branch a node holds.
//!
//! Two positions are compared as *prefixes of branches*. The lines of two
//! branches are the same up to some point (`Common`); what a node holds beyond
//! that point, the other branch does not have. So
//!
//! * both within the common part: the longer one holds more;
//! * one within, one beyond: the one beyond holds all of the other and more;
//! * both beyond: they have diverged, and no amount of waiting joins them.
//!
//! That is "A ≤ B iff A's timeline is B's or an ancestor of B's and A's LSN
//! does not pass the point where B's branch left it", without a hole where B
//! knows a timeline but does not hold any of its WAL yet.

use std::fmt;

use super::{History, Lsn, SystemId, Timeline};

/// The end of the WAL that a node holds, and the branch it lies on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// The database; `None` where the source does not tell (votes of PAF).
    pub system: Option<SystemId>,
    /// The highest timeline that the node's WAL belongs to.
    pub timeline: Timeline,
    /// The first byte that the node does not hold.
    pub lsn: Lsn,
    /// The ancestors of `timeline`, as far as they are known.
    pub history: History,
}

/// A timeline and an LSN on it, without the history: a place for sentences, and for
/// the start of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The timeline.
    pub timeline: Timeline,
    /// The LSN.
    pub lsn: Lsn,
}

/// What one position is to another. Read `a.compare(&b)` as "a is … b".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Both hold the same.
    Same,
    /// All of the first is in the second, which holds more.
    Behind,
    /// All of the second is in the first, which holds more.
    Ahead,
    /// Each holds WAL that the other's branch does not have.
    Diverged {
        /// The end of the part they share.
        fork: Lsn,
    },
    /// Different databases; there is nothing to compare.
    OtherSystem,
    /// The known histories do not reach back far enough to tell.
    Unknown,
}

/// How far the branches of two positions are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Common {
    /// One and the same branch.
    Whole,
    /// The same up to here.
    Until(Lsn),
    /// The known histories do not tell.
    Unknown,
}

/// One stretch of a branch: a timeline, and where it was left (`None`: not yet).
type Stretch = (Timeline, Option<Lsn>);

impl Position {
    /// Compares what two nodes hold.
    pub fn compare(&self, other: &Self) -> Relation {
        if self.is_of_other_system(other) {
            return Relation::OtherSystem;
        }
        match self.common_with(other) {
            Common::Unknown => Relation::Unknown,
            Common::Whole => self.compare_within(other),
            Common::Until(fork) => self.compare_around(other, fork),
        }
    }

    /// Whether both systems are known and differ.
    pub fn is_of_other_system(&self, other: &Self) -> bool {
        matches!((self.system, other.system), (Some(a), Some(b)) if a != b)
    }

    /// Whether this position holds the record that starts at `lsn` of
    /// `timeline`: strictly beyond its start, on that timeline or on a branch
    /// that left it later. `None`: the history does not reach back that far.
    pub fn holds(&self, timeline: Timeline, lsn: Lsn) -> Option<bool> {
        let beyond = self.lsn > lsn;
        if self.timeline == timeline {
            return Some(beyond);
        }
        match self.history.switch_point_of(timeline) {
            Some(left_at) => Some(beyond && left_at > lsn),
            None if timeline > self.timeline || self.history.is_complete() => Some(false),
            None => None,
        }
    }

    /// Whether this position holds all WAL of its branch up to a place on it. `false` also
    /// where the history does not reach back that far.
    pub fn reaches(&self, place: Place) -> bool {
        let left_at = self.history.switch_point_of(place.timeline);
        let left_at = left_at.or_else(|| (self.timeline == place.timeline).then_some(self.lsn));
        left_at.is_some_and(|left_at| left_at >= place.lsn) && self.lsn >= place.lsn
    }

    /// How far both branches are the same.
    pub fn common_with(&self, other: &Self) -> Common {
        let known_from = self.known_from().max(other.known_from());
        let mut ours = self
            .line()
            .skip_while(|stretch| Some(stretch.0) < known_from);
        let mut theirs = other
            .line()
            .skip_while(|stretch| Some(stretch.0) < known_from);
        let mut agreed = known_from.is_none().then_some(Lsn::ZERO);
        loop {
            match (ours.next(), theirs.next()) {
                (Some(a), Some(b)) if a == b && a.1.is_none() => return Common::Whole,
                (Some(a), Some(b)) if a == b => agreed = a.1,
                (Some(a), Some(b)) if a.0 == b.0 => return earlier_end(a.1, b.1),
                _ => return agreed.map_or(Common::Unknown, Common::Until),
            }
        }
    }

    /// The timeline on which this branch left `timeline`.
    pub fn child_of(&self, timeline: Timeline) -> Option<Timeline> {
        let mut later = self.line().map(|(own, _)| own);
        later.find(|own| *own == timeline)?;
        later.next()
    }

    /// The branch, oldest stretch first.
    fn line(&self) -> impl Iterator<Item = Stretch> + '_ {
        let ancestors = self.history.switches().iter();
        ancestors
            .map(|switch| (switch.timeline, Some(switch.at)))
            .chain([(self.timeline, None)])
    }

    /// The oldest timeline that is known of an incomplete history; `None` if
    /// the history is complete.
    fn known_from(&self) -> Option<Timeline> {
        if self.history.is_complete() {
            return None;
        }
        self.line().next().map(|(timeline, _)| timeline)
    }

    /// Both on one line. A timeline known beyond the same LSN counts as more:
    /// its node has seen the later election.
    fn compare_within(&self, other: &Self) -> Relation {
        match (self.lsn, self.timeline).cmp(&(other.lsn, other.timeline)) {
            std::cmp::Ordering::Less => Relation::Behind,
            std::cmp::Ordering::Equal => Relation::Same,
            std::cmp::Ordering::Greater => Relation::Ahead,
        }
    }

    fn compare_around(&self, other: &Self, fork: Lsn) -> Relation {
        match (self.lsn <= fork, other.lsn <= fork) {
            (true, true) => self.compare_within(other),
            (true, false) => Relation::Behind,
            (false, true) => Relation::Ahead,
            (false, false) => Relation::Diverged { fork },
        }
    }
}

impl From<&Position> for Place {
    fn from(position: &Position) -> Self {
        Self {
            timeline: position.timeline,
            lsn: position.lsn,
        }
    }
}

/// `timeline 3 at 0/5000028`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timeline {} at {}", self.timeline, self.lsn)
    }
}

/// The place alone, the way log lines name a position.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Place::from(self).fmt(f)
    }
}

fn earlier_end(a: Option<Lsn>, b: Option<Lsn>) -> Common {
    a.into_iter()
        .chain(b)
        .min()
        .map_or(Common::Whole, Common::Until)
}
