//! What a promotion score means. The table is in `super`.

use std::time::Duration;

use crate::record::score::MINUS_INFINITY;

/// The score of the primary.
pub const PRIMARY: i32 = 1001;
/// The score of the first standby, and the most that one can have.
pub const FIRST_STANDBY: i32 = 1000;
/// What a standby's score is below that of the one before it.
pub const STEP: i32 = 10;
/// The score of a node that lost an election, is the first of a new cluster, or
/// offers itself: Pacemaker takes it where it has no better one.
pub const LAST_CHOICE: i32 = 1;
/// The score of a standby that connects for the first time.
pub const CONNECTING: i32 = -1;
/// The score of a node that must not be promoted. No other negative score outweighs the
/// constraint of a move, which is infinite too (`pcmk__add_scores`).
pub const EXCLUDED: i32 = MINUS_INFINITY;
/// The score of a node that lost an election and would be tried again, since a constraint prefers
/// it. To Pacemaker it is -INFINITY (`char2score`); here it tells the next primary that the
/// constraint will move the role as soon as the node is a candidate, so that it had better be close.
pub const OUTVOTED: i32 = EXCLUDED - 1;

/// So many bytes, one WAL segment, may a node be behind without a `maxlag` that is to become a
/// candidate although it is none.
pub const CLOSE: u64 = 16 * 1024 * 1024;

/// For how long a candidate stays one without a connection.
pub const GRACE: Duration = Duration::from_secs(60);

/// Whether Pacemaker promotes nobody with such a score.
pub fn is_excluded(score: i32) -> bool {
    score < 0
}

/// The new score of a standby that answers no question, or needs a restart before its
/// promotion: it is tried after all others.
/// `None` if it is not tried before, and nothing is to be written.
pub fn score_of_last_choice(present: Option<i32>) -> Option<i32> {
    let is_tried_before = present.is_some_and(|score| score > LAST_CHOICE);
    is_tried_before.then_some(LAST_CHOICE)
}

/// The new score of a node that has diverged: no candidate any more. `None` if it is
/// none already, and nothing is to be written.
pub fn exclusion_of_diverged(present: Option<i32>) -> Option<i32> {
    let is_candidate = present.is_some_and(|score| !is_excluded(score));
    is_candidate.then_some(EXCLUDED)
}
