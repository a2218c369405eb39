//! What a node says about itself before a promotion.
//!
//! Every active node votes in pre-promote, before the notify returns. A vote is
//! a lower bound of what the node holds: it may hold more by now, never less.
//! It travels in two attributes: the number pair that nodes on the Perl agent
//! read and write (`lsn_location-<rsc>`), and a line of our own with the rest.

use super::line::{FieldError, Fields, Line, history_text, read_history};
use crate::wal::{History, Lsn, Position, SystemId, Timeline};

/// Steps of the history that a vote carries. A cluster that fails over once a
/// month needs three years to pass it, and then only votes of nodes that have
/// been away for all that time compare as unknown.
const HISTORY_LIMIT: usize = 32;

/// A node's vote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vote {
    /// What the node holds at least.
    pub position: Position,
    /// The highest term among the reigns that the node knew when it voted. It
    /// tells a vote of this election from one left over from an earlier one.
    /// `None` in votes of Perl nodes.
    pub term: Option<u64>,
    /// Whether the last WAL record that the node holds is a shutdown
    /// checkpoint. `None`: not looked at.
    pub ends_with_shutdown: Option<bool>,
    /// How old the last commit that the node has replayed was when it voted,
    /// seconds: a person sees from it how much may be missing. It decides
    /// nothing. `None`: no commit since its start, or not told.
    pub last_commit_age_s: Option<u64>,
}

impl Vote {
    /// The name of the attribute that nodes on the Perl agent share with us.
    pub fn shared_attribute(resource: &str) -> String {
        format!("lsn_location-{resource}")
    }

    /// The name of our own attribute.
    pub fn attribute(resource: &str) -> String {
        format!("vote-{resource}")
    }

    /// `<timeline>#<lsn>` in decimal, for nodes on the Perl agent.
    pub fn encode_shared(&self) -> String {
        format!("{}#{}", self.position.timeline, self.position.lsn.as_u64())
    }

    /// Reads the shared form: no system, no history, no term.
    pub fn decode_shared(text: &str) -> Result<Self, FieldError> {
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
            last_commit_age_s: None,
        })
    }

    /// Our own form, one line.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        push_position(&mut line, &self.position, HISTORY_LIMIT);
        line.push_some("term", self.term);
        let ending = self.ends_with_shutdown;
        line.push_some("shutdown", ending.map(|yes| if yes { "yes" } else { "no" }));
        line.push_some("age", self.last_commit_age_s);
        line.finish()
    }

    /// Reads our own form.
    pub fn decode(text: &str) -> Result<Self, FieldError> {
        let fields = Fields::parse(text)?;
        Ok(Self {
            position: read_position(&fields)?,
            term: fields.number("term")?,
            ends_with_shutdown: fields.flag("shutdown")?,
            last_commit_age_s: fields.number("age")?,
        })
    }

    /// Whether the vote came in our own form: the shared one tells neither.
    pub fn is_own_form(&self) -> bool {
        self.position.system.is_some() || self.term.is_some()
    }
}

/// What is known of the ancestors when only the number of a timeline is.
fn ancestors_of(timeline: Timeline) -> History {
    if timeline == Timeline::FIRST {
        return History::root();
    }
    History::unknown()
}

/// Writes the fields of a position.
pub(super) fn push_position(line: &mut Line, position: &Position, history_limit: usize) {
    line.push_some("sys", position.system);
    line.push("tl", position.timeline);
    line.push("lsn", position.lsn.as_u64());
    line.push("hist", history_text(&position.history, history_limit));
}

/// Reads the fields of a position.
pub(super) fn read_position(fields: &Fields<'_>) -> Result<Position, FieldError> {
    let timeline = Timeline::from_decimal(fields.require("tl")?)?;
    let system = fields.get("sys").map(SystemId::from_decimal).transpose()?;
    Ok(Position {
        system,
        timeline,
        lsn: Lsn::from_decimal(fields.require("lsn")?)?,
        history: read_history(fields.get("hist"), timeline)?,
    })
}
