//! An admin's override of a refused promotion.

use super::name::{Life, Name};
use crate::wal::{Timeline, TimelineError};

/// An admin's explicit act: promote once although acknowledged commits may be
/// lost.
///
/// It names the timeline on which the node stands that is to be promoted. The
/// promotion opens a higher timeline, so the act cannot count for another one,
/// even if nobody removes the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Force {
    /// The timeline that the node to be promoted stands on.
    pub timeline: Timeline,
}

impl Force {
    /// On any node.
    pub const NAME: Name = Name::new(
        Life::Permanent,
        "force-promotion-RESOURCE",
        "an admin's override of a refusal, for one timeline",
    );

    /// The line: the timeline in decimal.
    pub fn encode(self) -> String {
        self.timeline.to_string()
    }

    /// Reads the line.
    pub fn decode(text: &str) -> Result<Self, TimelineError> {
        Timeline::from_decimal(text).map(|timeline| Self { timeline })
    }

    /// The override for `timeline` among those of all nodes. Others may be left over
    /// from promotions that did not need them.
    pub fn of_timeline<'a>(
        published: impl Iterator<Item = &'a str>,
        timeline: Timeline,
    ) -> Option<Self> {
        let mut forces = published.flat_map(Self::decode);
        forces.find(|force| force.timeline == timeline)
    }
}
