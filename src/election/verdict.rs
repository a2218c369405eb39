//! What an election decides, with the reason.
//!
//! The `Display` of a reason is one sentence of about a hundred bytes: Pacemaker
//! cuts exit reasons at 128. What to do about a refusal is in `explain`.

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use super::ballot::Unreadable;
use super::bar::Bar;
use crate::ocf::NodeName;
use crate::record::score::encode;
use crate::record::shutdown::ShutdownCheckpoint;
use crate::wal::{Lsn, Place, SystemId, Timeline};

/// The outcome for the candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Read the facts again, shortly, and ask again.
    Wait {
        /// The voters whose vote, or whose knowledge, has not arrived yet.
        awaited: BTreeSet<NodeName>,
    },
    /// Promote this instance.
    Promote {
        /// Why this node.
        ground: Ground,
        /// What an admin should know about it.
        warnings: Vec<Warning>,
    },
    /// Another node must be promoted. The caller gives it the score 1000, itself
    /// 1, and fails this promotion.
    Yield {
        /// The node that holds more.
        to: NodeName,
        /// Both positions.
        reason: Outvoted,
    },
    /// Nobody may be promoted on these facts. The caller fails this promotion
    /// and leaves all scores alone.
    Refuse {
        /// Why not.
        reason: Refusal,
    },
}

/// Why the candidate is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Nobody else votes.
    OnlyVoter,
    /// It holds more than any other voter.
    Best,
    /// Others hold as much; a tie keeps the candidate.
    Tie,
    /// Others hold more, but Pacemaker may not promote them.
    BestPromotable,
    /// An admin forced it past the warnings.
    Forced,
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnlyVoter => "it is the only node that can be asked",
            Self::Best => "it holds more than any other voter",
            Self::Tie => "no voter holds more",
            Self::BestPromotable => "it holds most of those that Pacemaker may promote",
            Self::Forced => "an admin forced it",
        })
    }
}

/// Why the candidate is not the one to promote.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Outvoted {
    /// The other holds all that the candidate holds, and more.
    #[error("{other} holds more: {theirs}, this node has {ours}")]
    HoldsMore {
        /// The better node.
        other: NodeName,
        /// What it holds.
        theirs: Place,
        /// What the candidate holds.
        ours: Place,
    },
    /// The candidate is not on the branch that was elected last; the other is.
    #[error("{other} is on the elected branch, this node left it at {fork}")]
    OnBranch {
        /// The better node.
        other: NodeName,
        /// Where the branches part, if that is known.
        fork: Fork,
    },
    /// Both hold the same, but the candidate is excluded by its score.
    #[error("{other} holds the same, and this node's promotion score is {}", encode(*.score))]
    NotExcluded {
        /// The better node.
        other: NodeName,
        /// The candidate's score.
        score: i32,
    },
}

/// Why nobody is promoted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The candidate's own position is not known.
    #[error("this node's own WAL position is not known")]
    NoOwnVote,
    /// A voter knows of an election that the candidate does not know of.
    #[error("{voter} knows of election {theirs}, this node only of election {ours}")]
    NewerElection {
        /// The voter that knows more.
        voter: NodeName,
        /// The term it voted in.
        theirs: u64,
        /// The highest term known here.
        ours: u64,
    },
    /// Evidence of an election cannot be read.
    #[error("the {} of {} cannot be read: damaged, or of a later version", .0.what, .0.node)]
    Unreadable(Unreadable),
    /// The candidate is another database than the cluster's.
    #[error("this node holds another database: system {ours}, the cluster's is {theirs}")]
    OtherSystem {
        /// The candidate's identifier.
        ours: SystemId,
        /// The last primary's.
        theirs: SystemId,
    },
    /// Voters hold different databases, and no primary ever said which is the
    /// cluster's.
    #[error("{voter} holds another database, and none was elected yet")]
    UnprovedSystem {
        /// The voter with the other identifier.
        voter: NodeName,
    },
    /// The candidate left the branch that was elected last.
    #[error("this node left the branch of {primary} (elected last) at {fork}")]
    LeftBranch {
        /// The last primary.
        primary: NodeName,
        /// Where the branches part, if that is known.
        fork: Fork,
    },
    /// Two branches with the same timeline, and no evidence which was elected.
    #[error("{other} is on another branch of timeline {timeline}; which was elected is not known")]
    TwoBranches {
        /// The node on the other branch.
        other: NodeName,
        /// The timeline they share by number.
        timeline: Timeline,
    },
    /// Two nodes won the last election.
    #[error("{} and {} both won election {term}: whose branch is right is not known", .winners[0], .winners[1])]
    TwoWinners {
        /// The election.
        term: u64,
        /// The nodes.
        winners: [NodeName; 2],
    },
    /// All who know of a candidate lost power since, and it does not vote.
    #[error("{candidate} may have won election {term}, after which all that voted lost power")]
    CandidacyInDoubt {
        /// The candidate of then.
        candidate: NodeName,
        /// The election.
        term: u64,
    },
    /// A voter holds more than the best electable one, and only a claim that
    /// nobody can confirm puts it off the branch.
    #[error("{voter} holds more than {best}, but {claimant} may have been primary without it")]
    ClaimInDoubt {
        /// The voter that holds more.
        voter: NodeName,
        /// The best voter that is on the claimed branch.
        best: NodeName,
        /// Who won the last election and does not vote.
        claimant: NodeName,
    },
    /// The best voter does not hold the end of a primary that was stopped
    /// cleanly.
    #[error("{best} does not hold the shutdown checkpoint of {} ({} on timeline {})",
        .checkpoint.node, .checkpoint.lsn, .checkpoint.timeline)]
    MissesShutdownCheckpoint {
        /// The best voter.
        best: NodeName,
        /// What it does not hold.
        checkpoint: ShutdownCheckpoint,
    },
    /// A demoted node on PAF tells nothing about its end, and the candidate's last
    /// record is not a shutdown checkpoint.
    #[error("the last record received from {demoted} is not its shutdown checkpoint")]
    UncertainSwitchover {
        /// The demoted primary.
        demoted: NodeName,
    },
    /// Too few of the synchronous standbys vote.
    #[error(
        "synchronous commits of {primary} may be missing: {missing} more of its standbys must vote"
    )]
    NoQuorum {
        /// The primary whose commits are at stake.
        primary: NodeName,
        /// How many more of `absent` are needed.
        missing: usize,
        /// The listed standbys that did not vote.
        absent: BTreeSet<String>,
        /// The rule, as PostgreSQL writes it.
        rule: String,
    },
    /// The best voter was excluded by the last primary: it lagged beyond
    /// `maxlag`, or did not stream.
    #[error(
        "{best} is the best voter, but its promotion score is {}: it lagged or did not stream",
        encode(*.score)
    )]
    Excluded {
        /// The best voter.
        best: NodeName,
        /// Its stored score.
        score: i32,
    },
    /// Pacemaker may not promote the voter that should be: it holds more than may be
    /// given up, or nobody else can be promoted.
    #[error("{}, barred by {}: {}", .0.more(), .0.bar.what, .0.bar.command)]
    Barred(PassedOver),
}

/// A voter that holds more than the best of those whom Pacemaker may promote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The voter.
    pub node: NodeName,
    /// How much more, where that can be counted.
    pub bytes: Option<u64>,
    /// Why it may not be promoted.
    pub bar: Bar,
}

impl PassedOver {
    fn more(&self) -> String {
        match self.bytes {
            Some(bytes) => format!("{} holds {bytes} bytes more", self.node),
            None => format!("{} holds more", self.node),
        }
    }
}

/// What an admin should know about a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Warning {
    /// A voter did not vote in time.
    #[error("{0} is active but did not vote; what it holds is not known")]
    NotVoted(NodeName),
    /// A voter holds another database.
    #[error("{0} holds another database and has no place in this cluster")]
    OtherSystem(NodeName),
    /// A voter is on a branch that the cluster left.
    #[error("{0} is on a branch that the cluster left; its own WAL beyond the fork is given up")]
    LeftBranch(NodeName),
    /// The branch that is promoted was opened by nobody who was elected.
    #[error(
        "nobody was elected on the branch that all voters follow (promoted by hand?); it holds all that {0}, elected last, holds"
    )]
    CommonBranch(NodeName),
    /// How a voter's position relates to the candidate's is not known.
    #[error("the history of {0} is not known; its lower timeline was taken as older")]
    UnknownHistory(NodeName),
    /// The last primary is not among the voters, and replication was
    /// asynchronous.
    #[error("{0} was primary and does not vote; commits that it had not sent are lost")]
    PrimaryAbsent(NodeName),
    /// A voter holds more, and Pacemaker may not promote it.
    #[error("{}, which are given up; barred by {}: {}", .0.more(), .0.bar.what, .0.bar.command)]
    PassedOver(PassedOver),
    /// An obstacle that an admin overrode.
    #[error("forced although {0}")]
    Forced(Refusal),
}

/// Where two branches part; not always known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fork(pub Option<Lsn>);

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(lsn) => lsn.fmt(f),
            None => f.write_str("an unknown point"),
        }
    }
}
