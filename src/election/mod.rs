//! Which node may become primary, and why.
//!
//! Everything here is a pure function from observations to a decision with its
//! reason. This module must never read a file, the clock, the environment or
//! the cluster, and it never writes a log line: the caller gathers a `Ballot`,
//! asks `elect`, acts, and prints what `explain` says.
//!
//! # The rule
//!
//! The election is always held, also when the candidate was primary before.
//!
//! 1. **Who counts.** A voter is electable if it holds the cluster's database
//!    and has not left the branch that was elected last (`Reign`). A node that
//!    somebody promoted by hand has left it: its `ShutdownCheckpoint` shows that, or
//!    a timeline for which nobody was elected. Where all voters follow such a branch, and the
//!    last primary is one of them, it is adopted. A vote from before the last election
//!    counts as none. A voter that has not voted is waited for while the caller's
//!    bounded wait lasts.
//! 2. **Who is best.** The electable voter that nobody beats: A beats B if A
//!    holds all that B holds and more; where they have diverged, or the
//!    histories do not tell, the higher timeline was opened later and wins. A
//!    tie keeps the candidate.
//! 3. **Whether the best may be promoted.** Not if it misses a shutdown
//!    checkpoint, if too few
//!    synchronous standbys vote, or if the last primary excluded it. An admin's
//!    `Force` turns these obstacles into warnings, for one promotion.
//!    Nor if a voter that Pacemaker may not promote (a constraint; `Bar`) beats it by
//!    more than may be given up. Such a voter votes and vouches, but is never the best.
//! 4. If it may: promote, where it is the candidate; else yield to it. If it may
//!    not: refuse. Nobody else could be promoted on the same facts.
//!
//! # Why this is safe
//!
//! *A promoted node is never below a voter*, with one exception. It is unbeaten among
//! the electable; those who are not electable hold WAL of a branch or database that the
//! cluster left, or nothing that is known.
//!
//! *The exception: a voter that Pacemaker may not promote.* To wait for it is to wait
//! for a person. What only it holds is given up, if that is little: where replication
//! was asynchronous, at most `maxloss` bytes along one line of WAL, so that no branch of
//! an elected primary is given up unseen. Where it was synchronous, the guard decides,
//! and a voter vouches only for a node that holds all that it holds: a commit that was
//! acknowledged is not in what is given up. That is so for the last reign only, since its
//! rule is surely on record; a node that does not hold where that began is not promoted
//! past anybody. A node that could be promoted is still never passed over.
//!
//! *A score never outranks a position.* A voter that holds more than the
//! candidate wins whatever its score says: the candidate holds less and was
//! found good enough later, so the exclusion is outdated. Only when the
//! candidate is excluded as well is nobody promoted, because then the last word
//! of the last primary was that both miss more than `maxlag`.
//!
//! *Yielding ends.* All voters see the same facts and "beats" is an order, so
//! the node yielded to does not yield back, and its obstacles were checked
//! before. A refusal changes no score.
//!
//! *An acknowledged synchronous commit is on one of the voters* whenever more
//! than `|S| − k` of the listed standbys vote, or its primary does; the best
//! voter holds all that they hold. For reigns before the last see
//! `guard`.

mod ballot;
mod bar;
mod barred;
mod best;
mod confirming;
mod diverged;
mod elect;
mod explain;
mod guard;
mod lineage;
#[cfg(test)]
mod model;
mod obstacle;
mod proof;
mod reigning;
#[cfg(test)]
pub mod rule;
#[cfg(not(test))]
mod rule;
pub mod scores;
mod standing;
#[cfg(test)]
mod tests;
mod timelines;
mod verdict;

pub use ballot::{Ballot, Unreadable, known};
pub use bar::{Bar, Choice, remove_foreign_score};
pub use confirming::{Confirming, strangers};
pub use diverged::Diverged;
pub use elect::{asks_for_bars, asks_for_last_record, elect, to_be_fetched};
pub use explain::{explain, remedy};
pub use lineage::Lineage;
pub use reigning::{EndOfClaim, elected_instead_of};
pub use timelines::taken_timelines;
pub use verdict::{Outvoted, Refusal, Verdict, Warning};
