//! An admin's override of a refused promotion.

use super::line::{FieldError, Fields, Line};
use super::name::{Life, Name};
use crate::wal::Timeline;

/// An admin's explicit act: promote this node once although acknowledged commits may be
/// lost.
///
/// It stands on the node that the admin named, and names the timeline on which that stood and
/// the last election that was known: what the admin was told of what may be lost. It counts
/// for no other node, and no more once the node is on another timeline, or somebody else was
/// elected, even if nobody removes the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Force {
    /// The timeline that the node stands on.
    pub timeline: Timeline,
    /// The term of the last election that was known. `None` in the first version's.
    pub after: Option<u64>,
}

impl Force {
    /// On the node that is to be promoted.
    pub const NAME: Name = Name::new(
        Life::Permanent,
        "force-promotion-RESOURCE",
        "an admin's override of a refusal, for this node, on this timeline, after this election",
    );

    /// The line.
    pub fn encode(self) -> String {
        let mut line = Line::new();
        line.push("tl", self.timeline);
        line.push_some("after", self.after);
        line.finish()
    }

    /// Reads the line, or that of the first version: the timeline in decimal.
    pub fn decode(text: &str) -> Result<Self, FieldError> {
        if let Ok(timeline) = Timeline::from_decimal(text) {
            let after = None;
            return Ok(Self { timeline, after });
        }
        let fields = Fields::parse(text)?;
        Ok(Self {
            timeline: Timeline::from_decimal(fields.require("tl")?)?,
            after: fields.number("after")?,
        })
    }
}
