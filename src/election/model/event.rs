//! What can happen, and how it is told.

use std::fmt;

use super::loss::Loss;
use super::world::{Id, bit, name};

/// What becomes of a node's vote in pre-promote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cast {
    /// Published in time.
    InTime,
    /// Published, but it arrives while the candidate waits.
    Late,
    /// The old vote is cleaned, the new one never arrives.
    Lost,
    /// The notify failed: an old vote stays as it is.
    Failed,
    /// Published, and of a later version.
    Unreadable,
}

/// How a planned change takes the primary away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The role moves; the old primary stays as a standby.
    Move,
    /// The instance is stopped; its node stays.
    Stop,
    /// The node leaves the cluster.
    Leave,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Start,
    Write,
    Replicate(Id),
    Crash(Id),
    InstanceCrash(Id),
    Ban(Id),
    Clear(Id),
    Return(Id),
    Monitor {
        late: bool,
    },
    Change {
        how: Change,
        received: u8,
        copied: u8,
    },
    Notify {
        candidate: Id,
        votes: [Cast; 3],
    },
    /// `keeps`: the node whose vote post-promote fails to clean.
    Elect {
        keeps: Option<Id>,
    },
    Open {
        keeps: Option<Id>,
    },
    /// The same, after WAL from the archive was replayed that nobody voted.
    OpenFromArchive,
    Fail {
        opened: bool,
    },
    /// PostgreSQL dies between the first effects of a promotion.
    HalfOpen,
    /// Somebody promotes a node past Pacemaker, and all follow it.
    ByHand(Id),
    Lose(Loss),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("the beginning"),
            Self::Write => f.write_str("the primary writes a record"),
            Self::Replicate(id) => write!(f, "{} receives all that the primary has", name(*id)),
            Self::Crash(id) => write!(f, "{} loses power", name(*id)),
            Self::InstanceCrash(id) => {
                write!(
                    f,
                    "PostgreSQL on {} dies and is started as a standby",
                    name(*id)
                )
            }
            Self::Ban(id) => write!(f, "a constraint forbids to promote {}", name(*id)),
            Self::Clear(id) => write!(f, "{} may be promoted again", name(*id)),
            Self::Return(id) => write!(f, "{} starts as a standby", name(*id)),
            Self::Monitor { late: false } => f.write_str("the primary's monitor runs"),
            Self::Monitor { late: true } => f.write_str("it runs again after the grace time"),
            Self::Change {
                how,
                received,
                copied,
            } => {
                let (received, copied) = (names(*received), names(*copied));
                write!(
                    f,
                    "{how}; its last record reaches {received}, {copied} note where it is"
                )
            }
            Self::Notify { candidate, votes } => tell_notify(f, *candidate, votes),
            Self::Elect { keeps } => write!(f, "the election{}", Keeps(*keeps)),
            Self::Open { keeps } => write!(f, "PostgreSQL is promoted{}", Keeps(*keeps)),
            Self::OpenFromArchive => f.write_str("PostgreSQL replays its archive, and is promoted"),
            Self::HalfOpen => f.write_str("PostgreSQL dies in the middle of its promotion"),
            Self::ByHand(id) => write!(f, "somebody promotes {}, and all follow it", name(*id)),
            Self::Lose(loss) => write!(f, "{loss}"),
            Self::Fail { opened: false } => f.write_str("pg_promote fails"),
            Self::Fail { opened: true } => {
                f.write_str("pg_promote succeeds too late: the node is demoted again")
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Move => "the primary is demoted",
            Self::Stop => "the primary is demoted and stopped",
            Self::Leave => "the primary's node leaves the cluster cleanly",
        })
    }
}

fn tell_notify(f: &mut fmt::Formatter<'_>, candidate: Id, votes: &[Cast]) -> fmt::Result {
    write!(f, "Pacemaker wants {}; pre-promote", name(candidate))?;
    let mut odd = votes
        .iter()
        .enumerate()
        .filter(|(_, cast)| **cast != Cast::InTime);
    odd.try_for_each(|(id, cast)| write!(f, ", {}: {cast:?}", name(id)))
}

struct Keeps(Option<Id>);

impl fmt::Display for Keeps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(f, "; post-promote fails on {}", name(id)),
            None => Ok(()),
        }
    }
}

fn names(set: u8) -> String {
    let members: Vec<&str> = (0..3).filter(|id| set & bit(*id) != 0).map(name).collect();
    if members.is_empty() {
        "nobody".to_owned()
    } else {
        members.join(" and ")
    }
}
