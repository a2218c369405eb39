//! The one-line form in which facts travel as cluster attributes.
//!
//! `1;tl=3;lsn=50331648;…`: a version, then `key=value` fields. Only letters,
//! digits and `;=:,._%~-` occur, so that neither a shell nor XML nor the
//! cluster's tools can misread a line. Keys that this version does not know are
//! ignored; a line of another version is refused as a whole.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use thiserror::Error;

use crate::wal::{
    History, HistoryError, Lsn, LsnError, Position, Switch, SystemId, Timeline, TimelineError,
};

/// The version that this agent writes and reads.
const VERSION: &str = "1";

/// The newest steps of a history that a line carries. A cluster that fails over once
/// a month needs three years to pass it, and then only nodes that were away for all
/// that time cannot be compared.
pub const HISTORY_LIMIT: usize = 32;

/// Stands before a history whose oldest steps were cut off.
const CUT: char = '~';

/// Why an attribute's line could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FieldError {
    /// The line was written by another version of the agent.
    #[error("written in version {0:?}, this agent reads version {VERSION}")]
    Version(String),
    /// A field without `=`.
    #[error("not a key=value field: {0:?}")]
    Shape(String),
    /// A key that occurs twice.
    #[error("the field {0:?} occurs twice")]
    Twice(String),
    /// A field that must be there.
    #[error("the field {0:?} is missing")]
    Missing(&'static str),
    /// A value that is not what the key stands for.
    #[error("the field {key:?} has the value {value:?}")]
    Value {
        /// The key.
        key: &'static str,
        /// The value as found.
        value: String,
    },
    /// Not a timeline, or not a system identifier.
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    /// Not an LSN.
    #[error(transparent)]
    Lsn(#[from] LsnError),
    /// Steps of a history in the wrong order.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// The fields of one line, for reading.
#[derive(Debug)]
pub(super) struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Fields<'a> {
    /// Splits a line; says nothing yet about the values.
    pub(super) fn parse(line: &'a str) -> Result<Self, FieldError> {
        let mut parts = line.split(';');
        let version = parts.next().unwrap_or_default();
        if version != VERSION {
            return Err(FieldError::Version(version.chars().take(20).collect()));
        }
        let mut fields = BTreeMap::new();
        for part in parts {
            let shape = || FieldError::Shape(part.to_owned());
            let (key, value) = part.split_once('=').ok_or_else(shape)?;
            if fields.insert(key, value).is_some() {
                return Err(FieldError::Twice(key.to_owned()));
            }
        }
        Ok(Self(fields))
    }

    /// The value of a key, if the line has it.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied()
    }

    /// The value of a key that must be there.
    pub(super) fn require(&self, key: &'static str) -> Result<&'a str, FieldError> {
        self.get(key).ok_or(FieldError::Missing(key))
    }

    /// A decimal number, if the line has the key.
    pub(super) fn number(&self, key: &'static str) -> Result<Option<u64>, FieldError> {
        let wrong = |value: &str| FieldError::Value {
            key,
            value: value.to_owned(),
        };
        let read = |value| Lsn::from_decimal(value).map_err(|_| wrong(value));
        self.get(key)
            .map(read)
            .transpose()
            .map(|n| n.map(Lsn::as_u64))
    }

    /// `yes` or `no`, if the line has the key.
    pub(super) fn flag(&self, key: &'static str) -> Result<Option<bool>, FieldError> {
        match self.get(key) {
            None => Ok(None),
            Some("yes") => Ok(Some(true)),
            Some("no") => Ok(Some(false)),
            Some(other) => Err(FieldError::Value {
                key,
                value: other.to_owned(),
            }),
        }
    }
}

/// A line under construction.
#[derive(Debug)]
pub(super) struct Line(String);

impl Line {
    /// Begins with the version.
    pub(super) fn new() -> Self {
        Self(VERSION.to_owned())
    }

    /// Adds a field.
    pub(super) fn push(&mut self, key: &str, value: impl Display) {
        // Writing into a String cannot fail.
        let _ = write!(self.0, ";{key}={value}");
    }

    /// Adds a field if there is a value for it.
    pub(super) fn push_some(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.push(key, value);
        }
    }

    /// The finished line.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Writes the fields of a position.
pub(super) fn push_position(line: &mut Line, position: &Position) {
    line.push_some("sys", position.system);
    line.push("tl", position.timeline);
    line.push("lsn", position.lsn.as_u64());
    line.push("hist", history_text(&position.history));
}

/// Reads the fields of a position.
pub(super) fn read_position(fields: &Fields<'_>) -> Result<Position, FieldError> {
    let timeline = Timeline::from_decimal(fields.require("tl")?)?;
    let system = fields.get("sys").map(SystemId::from_decimal).transpose()?;
    Ok(Position {
        system,
        timeline,
        lsn: Lsn::from_decimal(fields.require("lsn")?)?,
        history: read_history(fields.get("hist"), timeline)?,
    })
}

/// A history as `1:83886080,2:117440512`, cut to its newest steps.
fn history_text(history: &History) -> String {
    let history = history.newest(HISTORY_LIMIT);
    let mut text = String::new();
    if !history.is_complete() {
        text.push(CUT);
    }
    for (index, switch) in history.switches().iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{}:{}", switch.timeline, switch.at.as_u64());
    }
    text
}

/// Reads a history back; a line without the field knows no history.
fn read_history(text: Option<&str>, child: Timeline) -> Result<History, FieldError> {
    let Some(text) = text else {
        return Ok(History::unknown());
    };
    let (steps, complete) = match text.strip_prefix(CUT) {
        Some(steps) => (steps, false),
        None => (text, true),
    };
    let steps = steps.split(',').filter(|step| !step.is_empty());
    let switches = steps.map(read_switch).collect::<Result<Vec<_>, _>>()?;
    Ok(History::from_switches(switches, child, complete)?)
}

fn read_switch(step: &str) -> Result<Switch, FieldError> {
    let shape = || FieldError::Shape(step.to_owned());
    let (timeline, at) = step.split_once(':').ok_or_else(shape)?;
    Ok(Switch {
        timeline: Timeline::from_decimal(timeline)?,
        at: Lsn::from_decimal(at)?,
    })
}

/// A name in which every byte that could be misread is written as `%XX`.
pub(super) fn escape(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Undoes `escape`; `None` for a text that `escape` never writes.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}
