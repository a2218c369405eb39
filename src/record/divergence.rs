//! What a node that left the branch of the primary says about itself, so that
//! the primary's monitor can say it too.

use std::fmt;

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
    /// The name of the attribute with it. It is not private: `crm_mon -A`
    /// shows it beside the node. It is gone when Pacemaker stops there.
    pub fn attribute(resource: &str) -> String {
        format!("diverged-{resource}")
    }

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
                "it holds timeline {timeline} up to {lsn}, the primary's branch left at {fork}"
            ),
            Self::OtherSystem => f.write_str("it holds another database (system identifier)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_published_is_read_again(timeline in 1..=u32::MAX, lsn: u64, fork: u64) {
            let left = Divergence::Left {
                timeline: Timeline::new(timeline).unwrap(),
                lsn: Lsn::from(lsn),
                fork: Lsn::from(fork),
            };
            prop_assert_eq!(Divergence::decode(&left.encode()), Some(left));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Divergence::decode(&text);
        }
    }

    #[test]
    fn what_is_not_published_is_refused() {
        for text in ["", "1#2", "1#2#3#4", "0#2#3", "1#-2#3", "other"] {
            assert_eq!(Divergence::decode(text), None, "{text}");
        }
        let other = Divergence::OtherSystem;
        assert_eq!(Divergence::decode(&other.encode()), Some(other));
    }
}
