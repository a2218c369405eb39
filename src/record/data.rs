//! The identity of a node's data: what a name does not tell.
//!
//! A node whose data directory was rebuilt, restored or rewound is another voter than it
//! was, under the same name: it was primary of nothing, and confirmed nothing. So its data
//! have an identity: of which control file they are (whatever makes a data directory makes a
//! new one), and how often they were rewound. The node keeps it in its ledger.

use std::fmt;

use super::line::{FieldError, Fields};

/// The key in each line that has one.
const KEY: &str = "data";
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
