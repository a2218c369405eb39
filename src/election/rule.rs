//! The rules of the election, by name.
//!
//! Each check in this module's siblings asks `Rule::X.holds()`. In the agent
//! that is the constant `true`. Tests switch one rule off to show that the model
//! finds the damage: a rule whose absence nobody notices is not proved.

/// A rule of the election.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A voter that holds more wins.
    BestWins,
    /// Timelines are compared by their history, not by number.
    History,
    /// Voters that have not voted are waited for.
    WaitForVotes,
    /// A vote from before the last election does not count.
    FreshVotes,
    /// A node that left the branch elected last is not promoted.
    Branch,
    /// A claim whose claimant never left its timeline does not count.
    VoidClaims,
    /// A former primary whose branch the last election did not start from has
    /// left, even where timeline and history look the same.
    OwnReign,
    /// A claim that nobody can confirm is no reason to pass over a node that
    /// holds more.
    Doubt,
    /// A new primary holds the end of one that was stopped cleanly.
    ShutdownCheckpoint,
    /// Enough synchronous standbys vote.
    Quorum,
    /// The reigns before the last count too, unless the best holds their end.
    EarlierReigns,
    /// So do the rules that a reign had before its last one.
    EarlierRules,
    /// Who confirmed is told by the primary, where its rule names any standby.
    Confirmers,
    /// A primary is no synchronous standby of itself.
    NotItself,
    /// A negative score excludes.
    Exclusion,
    /// A node of another database is never promoted.
    System,
    /// Data that were rebuilt, restored or rewound inherit nothing of what their node was.
    DataIdentity,
    /// Data that took the place of others do not vouch for what those confirmed.
    FreshData,
    /// A timeline that a node was a candidate for was not opened by hand.
    Promises,
    /// A candidate that may have won without a trace, when all lost power, refuses.
    Doubts,
    /// Who cannot vote tells all the same what it has seen of elections.
    Witnesses,
    /// Two winners of one election refuse.
    OneWinner,
    /// Evidence that cannot be read refuses.
    Readable,
    /// A promotion may replay more than was voted: the branch of a claim is known by its number.
    Opens,
    /// A branch that every voter follows, the last primary too, is adopted.
    CommonBranch,
    /// A voter that Pacemaker may not promote keeps nobody else from it.
    Barred,
    /// Such a voter is passed over only if not too much is lost by it.
    MaxLoss,
    /// What is lost by that is of the last reign, whose rule is on record for certain.
    LossOfLastReign,
    /// What a node has seen of elections counts, whatever the cluster's configuration says.
    Ledgers,
}

impl Rule {
    /// Whether the rule is in force.
    #[cfg(not(test))]
    pub(super) const fn holds(self) -> bool {
        true
    }

    /// Whether the rule is in force on this thread.
    #[cfg(test)]
    pub(super) fn holds(self) -> bool {
        tests::WEAKENED.get() != Some(self)
    }

    /// Runs `work` with this rule switched off.
    #[cfg(test)]
    pub fn weakened<T>(self, work: impl FnOnce() -> T) -> T {
        let before = tests::WEAKENED.replace(Some(self));
        let result = work();
        tests::WEAKENED.set(before);
        result
    }
}

#[cfg(test)]
impl Rule {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::BestWins,
        Self::History,
        Self::WaitForVotes,
        Self::FreshVotes,
        Self::Branch,
        Self::VoidClaims,
        Self::OwnReign,
        Self::Doubt,
        Self::ShutdownCheckpoint,
        Self::Quorum,
        Self::EarlierReigns,
        Self::EarlierRules,
        Self::Confirmers,
        Self::NotItself,
        Self::Exclusion,
        Self::System,
        Self::DataIdentity,
        Self::FreshData,
        Self::Promises,
        Self::Doubts,
        Self::Witnesses,
        Self::OneWinner,
        Self::Readable,
        Self::Opens,
        Self::CommonBranch,
        Self::Barred,
        Self::MaxLoss,
        Self::LossOfLastReign,
        Self::Ledgers,
    ];

    /// The rule that is switched off on this thread.
    pub(super) fn switched_off() -> Option<Self> {
        tests::WEAKENED.get()
    }

    /// Works as on a thread where this rule is switched off.
    pub(super) fn as_on<T>(off: Option<Self>, work: impl FnOnce() -> T) -> T {
        match off {
            Some(rule) => rule.weakened(work),
            None => work(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::Rule;

    thread_local! {
        pub(super) static WEAKENED: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    #[test]
    fn a_rule_is_weakened_only_inside() {
        assert!(Rule::ShutdownCheckpoint.holds());
        Rule::ShutdownCheckpoint.weakened(|| {
            assert!(!Rule::ShutdownCheckpoint.holds());
            assert!(Rule::Quorum.holds());
        });
        assert!(Rule::ShutdownCheckpoint.holds());
    }
}
