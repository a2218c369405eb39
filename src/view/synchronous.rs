//! Which standbys commits wait for, and how many of them could be lost before commits stall.

use std::collections::BTreeSet;

use super::seen::Seen;
use crate::record::SyncRule;

/// The rule of synchronous replication, and how it is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synchronous {
    /// `synchronous_standby_names`; `None`: nobody has to confirm.
    pub rule: Option<SyncRule>,
    /// Parameter `sync_guard`.
    pub guard: bool,
    /// How many standbys confirm now; known on the primary's node.
    pub confirming: Option<usize>,
}

/// Whether `pg_stat_replication` calls it a standby whose word counts, or will once another is gone.
pub fn can_confirm(sync_state: &str) -> bool {
    ["sync", "quorum", "potential"].contains(&sync_state)
}

impl Synchronous {
    /// As it was seen.
    pub fn of(seen: &Seen) -> Self {
        let rule = match seen.writer() {
            Some(writer) => SyncRule::parse(&writer.synchronous_standby_names)
                .ok()
                .flatten(),
            None => seen.last_reign().and_then(|reign| reign.sync),
        };
        Self {
            confirming: confirming(seen),
            guard: seen.policy.sync_guard,
            rule,
        }
    }

    /// How many must confirm a commit; 0: none.
    pub fn needed(&self) -> usize {
        self.rule.as_ref().map_or(0, |rule| rule.count)
    }

    /// How many of those who confirm must be lost before commits stall.
    pub fn stalls_after_losing(&self) -> Option<usize> {
        let confirming = self.confirming.filter(|_| self.rule.is_some())?;
        Some((confirming + 1).saturating_sub(self.needed()))
    }
}

fn confirming(seen: &Seen) -> Option<usize> {
    let receivers = seen.writer()?.receivers.iter();
    let counted = receivers.filter(|one| can_confirm(&one.sync));
    let names: BTreeSet<_> = counted
        .filter(|one| one.flush.is_some())
        .map(|one| &one.name)
        .collect();
    Some(names.len())
}
