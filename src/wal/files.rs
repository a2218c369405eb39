//! What the names in `pg_wal` tell of timelines.
//!
//! PostgreSQL makes a timeline in steps (`StartupXLOG`, `src/backend/access/transam/xlog.c`; read in
//! 13.16, 15.18, 16.2 and 18.6, which are alike): the first WAL file of the new timeline, the end of
//! `standby.signal`, the history file, and at last the end-of-recovery record, with which the control
//! file names the timeline. Nobody can commit before that. What is left where it is killed in between:
//!
//! | left | what PostgreSQL does at its next start as a standby |
//! |---|---|
//! | only WAL of the new timeline | nothing: it looks for timelines by their history files |
//! | a history file too | it goes on upon the new timeline, which is as long as what it left |

use std::collections::{BTreeMap, BTreeSet};

use super::{Position, Timeline};

/// What a history file is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryFile {
    /// Somebody opened the timeline, or was about to.
    Opened,
    /// This agent reserved its number.
    Reserved,
}

/// The files of `pg_wal` that tell of timelines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WalFiles {
    /// The history files.
    pub histories: BTreeMap<Timeline, HistoryFile>,
    /// The timelines that have a WAL file.
    pub segments: BTreeSet<Timeline>,
}

/// What an unfinished promotion left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalfOpen {
    /// A timeline with a history: whoever sees that takes the timeline for open.
    WithHistory(Timeline),
    /// WAL of a timeline that has no history: it was never open, and no server reads it. But
    /// one that later follows another branch of that number would take it for that branch's.
    WithoutHistory(Timeline),
}

impl WalFiles {
    /// The timeline that a promotion from `own` opens, if these are not to be used either: the
    /// first number above its own that has no history file.
    pub fn next_free(&self, own: Timeline, taken: &[Timeline]) -> Option<Timeline> {
        let mut above = std::iter::successors(own.next(), |timeline| timeline.next());
        above.find(|next| !self.histories.contains_key(next) && !taken.contains(next))
    }

    /// The numbers that were reserved for a promotion which did not use them: before a start
    /// they go, since there PostgreSQL would look for its own future. Those below a timeline
    /// that was opened stay, for standbys ask for them all.
    pub fn to_release(&self) -> Vec<Timeline> {
        let newest = self.histories.iter().rev();
        newest
            .take_while(|(_, file)| **file == HistoryFile::Reserved)
            .map(|(timeline, _)| *timeline)
            .collect()
    }

    /// What a promotion left that was to open the timeline `opens`, from `held`; where that
    /// was not noted, the next one with a file of that kind. `history` is how a timeline
    /// began.
    pub fn half_open(
        &self,
        held: &Position,
        opens: Option<Timeline>,
        history: impl Fn(Timeline) -> super::History,
    ) -> Option<HalfOpen> {
        let file = |timeline| self.histories.get(timeline).copied();
        let possible = |timeline: &Timeline| {
            opens.map_or(*timeline > held.timeline, |opens| opens == *timeline)
        };
        let left_here = |timeline: Timeline| {
            let last = history(timeline).switches().last().copied();
            last.is_some_and(|last| last.timeline == held.timeline)
        };
        let mut opened = self.histories.keys().filter(|it| possible(it));
        let opened = opened.find(|it| file(it) == Some(HistoryFile::Opened) && left_here(**it));
        let mut stray = self.segments.iter().filter(|it| possible(it));
        opened.map(|it| HalfOpen::WithHistory(*it)).or_else(|| {
            let stray = stray.find(|it| file(it).is_none());
            stray.map(|it| HalfOpen::WithoutHistory(*it))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wal::History;
    use crate::wal::notation::position;

    fn timeline(number: u32) -> Timeline {
        Timeline::new(number).unwrap()
    }

    fn files(opened: &[u32], reserved: &[u32], segments: &[u32]) -> WalFiles {
        let opened = opened.iter().map(|it| (timeline(*it), HistoryFile::Opened));
        let reserved = reserved
            .iter()
            .map(|it| (timeline(*it), HistoryFile::Reserved));
        WalFiles {
            histories: opened.chain(reserved).collect(),
            segments: segments.iter().map(|it| timeline(*it)).collect(),
        }
    }

    #[test]
    fn a_promotion_opens_the_first_number_that_is_free() {
        let next = |files: WalFiles, taken: &[u32]| {
            let taken: Vec<_> = taken.iter().map(|it| timeline(*it)).collect();
            files.next_free(timeline(2), &taken).unwrap()
        };
        assert_eq!(next(files(&[2], &[], &[2]), &[]), timeline(3));
        assert_eq!(next(files(&[2, 5], &[3], &[2, 4]), &[]), timeline(4));
        assert_eq!(next(files(&[2], &[3], &[]), &[3, 4]), timeline(5));
    }

    #[test]
    fn only_the_newest_reserved_numbers_are_released() {
        let files = files(&[15], &[14, 16, 17], &[]);
        assert_eq!(files.to_release(), [timeline(17), timeline(16)]);
    }

    /// (history files that were opened, reserved ones, timelines with WAL, the claim's number,
    /// what was left)
    type Row<'a> = (
        &'a [u32],
        &'a [u32],
        &'a [u32],
        Option<u32>,
        Option<HalfOpen>,
    );

    /// Timelines 3 and 5 left timeline 2, timeline 4 left timeline 1.
    fn history(of: Timeline) -> History {
        let spot = match of.as_u32() {
            3 | 5 => "9@0/9000000<2@0/3000000<1@0/2000000",
            4 => "9@0/9000000<1@0/2000000",
            _ => return History::unknown(),
        };
        position(spot).history
    }

    #[test]
    fn a_table_of_what_promotions_leave() {
        let with = |number| Some(HalfOpen::WithHistory(timeline(number)));
        let without = |number| Some(HalfOpen::WithoutHistory(timeline(number)));
        let rows: [Row<'_>; 11] = [
            (&[2], &[], &[2], Some(3), None),
            (&[2], &[], &[2, 3], Some(3), without(3)),
            (&[2, 3], &[], &[2, 3], Some(3), with(3)),
            (&[2, 3], &[], &[2], Some(3), with(3)),
            // Reserved, and not what this promotion was to open.
            (&[2], &[3], &[2, 4], Some(4), without(4)),
            (&[2], &[3], &[2, 3], Some(3), None),
            // What others opened, or left, is not this promotion's.
            (&[2, 5], &[], &[2, 5], Some(3), None),
            (&[2, 4], &[], &[2], Some(4), None),
            // By a claim that does not tell its number.
            (&[2], &[], &[2, 3], None, without(3)),
            (&[2, 3], &[], &[2, 3], None, with(3)),
            (&[2], &[3], &[2], None, None),
        ];
        let held = position("2@0/3000000<1@0/2000000");
        for (opened, reserved, segments, opens, wanted) in rows {
            let left = files(opened, reserved, segments);
            let opens = opens.map(timeline);
            let found = left.half_open(&held, opens, history);
            assert_eq!(found, wanted, "{left:?} {opens:?}");
        }
    }
}
