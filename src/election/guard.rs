//! An acknowledged synchronous commit is never lost.
//!
//! A commit that a client saw acknowledged is on its primary and on `k` of the
//! listed standbys `S`. If more than `|S| − k` of them vote, one of the voters
//! has it; so it is if the primary itself votes. The best voter holds all that
//! these voters hold, and so the commit. A voter that holds nothing at all of that
//! reign counts too: the commit is certainly not on it, so it must be on another.

use std::borrow::Cow;

use super::rule::Rule;
use super::standing::Count;
use super::verdict::Refusal;
use crate::ocf::NodeName;
use crate::record::confirmers::{EarlierRule, Names};
use crate::record::{Confirmers, Reign, SyncRule};
use crate::wal::Position;

/// Acknowledged synchronous commits may be on none of the voters.
///
/// The last reign's rule covers the commits of that reign. Commits of an earlier
/// one are in it too, provided that the best voter holds the point where it
/// began; if not, the earlier reign's rule must be met as well. So it is with the
/// rules that a reign had before its last one.
pub(super) fn no_quorum(count: &Count<'_>, held: &Position) -> Option<Refusal> {
    if !count.ballot.sync_guard || !Rule::Quorum.holds() {
        return None;
    }
    for reign in count.reigns.iter().rev() {
        let missing = of_last_rule(count, reign, held);
        let missing = missing.or_else(|| of_earlier_rules(count, reign, held));
        if missing.is_some() {
            return missing;
        }
        if reign.start_is_held_by(held) || !Rule::EarlierReigns.holds() {
            return None;
        }
    }
    None
}

fn of_last_rule(count: &Count<'_>, reign: &Reign, held: &Position) -> Option<Refusal> {
    let confirmers = confirmers_of(count, reign)?;
    let vouching = count.vouching_for(reign, held);
    let lacking = Lacking::of(count, (reign, held), &confirmers, vouching)?;
    let rule = reign.sync.as_ref().map(SyncRule::to_string);
    Some(lacking.refusal(reign, rule.unwrap_or_default()))
}

fn confirmers_of(count: &Count<'_>, reign: &Reign) -> Option<Confirmers> {
    let mut reign = Cow::Borrowed(reign);
    if !Rule::Confirmers.holds() {
        reign.to_mut().particulars.confirm = None;
    }
    let mut confirmers = reign.confirmers(&count.ballot.known_nodes)?;
    if !Rule::NotItself.holds() {
        confirmers.names.insert(reign.primary.to_string());
    }
    Some(confirmers)
}

/// A commit from before the rule was changed is where the rule of then put it. Who holds the
/// place where that ended has them all.
fn of_earlier_rules(count: &Count<'_>, reign: &Reign, held: &Position) -> Option<Refusal> {
    if !Rule::EarlierRules.holds() {
        return None;
    }
    let rules = reign.particulars.older.newest_first();
    let mut asked = rules.take_while(|rule| !held.reaches(rule.until));
    asked.find_map(|EarlierRule { until, confirmers }| {
        // Of a reign before this one it is not known who was untouched by it.
        let is_of_this = reign.is_opened() && until.timeline == reign.branch.timeline;
        let outside = count.outside_of(reign).filter(|_| is_of_this);
        let vouching = count.covered_by(held).chain(outside);
        // Nor in which election the rule was in force: any fresh data count for nothing.
        let vouching = vouching.filter(|node| !count.is_fresh_since(node, 0));
        let lacking = Lacking::of(count, (reign, held), confirmers, vouching)?;
        Some(lacking.refusal(reign, format!("{confirmers} until {until}")))
    })
}

/// Too few of those who confirmed vote.
struct Lacking {
    missing: usize,
    absent: Names,
}

impl Lacking {
    fn of<'a>(
        count: &Count<'_>,
        (reign, held): (&Reign, &Position),
        confirmers: &Confirmers,
        vouching: impl Iterator<Item = &'a NodeName>,
    ) -> Option<Self> {
        if count.primary_is_covered(reign, held) {
            return None;
        }
        let voted: Names = vouching
            .map(|node| node.as_str().to_ascii_lowercase())
            .collect();
        let missing = confirmers.missing(&voted);
        (missing > 0).then(|| Self {
            missing,
            absent: confirmers.names.difference(&voted).cloned().collect(),
        })
    }

    fn refusal(self, reign: &Reign, rule: String) -> Refusal {
        Refusal::NoQuorum {
            primary: reign.primary.clone(),
            missing: self.missing,
            absent: self.absent,
            rule,
        }
    }
}
