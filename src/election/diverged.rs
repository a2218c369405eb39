//! Whether a standby has left the branch of the primary.

use super::lineage::Lineage;
use crate::ocf::NodeName;
use crate::record::{Divergence, Reign, last_reign};
use crate::wal::Position;

/// Data that do not fit the primary's, and who that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diverged {
    /// The primary that was elected last.
    pub primary: NodeName,
    /// How they differ.
    pub how: Divergence,
}

impl Diverged {
    /// Whether the node `own` has left the branch that was elected last. `held` looks
    /// at what it holds; it is asked only where the answer matters. What cannot be
    /// told is not held against a node.
    pub fn find<E>(
        reigns: &[Reign],
        own: Option<&NodeName>,
        held: impl FnOnce() -> Result<Position, E>,
    ) -> Result<Option<Self>, E> {
        // A claim may never come true: it says nothing about anybody's data yet.
        let Some(last) = last_reign(reigns).filter(|last| last.is_opened()) else {
            return Ok(None);
        };
        if Some(&last.primary) == own {
            return Ok(None);
        }
        let how = last.divergence_of(&held()?);
        let primary = last.primary.clone();
        Ok(how.map(|how| Self { primary, how }))
    }
}

impl Reign {
    /// How a position differs from this reign's branch, if it is known to.
    fn divergence_of(&self, held: &Position) -> Option<Divergence> {
        match self.lineage_of(held) {
            Lineage::Follows | Lineage::Unknown => None,
            Lineage::OtherSystem => Some(Divergence::OtherSystem),
            Lineage::Left { fork } => Some(Divergence::Left {
                timeline: held.timeline,
                lsn: held.lsn,
                fork,
            }),
        }
    }
}
