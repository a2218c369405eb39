//! The election of a switchover before it is held, by the code that will hold it.
//!
//! The old primary is stopped cleanly and comes back as a standby, and it ends only once the
//! standbys that are connected have all of its WAL. So all vote with the end of it.

use std::collections::BTreeSet;

use super::cib::Running;
use super::held::{Held, divergence, held};
use super::prospect::ballot;
use super::seen::Seen;
use crate::election::{Verdict, asks_for_bars, elect, remedy};
use crate::ocf::NodeName;
use crate::wal::Position;

/// What would come of a switchover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// The node is promoted.
    Promotes {
        /// Who votes.
        voters: BTreeSet<NodeName>,
    },
    /// It is not.
    Refuses {
        /// Why not.
        reason: String,
        /// What can be done about it.
        cures: Vec<String>,
    },
    /// What its nodes hold is not known here.
    Unknown,
}

/// What would come of a switchover to this node.
pub fn handover(seen: &Seen, to: &NodeName) -> Handover {
    let (Some(primary), Some(end)) = (seen.primary(), end(seen, to)) else {
        return Handover::Unknown;
    };
    let standbys = seen.with(Running::Standby).into_iter();
    let standbys = standbys.filter(|node| divergence(seen, node).is_none());
    let voters: BTreeSet<_> = standbys.chain([primary]).cloned().collect();
    let vote = |node: &NodeName| (node.clone(), certain(&end));
    let votes = voters.iter().map(vote).collect();
    let mut ballot = ballot(seen, to.clone(), (&voters, &votes));
    if asks_for_bars(&ballot) {
        ballot.barred.clone_from(&seen.bars);
    }
    match elect(&ballot) {
        Verdict::Promote { .. } => Handover::Promotes { voters },
        Verdict::Refuse { reason } => Handover::Refuses {
            cures: remedy(&ballot, &reason, &seen.cib.resource.id),
            reason: reason.to_string(),
        },
        Verdict::Yield { to: other, reason } => Handover::Refuses {
            reason: format!("{other} is promoted in its place: {reason}"),
            cures: vec![format!("pgsqlms switchover --to {other}")],
        },
        Verdict::Wait { .. } => Handover::Unknown,
    }
}

fn certain(position: &Position) -> Held {
    Held {
        position: position.clone(),
        is_assumed: false,
    }
}

/// The end of the primary's WAL as it is known here: what the primary has, or, on the node
/// that is to be promoted, what that one has of it.
fn end(seen: &Seen, to: &NodeName) -> Option<Position> {
    let here = seen.here.as_ref()?;
    let is_one_of_the_two = here == to || seen.primary() == Some(here);
    held(seen)
        .remove(here)
        .filter(|_| is_one_of_the_two)
        .map(|held| held.position)
}
