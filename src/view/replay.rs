//! Whether a standby has so much to replay, or replays so little of it, that its promotion would
//! wait for that: one rule for all commands.
//!
//! Only the standby itself knows that its replay is paused, delayed or held up. What comes of it
//! the primary sees too: it has received more than it has replayed, and that stays so.

use std::collections::BTreeSet;

use super::bytes::amount;
use super::held::receiver;
use super::seen::Seen;
use crate::instance::survey::{Receiver, Writer};
use crate::ocf::NodeName;
use crate::wal::Lsn;

/// To replay so much takes moments; more is worth saying, also where it is being done.
const LARGE: u64 = 16 * 1024 * 1024;

/// A standby that would be promoted late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// How many bytes of WAL it has received and not replayed.
    pub left: u64,
    /// Whether it replays none of it.
    pub is_still: bool,
}

impl Late {
    /// Whether a node is one, as far as that is known here.
    pub fn of(seen: &Seen, node: &NodeName) -> Option<Self> {
        let (left, is_still) = at_the_primary(seen, node).or_else(|| of_itself(seen, node))?;
        let is_late = left > 0 && (is_still || left > LARGE);
        is_late.then_some(Self { left, is_still })
    }

    /// How much it is, in words.
    pub fn amount(self) -> String {
        amount(self.left)
    }
}

fn at_the_primary(seen: &Seen, node: &NodeName) -> Option<(u64, bool)> {
    let receiver = receiver(seen, node)?;
    let is_still = seen.local.as_ref()?.still.contains(node);
    let (flushed, replayed) = (receiver.flush?, receiver.replay?);
    Some((flushed.bytes_since(replayed).unwrap_or_default(), is_still))
}

fn of_itself(seen: &Seen, node: &NodeName) -> Option<(u64, bool)> {
    let local = seen.local.as_ref();
    let local = local.filter(|_| seen.here.as_ref() == Some(node))?;
    let follower = local.survey.as_ref()?.follower()?;
    let (received, replayed) = (follower.received?, follower.replayed?);
    let left = received.bytes_since(replayed).unwrap_or_default();
    Some((left, follower.is_paused || follower.is_delayed))
}

/// The standbys that have something to replay in what the primary says now, and have replayed
/// none of it since it was asked first.
pub fn standing_still(first: &Writer, now: &Writer) -> BTreeSet<NodeName> {
    let before = |name: &str| first.receivers.iter().find(|one| one.name == name);
    let is_still = |one: &&Receiver| {
        let begun = before(&one.name).and_then(has_to_replay);
        begun.is_some() && begun == has_to_replay(one)
    };
    let still = now.receivers.iter().filter(is_still);
    still.filter_map(|one| NodeName::new(&one.name)).collect()
}

/// From where its replay has to move.
fn has_to_replay(receiver: &Receiver) -> Option<Lsn> {
    let (flushed, replayed) = (receiver.flush?, receiver.replay?);
    (flushed > replayed).then_some(replayed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::replication::SenderState;
    use crate::testing::check_rows;

    fn writer(flushed: &str, replayed: &str) -> Writer {
        let lsn = |text: &str| Lsn::from_hex(&format!("0/{text}")).ok();
        Writer {
            timeline: None,
            written: Lsn::ZERO,
            synchronous_standby_names: String::new(),
            receivers: vec![Receiver {
                name: "srv2".to_owned(),
                state: SenderState::Following,
                write: lsn(flushed),
                flush: lsn(flushed),
                replay: lsn(replayed),
                sync: String::new(),
            }],
        }
    }

    /// Flushed and replayed, first and later; who stands still.
    #[test]
    fn what_moves_or_has_nothing_left_does_not_stand_still() {
        let table = "
            500 500 500 500 | -
            500 500 600 500 | -
            500 400 500 400 | srv2
            500 400 900 400 | srv2
            500 400 900 401 | -
            500 400 500 500 | -
            500 400 -   -   | -
        ";
        check_rows(table, |facts| {
            let (first, now) = (writer(facts[0], facts[1]), writer(facts[2], facts[3]));
            let still = standing_still(&first, &now);
            still.first().map_or("-".to_owned(), ToString::to_string)
        });
    }
}
