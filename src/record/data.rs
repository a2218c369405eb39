//! The identity of a node's data: what a name does not tell.
//!
//! A node whose data directory was rebuilt, restored or rewound is another voter than it
//! was, under the same name: it was primary of nothing, and confirmed nothing. So its data
//! have an identity: of which control file they are (whatever makes a data directory makes a
//! new one), and how often they were rewound. The node keeps it in its ledger.
//!
//! Data that took the place of others are *fresh* for a while: commits that the node confirmed
//! before may not be in them.

use std::fmt;

use super::line::{FieldError, Fields, Line};
use crate::wal::{Lsn, Place, Position, Timeline};

/// The key in each line that has one.
const KEY: &str = "data";
/// The key in each line of data that are fresh.
const FRESH: &str = "fresh";
/// No identity is longer (bytes).
const LONGEST: usize = 100;

/// The identity of the data on a node: `<control file>.<rewinds>`, of digits and dots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataId(String);

impl DataId {
    /// Of data that were never rewound. `control` is the identity of their control file,
    /// digits and dots (`Server::control_identity`).
    pub fn of(control: &str) -> Self {
        Self(format!("{control}.0"))
    }

    /// Whether the data are those of this control file.
    pub fn is_of(&self, control: &str) -> bool {
        let parts = self.0.rsplit_once('.');
        parts.is_some_and(|(own, _)| own == control)
    }

    /// Of the same data after one more rewind.
    pub fn rewound(&self) -> Self {
        let (control, rewinds) = self.0.rsplit_once('.').unwrap_or((&self.0, "0"));
        let rewinds: u64 = rewinds.parse().unwrap_or_default();
        Self(format!("{control}.{}", rewinds.saturating_add(1)))
    }

    /// Reads the text; `None` for one that is none.
    pub fn decode(text: &str) -> Option<Self> {
        let known = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let right = text.contains('.') && text.len() <= LONGEST && text.bytes().all(known);
        right.then(|| Self(text.to_owned()))
    }

    /// The field `data` of a line, if it has one.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Option<Self>, FieldError> {
        let wrong = |text: &str| FieldError::Value {
            key: KEY,
            value: text.to_owned(),
        };
        let read = |text| Self::decode(text).ok_or_else(|| wrong(text));
        fields.get(KEY).map(read).transpose()
    }

    /// Whether both are known, and differ: what is not known is not held against a node.
    pub fn differ(one: Option<&Self>, other: Option<&Self>) -> bool {
        matches!((one, other), (Some(one), Some(other)) if one != other)
    }
}

impl fmt::Display for DataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of data that took the place of others: what the node confirmed before may not be in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fresh {
    /// The last election that was known when they came.
    pub term: u64,
    /// What the elected primary had written at a moment after that. All that the other data
    /// confirmed is before it.
    pub owes: Option<Place>,
}

impl Fresh {
    /// Data that came after this election.
    pub fn since(term: u64) -> Self {
        Self { term, owes: None }
    }

    /// Data that have lost what they may have confirmed, up to this place, since the last election
    /// that is known; and what they owed before.
    pub fn lacking(before: Option<Self>, term: u64, until: Place) -> Self {
        let Some(before) = before else {
            let owes = Some(until);
            return Self { term, owes };
        };
        let further = |owed: Place| (owed.timeline, owed.lsn) > (until.timeline, until.lsn);
        Self {
            term: before.term.max(term),
            owes: before
                .owes
                .map(|owed| if further(owed) { owed } else { until }),
        }
    }

    /// Whether data with this position have caught up: what the node confirmed ever is in them.
    pub fn is_made_up_by(&self, held: &Position) -> bool {
        self.owes.is_some_and(|owes| held.reaches(owes))
    }

    /// `3`, and `3:2:83886080` once it is known what is owed.
    pub(super) fn push(fresh: Option<&Self>, line: &mut Line) {
        let text = fresh.map(|Self { term, owes }| match owes {
            None => term.to_string(),
            Some(Place { timeline, lsn }) => format!("{term}:{timeline}:{}", lsn.as_u64()),
        });
        line.push_some(FRESH, text);
    }

    /// The field of a line, if it has one.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Option<Self>, FieldError> {
        fields.get(FRESH).map(Self::decode).transpose()
    }

    fn decode(text: &str) -> Result<Self, FieldError> {
        let wrong = || FieldError::Value {
            key: FRESH,
            value: text.to_owned(),
        };
        let parts: Vec<_> = text.split(':').collect();
        let (term, owes) = match parts.as_slice() {
            [term] => (term, None),
            [term, timeline, lsn] => {
                let timeline = Timeline::from_decimal(timeline)?;
                let lsn = Lsn::from_decimal(lsn)?;
                (term, Some(Place { timeline, lsn }))
            }
            _ => return Err(wrong()),
        };
        let term = term.parse().map_err(|_| wrong())?;
        Ok(Self { term, owes })
    }
}
