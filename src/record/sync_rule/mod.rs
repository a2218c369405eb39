//! Which nodes together must hold every acknowledged synchronous commit.

use std::fmt::{self, Write};

use super::line::{FieldError, escape, unescape};
use crate::ocf::NodeName;

mod grammar;

pub use grammar::{SyncMethod, SyncRuleError};

/// The meaning of `synchronous_standby_names`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyncRule {
    /// Nobody knows which of the listed standbys were connected when a commit was
    /// acknowledged, so the sync guard counts `FIRST` as it counts `ANY`.
    pub method: SyncMethod,
    /// How many standbys must confirm a commit.
    pub count: usize,
    /// The names as written, in order. `*` stands for any standby.
    pub names: Vec<String>,
}

impl SyncRule {
    /// Reads the setting as PostgreSQL does; `None` if it names nobody, i.e.
    /// replication is asynchronous.
    pub fn parse(setting: &str) -> Result<Option<Self>, SyncRuleError> {
        let parts = grammar::parse(setting)?;
        Ok(parts.map(|(method, count, names)| Self {
            method,
            count,
            names,
        }))
    }

    /// Whether any standby at all may confirm.
    pub fn is_open(&self) -> bool {
        self.names.iter().any(|name| name == "*")
    }

    /// Whether it names a node; PostgreSQL does not look at capital letters (`pg_strcasecmp`).
    pub fn lists(&self, node: &NodeName) -> bool {
        let mut names = self.names.iter();
        names.any(|name| name.eq_ignore_ascii_case(node.as_str()))
    }

    /// `any:1:n2,n3`.
    pub(crate) fn encode(&self) -> String {
        let method = match self.method {
            SyncMethod::First => "first",
            SyncMethod::Any => "any",
        };
        let mut text = format!("{method}:{}:", self.count);
        for (index, name) in self.names.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}{}", escape(name));
        }
        text
    }

    /// Reads what `encode` wrote.
    pub(crate) fn decode(text: &str) -> Result<Self, FieldError> {
        let wrong = || FieldError::Value {
            key: "sync",
            value: text.to_owned(),
        };
        let mut parts = text.splitn(3, ':');
        let method = match parts.next() {
            Some("first") => SyncMethod::First,
            Some("any") => SyncMethod::Any,
            _ => return Err(wrong()),
        };
        let count = parts.next().and_then(|count| count.parse().ok());
        let names = parts.next().ok_or_else(wrong)?.split(',').map(unescape);
        Ok(Self {
            method,
            count: count.filter(|count| *count > 0).ok_or_else(wrong)?,
            names: names.collect::<Option<_>>().ok_or_else(wrong)?,
        })
    }
}

/// The way PostgreSQL writes the setting, for messages.
impl fmt::Display for SyncRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            SyncMethod::First => "FIRST",
            SyncMethod::Any => "ANY",
        };
        write!(f, "{method} {} ({})", self.count, self.names.join(", "))
    }
}
