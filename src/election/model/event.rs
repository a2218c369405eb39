//! What can happen, and how it is told.

use super::world::{Id, bit, name};
use std::fmt;

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
    Fail {
        opened: bool,
    },
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
            Self::Return(id) => write!(f, "{} starts as a standby", name(*id)),
            Self::Monitor { late } => {
                let when = if *late { " after the grace time" } else { "" };
                write!(f, "the primary's monitor runs{when}")
            }
            Self::Change {
                how,
                received,
                copied,
            } => {
                let how = match how {
                    Change::Move => "the primary is demoted",
                    Change::Stop => "the primary is demoted and stopped",
                    Change::Leave => "the primary's node leaves the cluster cleanly",
                };
                write!(
                    f,
                    "{how}; its last record reaches {}, {} note where it is",
                    names(*received),
                    names(*copied)
                )
            }
            Self::Notify { candidate, votes } => {
                write!(f, "Pacemaker wants {}; pre-promote", name(*candidate))?;
                let odd = votes
                    .iter()
                    .enumerate()
                    .filter(|(_, cast)| **cast != Cast::InTime);
                odd.clone()
                    .try_for_each(|(id, cast)| write!(f, ", {}: {cast:?}", name(id)))
            }
            Self::Elect { keeps } => write!(f, "the election{}", Keeps(*keeps)),
            Self::Open { keeps } => write!(f, "PostgreSQL is promoted{}", Keeps(*keeps)),
            Self::Fail { opened: false } => f.write_str("pg_promote fails"),
            Self::Fail { opened: true } => {
                f.write_str("pg_promote succeeds too late: the node is demoted again")
            }
        }
    }
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
