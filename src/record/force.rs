//! An admin's override of a refused promotion.

use crate::wal::{Timeline, TimelineError};

/// An admin's explicit act: promote once although acknowledged commits may be
/// lost.
///
/// It names the timeline that is given up on. A promotion opens a higher one,
/// so the act is spent by the promotion it was meant for, even if nobody
/// removes the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Force {
    /// The timeline that the node to be promoted stands on.
    pub timeline: Timeline,
}

impl Force {
    /// The name of the permanent attribute, on any node.
    pub fn attribute(resource: &str) -> String {
        format!("force-promotion-{resource}")
    }

    /// The value: the timeline in decimal.
    pub fn decode(text: &str) -> Result<Self, TimelineError> {
        Timeline::from_decimal(text).map(|timeline| Self { timeline })
    }

    /// The one of all nodes' that is for `timeline`: another one may be left from a
    /// promotion that did not need it.
    pub fn of_timeline<'a>(
        published: impl Iterator<Item = &'a str>,
        timeline: Timeline,
    ) -> Option<Self> {
        let mut forces = published.flat_map(Self::decode);
        forces.find(|force| force.timeline == timeline)
    }
}
