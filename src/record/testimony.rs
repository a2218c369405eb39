//! What a node that cannot vote has seen of elections.
//!
//! Its PostgreSQL does not run, or cannot be asked: it holds nothing that could be compared. But
//! its ledger may be the only one in the cluster that knows of an election, where all nodes lost
//! power right after it, or somebody put back an old configuration. So it tells that alone, in
//! the attribute in which it would vote: an election that asks for votes asks for nothing more.

use super::evidence::Evidence;
use super::line::{FieldError, Fields, Line};
use super::vote::UNREADABLE;

/// Stands in the place of the position.
const HOLDS: (&str, &str) = ("holds", "unknown");

/// What a node tells that does not vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testimony {
    /// What it knows of elections.
    pub seen: Evidence,
    /// Whether its ledger could not be read, and it may know more than it tells.
    pub ledger_is_unreadable: bool,
}

impl Testimony {
    /// One line, or none where there is nothing to tell.
    pub fn encode(&self) -> Option<String> {
        let seen = self.seen.encode();
        if seen.is_none() && !self.ledger_is_unreadable {
            return None;
        }
        let mut line = Line::new();
        line.push(HOLDS.0, HOLDS.1);
        line.push_some("ledger", self.ledger_is_unreadable.then_some(UNREADABLE));
        line.push_some("seen", seen);
        Some(line.finish())
    }

    /// Reads it; `None` if the line is a vote, or nothing of this agent's.
    pub fn decode(text: &str) -> Option<Result<Self, FieldError>> {
        let fields = Fields::parse(text).ok()?;
        if fields.get(HOLDS.0) != Some(HOLDS.1) {
            return None;
        }
        let ledger_is_unreadable = fields.get("ledger") == Some(UNREADABLE);
        let seen = match fields.require("seen") {
            Err(_) if ledger_is_unreadable => Ok(Evidence::default()),
            seen => seen.and_then(Evidence::decode),
        };
        Some(seen.map(|seen| Self {
            seen,
            ledger_is_unreadable,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocf::NodeName;
    use crate::record::Vote;

    fn told() -> Testimony {
        let mut seen = Evidence::default();
        seen.promise(&NodeName::new("srv2").unwrap(), 4);
        Testimony {
            seen,
            ledger_is_unreadable: false,
        }
    }

    #[test]
    fn that_its_ledger_cannot_be_read_is_told_alone_and_beside_the_rest() {
        for seen in [Evidence::default(), told().seen] {
            let told = Testimony {
                seen,
                ledger_is_unreadable: true,
            };
            let line = told.encode().unwrap();
            assert_eq!(Testimony::decode(&line), Some(Ok(told)), "{line}");
        }
    }

    #[test]
    fn it_comes_back_and_is_no_vote() {
        let line = told().encode().unwrap();
        assert_eq!(line, "1;holds=unknown;seen=promise%20srv2%204");
        assert_eq!(Testimony::decode(&line), Some(Ok(told())));
        assert!(Vote::decode(&line).is_err());
    }

    #[test]
    fn what_is_no_testimony_is_left_to_others() {
        for line in ["", "1;lsn=5;tl=1;hist=", "2;holds=unknown", "1;holds=all"] {
            assert_eq!(Testimony::decode(line), None, "{line}");
        }
        for line in ["1;holds=unknown", "1;holds=unknown;seen=guess%20srv2%204"] {
            assert!(Testimony::decode(line).unwrap().is_err(), "{line}");
        }
    }

    #[test]
    fn who_has_seen_nothing_tells_nothing() {
        let told = Testimony {
            seen: Evidence::default(),
            ..told()
        };
        assert_eq!(told.encode(), None);
    }
}
