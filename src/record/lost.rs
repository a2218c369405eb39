//! What was thrown away of a node's data: WAL that is on no branch which was elected.
//!
//! It is kept on the node, so that somebody can look what was lost.

use super::line::{FieldError, Fields, Line};
use super::name::{Life, Name};
use crate::wal::{Lsn, Timeline};

/// The directory in which it is kept.
pub const NAME: Name = Name::new(
    Life::File,
    "RESOURCE.lost",
    "WAL that a rewind or a rebuild of this node has thrown away, see `pgsqlms lost`",
);

/// What threw it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `rejoin=rewind`.
    Rewind,
    /// `pgsqlms rebuild`.
    Rebuild,
}

/// WAL that was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// What threw it away.
    pub by: By,
    /// When, in seconds since the epoch.
    pub at: u64,
    /// The timeline that the node was on.
    pub timeline: Timeline,
    /// Where it had left the elected branch.
    pub fork: Lsn,
    /// Up to where it is known to have written.
    pub end: Lsn,
    /// Bytes in a WAL file.
    pub segment_size: u64,
    /// Whether all of it was kept.
    pub is_whole: bool,
}

impl By {
    fn read(text: &str) -> Result<Self, FieldError> {
        let known = [Self::Rewind, Self::Rebuild].into_iter();
        let mut found = known.filter(|one| one.word() == text);
        found.next().ok_or(FieldError::Value {
            key: "by",
            value: text.to_owned(),
        })
    }

    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rewind => "rewind",
            Self::Rebuild => "rebuild",
        }
    }
}

impl Lost {
    /// Bytes of WAL behind the fork.
    pub fn bytes(&self) -> u64 {
        self.end.bytes_since(self.fork).unwrap_or(0)
    }

    /// The line.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        line.push("by", self.by.word());
        line.push("at", self.at);
        line.push("tl", self.timeline);
        line.push("fork", self.fork.as_u64());
        line.push("end", self.end.as_u64());
        line.push("seg", self.segment_size);
        line.push("whole", if self.is_whole { "yes" } else { "no" });
        line.finish()
    }

    /// Reads the line.
    pub fn decode(text: &str) -> Result<Self, FieldError> {
        let fields = Fields::parse(text.trim_end())?;
        let number = |key| fields.number(key)?.ok_or(FieldError::Missing(key));
        Ok(Self {
            by: By::read(fields.require("by")?)?,
            at: number("at")?,
            timeline: Timeline::from_decimal(fields.require("tl")?)?,
            fork: Lsn::from(number("fork")?),
            end: Lsn::from(number("end")?),
            segment_size: number("seg")?,
            is_whole: fields.flag("whole")?.ok_or(FieldError::Missing("whole"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_comes_back_unchanged(
            at: u64, timeline in 1u32.., fork: u64, end: u64, segment_size: u64, is_whole: bool,
        ) {
            let lost = Lost {
                by: if is_whole { By::Rewind } else { By::Rebuild },
                at,
                timeline: Timeline::new(timeline).unwrap(),
                fork: Lsn::from(fork),
                end: Lsn::from(end),
                segment_size,
                is_whole,
            };
            prop_assert_eq!(Lost::decode(&lost.encode()), Ok(lost));
        }

        #[test]
        fn no_text_panics(text in "(?s).*") {
            let _ = Lost::decode(&text);
        }
    }
}
