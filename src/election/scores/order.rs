//! The order of standbys that follow, kept as long as it makes no difference.

use std::cmp::Reverse;

use super::roster::Roster;
use crate::ocf::NodeName;

/// A standby that follows, and by how many bytes it is behind.
pub(super) type Follower<'a> = (&'a NodeName, u64);

/// Two lags that differ by less than a WAL segment are equal: they change more
/// than that between two looks.
const SEGMENT: u64 = 16 * 1024 * 1024;

/// Sorts: the present order, except that a standby which is clearly further
/// behind than another steps back behind it.
///
/// Once it has stepped back it stays there until it is clearly ahead again, so
/// a lag that swings around the limit does not swap the two each time.
pub(super) fn in_order<'a>(roster: &Roster, mut rest: Vec<Follower<'a>>) -> Vec<Follower<'a>> {
    let margin = margin(roster.maxlag);
    rest.sort_by_key(|(node, lag)| present_place(roster, node, *lag));
    let mut ordered = Vec::with_capacity(rest.len());
    while let Some(least) = rest.iter().map(|(_, lag)| *lag).min() {
        let limit = least.saturating_add(margin);
        let next = rest
            .iter()
            .position(|(_, lag)| *lag <= limit)
            .unwrap_or_default();
        ordered.push(rest.remove(next));
    }
    ordered
}

fn margin(maxlag: u64) -> u64 {
    if maxlag == 0 {
        SEGMENT
    } else {
        SEGMENT.min(maxlag / 2)
    }
}

/// Candidates first, by their present score; the others by lag.
fn present_place<'a>(
    roster: &Roster,
    node: &'a NodeName,
    lag: u64,
) -> (Reverse<Option<i32>>, u64, &'a NodeName) {
    let score = roster.scores.get(node).copied().filter(|score| *score > 0);
    let lag = if score.is_some() { 0 } else { lag };
    (Reverse(score), lag, node)
}
