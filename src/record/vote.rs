//! What a node says about itself before a promotion.
//!
//! Every active node votes in pre-promote, before the notify returns. A vote is
//! a lower bound of what the node holds: it may hold more by now, never less.
//! It travels in two attributes: the pair of numbers that PAF reads and writes, and
//! a line of our own with the rest.

use std::time::Duration;

use super::data::{DataId, Fresh};
use super::evidence::Evidence;
use super::line::{FieldError, Fields, Line, push_position, read_position};
use super::name::{Life, Name};
use super::reign::last_term;
use crate::wal::{History, Lsn, Position, Timeline};

/// Written by a node that could not vote and can again: Pacemaker looks at a cluster again in which
/// an attribute of this life changes.
pub const VOTER_NAME: Name = Name::new(
    Life::Transient,
    "voter-RESOURCE",
    "when it could vote again: the change makes Pacemaker try a refused promotion again",
);

/// The value of `ledger` in the vote of a node that cannot read its own.
pub(super) const UNREADABLE: &str = "unreadable";

/// A node's vote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vote {
    /// What the node holds at least.
    pub position: Position,
    /// The highest term among the reigns that the node knew when it voted. It
    /// tells a vote of this election from one left over from an earlier one.
    /// `None` in votes of nodes on PAF.
    pub term: Option<u64>,
    /// Whether the last WAL record that the node holds is a shutdown
    /// checkpoint. `None`: not looked at.
    pub ends_with_shutdown: Option<bool>,
    /// How old the last commit that the node has replayed was when it voted: a
    /// person sees from it how much may be missing. It decides nothing. `None`: no
    /// commit since its start, or not told.
    pub last_commit_age: Option<Duration>,
    /// The identity of the node's data.
    pub data: Option<DataId>,
    /// Whether these took the place of others, and what those confirmed may not be in them.
    pub fresh: Option<Fresh>,
    /// Whether the node's ledger could not be read, and what it knows may be more than it tells.
    pub ledger_is_unreadable: bool,
    /// What the node knows of elections. Empty in votes of an agent that does not tell.
    pub seen: Evidence,
}

impl Vote {
    /// The attribute that PAF has too.
    pub const PAF_NAME: Name = Name::new(
        Life::Private,
        "lsn_location-RESOURCE",
        "vote, `<timeline>#<LSN>`, shared with nodes on PAF",
    );

    /// The attribute that only this agent has.
    pub const NAME: Name = Name::new(
        Life::Private,
        "vote-RESOURCE",
        "vote with history and system identifier; of a node that cannot vote, what it has seen of elections",
    );

    /// The vote of a node that holds `position`, and has `seen` this of elections.
    pub fn cast(position: Position, seen: Evidence, data: Option<DataId>) -> Self {
        Self {
            position,
            term: Some(last_term(&seen.reigns())),
            ends_with_shutdown: None,
            last_commit_age: None,
            data,
            fresh: None,
            ledger_is_unreadable: false,
            seen,
        }
    }

    /// `<timeline>#<lsn>` in decimal, as PAF reads it.
    pub fn encode_paf(&self) -> String {
        format!("{}#{}", self.position.timeline, self.position.lsn.as_u64())
    }

    /// Reads what PAF wrote: no system, no history, no term.
    pub fn decode_paf(text: &str) -> Result<Self, FieldError> {
        let shape = || FieldError::Shape(text.to_owned());
        let (timeline, lsn) = text.split_once('#').ok_or_else(shape)?;
        let timeline = Timeline::from_decimal(timeline)?;
        let position = Position {
            system: None,
            timeline,
            lsn: Lsn::from_decimal(lsn)?,
            history: ancestors_of(timeline),
        };
        Ok(Self {
            position,
            term: None,
            ends_with_shutdown: None,
            last_commit_age: None,
            data: None,
            fresh: None,
            ledger_is_unreadable: false,
            seen: Evidence::default(),
        })
    }

    /// Our own form, one line.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        push_position(&mut line, &self.position);
        line.push_some("term", self.term);
        let ending = self.ends_with_shutdown;
        line.push_some("shutdown", ending.map(|yes| if yes { "yes" } else { "no" }));
        line.push_some("age", self.last_commit_age.map(|age| age.as_secs()));
        line.push_some("data", self.data.as_ref());
        Fresh::push(self.fresh.as_ref(), &mut line);
        line.push_some("ledger", self.ledger_is_unreadable.then_some(UNREADABLE));
        line.push_some("seen", self.seen.encode());
        line.finish()
    }

    /// Reads our own form.
    pub fn decode(text: &str) -> Result<Self, FieldError> {
        let fields = Fields::parse(text)?;
        Ok(Self {
            position: read_position(&fields)?,
            term: fields.number("term")?,
            ends_with_shutdown: fields.flag("shutdown")?,
            last_commit_age: fields.number("age")?.map(Duration::from_secs),
            data: DataId::read(&fields)?,
            fresh: Fresh::read(&fields)?,
            ledger_is_unreadable: fields.get("ledger") == Some(UNREADABLE),
            seen: fields
                .get("seen")
                .map_or_else(|| Ok(Evidence::default()), Evidence::decode)?,
        })
    }

    /// Whether the vote came from this agent: PAF's form tells neither.
    pub fn is_own_form(&self) -> bool {
        self.position.system.is_some() || self.term.is_some()
    }
}

/// What the number of a timeline alone tells of its ancestors.
fn ancestors_of(timeline: Timeline) -> History {
    if timeline == Timeline::FIRST {
        return History::root();
    }
    History::unknown()
}
