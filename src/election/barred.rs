//! The voters that Pacemaker may not promote: what they hold more than the winner is
//! given up, within bounds.

use super::bar::Bar;
use super::best::beats;
use super::rule::Rule;
use super::standing::Count;
use super::verdict::{PassedOver, Refusal};
use crate::ocf::NodeName;
use crate::wal::{Position, Relation};

impl<'a> Count<'a> {
    /// Why Pacemaker may not promote a node. It does want to promote the candidate.
    pub(super) fn bar_of(&self, node: &NodeName) -> Option<&'a Bar> {
        let bar = self.ballot.barred.get(node);
        bar.filter(|_| *node != self.ballot.candidate && Rule::Barred.holds())
    }

    /// The barred voters that would win over a position, and what they hold more.
    pub(super) fn passed_over_by(&self, held: &Position) -> Vec<PassedOver> {
        let electable = self.electable().into_iter();
        let better = electable.filter(|(_, theirs)| beats(theirs, held));
        better
            .filter_map(|(node, theirs)| {
                Some(PassedOver {
                    node: node.clone(),
                    bytes: bytes_more(theirs, held),
                    bar: self.bar_of(node)?.clone(),
                })
            })
            .collect()
    }

    /// A barred voter on the elected branch, where nobody else is on it.
    pub(super) fn only_barred(&self) -> Option<PassedOver> {
        let electable = self.electable();
        electable.into_iter().find_map(|(node, _)| {
            Some(PassedOver {
                node: node.clone(),
                bytes: None,
                bar: self.bar_of(node)?.clone(),
            })
        })
    }
}

/// Only along one line of WAL; of one that parts nobody knows how much is given up.
fn bytes_more(theirs: &Position, held: &Position) -> Option<u64> {
    let more = theirs.compare(held) == Relation::Ahead;
    theirs.lsn.bytes_since(held.lsn).filter(|_| more)
}

/// A barred voter holds more than may be given up. Where commits are confirmed by
/// standbys, the guard knows better than a number of bytes whether any is lost: of the
/// last reign. What it began with, an earlier rule may have confirmed.
pub(super) fn gives_up_too_much(count: &Count<'_>, held: &Position) -> Option<Refusal> {
    let is_too_much = |one: &PassedOver| match (one.bytes, protection(count, held)) {
        (None, _) | (_, Protection::NoneOfIt) => true,
        (_, Protection::Guard) => false,
        (Some(bytes), Protection::MaxLoss) => bytes > count.ballot.max_loss,
    };
    let mut passed_over = count.passed_over_by(held).into_iter();
    let one = passed_over.find(is_too_much)?;
    Rule::MaxLoss.holds().then_some(Refusal::Barred(one))
}

/// What bounds the loss of a promotion that passes a barred voter over.
enum Protection {
    Guard,
    MaxLoss,
    NoneOfIt,
}

fn protection(count: &Count<'_>, held: &Position) -> Protection {
    let mut reigns = count.reigns.iter();
    let is_guarded = count.ballot.sync_guard && Rule::Quorum.holds();
    let Some(last) = count.last_reign().filter(|_| is_guarded) else {
        return Protection::MaxLoss;
    };
    if reigns.all(|reign| reign.sync.is_none()) {
        return Protection::MaxLoss;
    }
    let holds_start = last.start_is_held_by(held) || !Rule::LossOfLastReign.holds();
    match (holds_start, &last.sync) {
        (false, _) => Protection::NoneOfIt,
        (true, Some(_)) => Protection::Guard,
        (true, None) => Protection::MaxLoss,
    }
}
