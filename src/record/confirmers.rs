//! Who may have confirmed the commits of a primary.
//!
//! `synchronous_standby_names` is only half of that. Under `*` any receiver of WAL confirms,
//! whether it is a node of the cluster or not; and PostgreSQL counts connections, not nodes:
//! two of them with one name are two confirmations. So the primary's monitor resolves the
//! rule to names. A name that is no node's never votes, and so counts as absent.

use std::collections::BTreeSet;
use std::fmt;

use super::line::{FieldError, escape, unescape};
use super::sync_rule::SyncRule;
use crate::ocf::NodeName;
use crate::wal::{Lsn, Place, Timeline};

/// The names, in lower case: PostgreSQL compares them without regard to it.
pub type Names = BTreeSet<String>;

/// Every commit that was acknowledged is on `count` of these, at least.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Confirmers {
    /// How many of them.
    pub count: usize,
    /// Which ones; never the primary itself.
    pub names: Names,
}

impl Confirmers {
    /// Those of a rule in which `*` means `any`. The primary itself may be listed (one
    /// configuration for all nodes), but never confirms.
    pub fn of(rule: &SyncRule, primary: &NodeName, any: &Names) -> Self {
        let listed = rule.names.iter().filter(|name| *name != "*");
        let any = any.iter().filter(|_| rule.is_open());
        let names = listed.chain(any).map(|name| name.to_ascii_lowercase());
        Self {
            count: rule.count,
            names: names
                .filter(|name| !name.eq_ignore_ascii_case(primary.as_str()))
                .collect(),
        }
    }

    /// How many more of the absent ones must vote, until one that votes has each acknowledged
    /// commit for certain. 0: that is so. Where too few were there to confirm any, it is.
    pub fn missing(&self, voted: &Names) -> usize {
        let Some(may_be_absent) = self.names.len().checked_sub(self.count) else {
            return 0;
        };
        let needed = may_be_absent + 1;
        needed.saturating_sub(self.names.intersection(voted).count())
    }

    /// Whether votes that are enough for these are always enough for the others too.
    pub fn imply(&self, others: &Self) -> bool {
        let too_few = |of: &Self| of.names.len() < of.count;
        if too_few(self) || too_few(others) {
            return too_few(others);
        }
        let beside = others.names.difference(&self.names).count();
        beside + self.count <= others.count
    }

    /// What is true of commits of either.
    fn joined_with(self, others: Self) -> Self {
        Self {
            count: self.count.min(others.count),
            names: self.names.into_iter().chain(others.names).collect(),
        }
    }
}

/// `1 of srv2, srv3`
impl fmt::Display for Confirmers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names.iter().map(String::as_str).collect();
        write!(f, "{} of {}", self.count, names.join(", "))
    }
}

/// Who confirmed before the rule was changed, or before its standbys were others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EarlierRule {
    /// Commits beyond this were confirmed by a later rule. It is on the branch of the reign
    /// that the rule is a part of.
    pub until: Place,
    /// Who confirmed.
    pub confirmers: Confirmers,
}

/// The earlier rules of a reign that still guard commits, oldest first: few, however often a
/// rule is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EarlierRules(Vec<EarlierRule>);

impl EarlierRules {
    /// So many are kept apart from each other.
    const LIMIT: usize = 4;

    /// The newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &EarlierRule> {
        self.0.iter().rev()
    }

    /// Adds the one that ended last.
    pub fn push(&mut self, ended: EarlierRule) {
        self.0.push(ended);
    }

    /// Without those that a later one, or the rule of today, makes superfluous. Of too many
    /// the oldest two become one, which guards the commits of both.
    ///
    /// Only one of the same reign does: who has nothing of this reign's `branch` confirmed
    /// nothing in it, but may have before. `None`: the branch is not open yet.
    pub fn beside(self, branch: Option<Timeline>, today: Option<&Confirmers>) -> Self {
        let is_of_this = |rule: &EarlierRule| Some(rule.until.timeline) == branch;
        let mut kept: Vec<EarlierRule> = Vec::new();
        for rule in self.0.into_iter().rev() {
            let here = is_of_this(&rule);
            let later = kept.iter().filter(|kept| is_of_this(kept) == here);
            let today = today.filter(|_| here);
            let mut later = later.map(|kept| &kept.confirmers).chain(today);
            if !later.any(|later| later.imply(&rule.confirmers)) {
                kept.push(rule);
            }
        }
        while kept.len() > Self::LIMIT {
            join_oldest(&mut kept);
        }
        kept.reverse();
        Self(kept)
    }

    /// `2:83886080:1:srv2,srv3`, one after the other; `None` if there are none.
    pub(super) fn encode(&self) -> Option<String> {
        let rules: Vec<_> = self.0.iter().map(EarlierRule::encode).collect();
        (!rules.is_empty()).then(|| rules.join("~"))
    }

    /// Reads what `encode` wrote.
    pub(super) fn decode(text: &str) -> Result<Self, FieldError> {
        let rules = text.split('~').map(EarlierRule::decode);
        Ok(Self(rules.collect::<Result<_, _>>()?))
    }
}

/// The last two, which are the oldest, become one.
fn join_oldest(newest_first: &mut Vec<EarlierRule>) {
    if let (Some(oldest), Some(next)) = (newest_first.pop(), newest_first.pop()) {
        newest_first.push(EarlierRule {
            until: next.until,
            confirmers: next.confirmers.joined_with(oldest.confirmers),
        });
    }
}

impl EarlierRule {
    fn encode(&self) -> String {
        let Self { until, confirmers } = self;
        let (timeline, lsn) = (until.timeline, until.lsn.as_u64());
        let names = encode_names(&confirmers.names);
        format!("{timeline}:{lsn}:{}:{names}", confirmers.count)
    }

    fn decode(text: &str) -> Result<Self, FieldError> {
        let wrong = || FieldError::Value {
            key: "older",
            value: text.to_owned(),
        };
        let mut parts = text.splitn(4, ':');
        let mut next = || parts.next().ok_or_else(wrong);
        let until = Place {
            timeline: Timeline::from_decimal(next()?)?,
            lsn: Lsn::from_decimal(next()?)?,
        };
        let count = next()?.parse().ok().filter(|count| *count > 0);
        let names = decode_names(next()?).ok_or_else(wrong)?;
        let count = count.ok_or_else(wrong)?;
        Ok(Self {
            until,
            confirmers: Confirmers { count, names },
        })
    }
}

/// `srv2,srv3`
pub(super) fn encode_names(names: &Names) -> String {
    let names: Vec<_> = names.iter().map(|name| escape(name)).collect();
    names.join(",")
}

/// Reads what `encode_names` wrote.
pub(super) fn decode_names(text: &str) -> Option<Names> {
    let names = text.split(',').filter(|name| !name.is_empty());
    names.map(unescape).collect()
}
