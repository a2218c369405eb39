//! Which timelines were opened, or may have been.
//!
//! PostgreSQL knows only of those whose history files it has. A node that was away
//! while another one opened timeline 3 would open a timeline 3 of its own.

use crate::record::reign::{Reign, Stage};
use crate::wal::Timeline;

/// Promotions that a node may have missed.
const MOST_TAKEN: usize = 100;

/// The timelines that a promotion on `own` must not open. The error is a newest one
/// that is too far away to be true: an attribute is damaged.
pub fn taken_timelines(own: Timeline, known: &[Reign]) -> Result<Vec<Timeline>, Timeline> {
    let newest = newest_timeline(known).unwrap_or(own);
    let taken: Vec<_> = own.up_to(newest).take(MOST_TAKEN + 1).collect();
    if taken.len() > MOST_TAKEN {
        return Err(newest);
    }
    Ok(taken)
}

/// The highest timeline that was opened, or may have been. A claim that does not say which one
/// it opens may have opened the first one that was free when it was made.
fn newest_timeline(known: &[Reign]) -> Option<Timeline> {
    let mut by_term: Vec<_> = known.iter().collect();
    by_term.sort_by_key(|reign| reign.term);
    by_term.into_iter().fold(None, |newest, reign| {
        let own = Some(reign.branch.timeline);
        match reign.stage {
            Stage::Opened => newest.max(own),
            Stage::Claimed if reign.particulars.opens.is_some() => {
                newest.max(own).max(reign.particulars.opens)
            }
            Stage::Claimed => newest.max(own).and_then(Timeline::next),
        }
    })
}

impl Reign {
    /// Whether the primary of a timeline is on record, if this is the last one of
    /// `known`: a later promotion by PAF would have opened a higher one.
    pub(super) fn accounts_for(&self, timeline: Timeline, known: &[Self]) -> bool {
        let own = match self.stage {
            Stage::Opened => Some(self.branch.timeline),
            Stage::Claimed => newest_timeline(known),
        };
        own.is_none_or(|own| timeline <= own)
    }
}
