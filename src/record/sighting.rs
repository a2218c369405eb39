//! The postmaster of the primary as the last monitor saw it, for the next one, which may wait
//! for its end.
//!
//! A note of this node alone. It may be lost, or be of another life of the server: then the
//! monitor looks and does not wait.

use std::time::Duration;

use super::line::{FieldError, Fields, Line};
use super::name::{Life, Name};

/// A postmaster, and when it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its process id.
    pub pid: i32,
    /// When it was started, in clock ticks since the boot: a number that was given to another
    /// process does not have that.
    pub started: u64,
    /// The boot of the machine.
    pub boot: String,
    /// The interval of the monitor that saw it.
    pub interval: Duration,
    /// When it was seen to live, since the epoch, to the millisecond.
    pub seen: Duration,
    /// When the server was asked last, the same.
    pub asked: Duration,
}

impl Sighting {
    /// In a directory of root's that a reboot empties.
    pub const NAME: Name = Name::new(
        Life::File,
        "pgsqlms-RESOURCE.sighting",
        "the postmaster of the primary that the last monitor saw, so that the next one can wait \
         for its end",
    );

    /// The line.
    pub fn encode(&self) -> String {
        let mut line = Line::new();
        line.push("pid", self.pid);
        line.push("started", self.started);
        line.push("boot", &self.boot);
        line.push("interval", self.interval.as_millis());
        line.push("seen", self.seen.as_millis());
        line.push("asked", self.asked.as_millis());
        line.finish()
    }

    /// Reads the line.
    pub fn decode(text: &str) -> Result<Self, FieldError> {
        let fields = Fields::parse(text)?;
        let number = |key| fields.number(key)?.ok_or(FieldError::Missing(key));
        let time = |key| number(key).map(Duration::from_millis);
        let pid = fields.require("pid")?;
        Ok(Self {
            pid: process_id(pid).ok_or_else(|| FieldError::Value {
                key: "pid",
                value: pid.to_owned(),
            })?,
            started: number("started")?,
            boot: fields.require("boot")?.to_owned(),
            interval: time("interval")?,
            seen: time("seen")?,
            asked: time("asked")?,
        })
    }
}

fn process_id(text: &str) -> Option<i32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.filter(|pid| *pid > 0)
}
