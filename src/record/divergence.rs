//! How the data of a node differ from the primary's branch. The node says it of
//! itself, so that the primary's monitor can say it too.

use std::fmt;

use super::name::{Life, Name};
use crate::wal::{Lsn, Timeline};

/// Data that no longer fit the primary's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Divergence {
    /// The node holds WAL that the primary's branch does not have.
    Left {
        /// The timeline of what the node holds.
        timeline: Timeline,
        /// Up to where it holds it.
        lsn: Lsn,
        /// Up to where both hold the same.
        fork: Lsn,
    },
    /// It is another database altogether.
    OtherSystem,
}

impl Divergence {
    /// On a node that has diverged, so that `crm_mon -A` shows it beside the node.
    pub const NAME: Name = Name::new(
        Life::Transient,
        "diverged-RESOURCE",
        "what they hold and where the fork is, see above",
    );

    /// The attribute's value: `3#83886080#67108864`.
    pub fn encode(&self) -> String {
        match self {
            Self::Left {
                timeline,
                lsn,
                fork,
            } => format!("{timeline}#{}#{}", lsn.as_u64(), fork.as_u64()),
            Self::OtherSystem => "other-system".to_owned(),
        }
    }

    /// Reads the attribute's value.
    pub fn decode(text: &str) -> Option<Self> {
        if text == "other-system" {
            return Some(Self::OtherSystem);
        }
        let mut parts = text.split('#');
        let timeline = Timeline::from_decimal(parts.next()?).ok()?;
        let lsn = Lsn::from_decimal(parts.next()?).ok()?;
        let fork = Lsn::from_decimal(parts.next()?).ok()?;
        parts.next().is_none().then_some(Self::Left {
            timeline,
            lsn,
            fork,
        })
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left {
                timeline,
                lsn,
                fork,
            } => write!(
                f,
                "it holds timeline {timeline} up to {lsn}, the primary branched off at {fork}"
            ),
            Self::OtherSystem => f.write_str("it holds another database (system identifier)"),
        }
    }
}
