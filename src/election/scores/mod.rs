//! The promotion scores: which node gets which, and when.
//!
//! A score tells Pacemaker whom to *try* first; who may become primary is
//! decided by the election. Each change is a write to the cluster's
//! configuration database that interrupts whatever the cluster is doing, so a
//! score changes only when its meaning does:
//!
//! | score | meaning |
//! |---|---|
//! | 1001 | the primary |
//! | 1000, 990, … | standbys that follow, in order |
//! | 1 | was not the best in an election, the first node of a new cluster, or one that offers itself; or cut off while commits wait for it |
//! | −1 | connecting for the first time, or being built |
//! | −INFINITY | beyond `maxlag`, not connected, or diverged |
//! | −1000001 | preferred by a constraint and outvoted; not close to the primary yet |
//!
//! The meaning is that of PAF, so that both agents can take turns. PAF excludes by −1000 and
//! the like, which the constraint of a move outweighs: the primary is stopped, and then the
//! promotion is refused, as often as Pacemaker tries. Unlike
//! PAF, two standbys that follow keep their order while their lag differs
//! little, and a standby that was a candidate stays one for a grace time after
//! it lost its connection: right after a promotion nobody is connected yet, and
//! a second failure must still find a candidate.

mod after_election;
mod offer;
mod order;
mod rank;
mod readiness;
mod roster;
pub(super) mod scale;

pub use offer::{Offer, Yielded};
pub use rank::{Reach, rank};
pub use readiness::{Concerns, News, Outlook, Unready};
pub use roster::{Ranking, Roster};
pub use scale::{GRACE, LAST_CHOICE, exclusion_of_diverged, score_of_last_choice};
