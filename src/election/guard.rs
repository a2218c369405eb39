//! An acknowledged synchronous commit is never lost.
//!
//! A commit that a client saw acknowledged is on its primary and on `k` of the
//! listed standbys `S`. If more than `|S| − k` of them vote, one of the voters
//! has it; so it is if the primary itself votes. The best voter holds all that
//! these voters hold, and so the commit. A voter that holds nothing at all of that
//! reign counts too: the commit is certainly not on it, so it must be on another.

use std::collections::BTreeSet;

use super::rule::Rule;
use super::standing::Count;
use super::verdict::Refusal;
use crate::ocf::NodeName;
use crate::record::{Reign, SyncRule};
use crate::wal::Position;

/// Acknowledged synchronous commits may be on none of the voters.
///
/// The last reign's rule covers the commits of that reign. Commits of an earlier
/// one are in it too, provided that the best voter holds the point where it
/// began; if not, the earlier reign's rule must be met as well.
pub(super) fn no_quorum(count: &Count<'_>, held: &Position) -> Option<Refusal> {
    if !count.ballot.sync_guard || !Rule::Quorum.holds() {
        return None;
    }
    for reign in count.reigns.iter().rev() {
        let missing = quorum_missing(count, reign, held);
        if missing.is_some() {
            return missing;
        }
        if reign.start_is_held_by(held) || !Rule::EarlierReigns.holds() {
            return None;
        }
    }
    None
}

/// What is missing for the commits of one reign. Where the rule names nobody but the primary
/// itself, no commit can have been acknowledged, and none is guarded.
fn quorum_missing(count: &Count<'_>, reign: &Reign, held: &Position) -> Option<Refusal> {
    let rule = reign.sync.as_ref()?;
    if count.primary_is_covered(reign, held) {
        return None;
    }
    let vouching = count.vouching_for(reign, held);
    let voted: BTreeSet<_> = vouching
        .map(|node| node.as_str().to_ascii_lowercase())
        .collect();
    let standbys = standbys(rule, &reign.primary, &count.ballot.known_nodes);
    if standbys.is_empty() && !rule.names.iter().any(|name| name == "*") {
        return None;
    }
    let present = standbys.intersection(&voted).count();
    let needed = standbys.len().saturating_sub(rule.count) + 1;
    (present < needed).then(|| Refusal::NoQuorum {
        primary: reign.primary.clone(),
        missing: needed - present,
        absent: standbys.difference(&voted).cloned().collect(),
        rule: rule.to_string(),
    })
}

/// The standbys that may have confirmed a commit of `primary`. PostgreSQL compares
/// these names without regard to case. The primary itself may be listed (one
/// configuration for all nodes) but never confirms.
pub fn standbys(
    rule: &SyncRule,
    primary: &NodeName,
    known: &BTreeSet<NodeName>,
) -> BTreeSet<String> {
    let any = rule.names.iter().any(|name| name == "*");
    let listed = rule.names.iter().filter(|name| *name != "*");
    let known = known.iter().filter(|_| any).map(NodeName::as_str);
    listed
        .map(String::as_str)
        .chain(known)
        .filter(|name| !(Rule::NotItself.holds() && name.eq_ignore_ascii_case(primary.as_str())))
        .map(str::to_ascii_lowercase)
        .collect()
}
