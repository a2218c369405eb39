//! Whether the record knows of a later election than the log of one node tells of: a node that was
//! away has an older promotion for its last.

use std::time::Duration;

use serde_json::{Value, json};

use super::last::{Moment, since_new_year};
use super::seen::Seen;
use super::time::{in_words, rfc3339};
use crate::ocf::{Line, NodeName, Style};

/// How far apart the clock of the log and that of the election may be: nodes have their own.
const SLACK: Duration = Duration::from_secs(60);
/// Times of a log have no year: one that seems to come so long after is of the year before.
const HALF_A_YEAR: Duration = Duration::from_secs(183 * 86_400);

/// An election that the log does not tell of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    election: u64,
    primary: NodeName,
    at: Option<Duration>,
}

impl Later {
    /// The last election on record, if a log ends before it. `clock` says a time since the epoch as
    /// the log would.
    pub fn of(
        seen: &Seen,
        course: &[Moment],
        clock: impl Fn(Duration) -> Option<String>,
    ) -> Option<Self> {
        let last = seen.last_reign()?;
        let at = last.particulars.held_at.map(Duration::from_secs);
        let at_by_log = at.and_then(clock).and_then(|clock| since_new_year(&clock));
        let is_told = match (course.last(), at_by_log) {
            (None, _) => false,
            (Some(end), Some(at)) => ends(end.at, at).unwrap_or(tells_of(course, &last.primary)),
            (Some(_), None) => tells_of(course, &last.primary),
        };
        (!is_told).then_some(Self {
            election: last.term,
            primary: last.primary,
            at,
        })
    }

    /// For people.
    pub fn line(&self) -> Line {
        let Self {
            election,
            primary,
            at,
        } = self;
        let at = at.map(|at| format!(" at {}", in_words(at)));
        let at = at.unwrap_or_default();
        let text = format!(
            "This log does not have the last promotion: election {election} was won by {primary}{at}. \
             On {primary}: pgsqlms history --last"
        );
        Line::of(Style::Warn, text)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "election": self.election,
            "node": self.primary.as_str(),
            "at": self.at.map(rfc3339),
        })
    }
}

/// Whether a log ends after the election; `None`: their times do not tell.
fn ends(end: Duration, election: Duration) -> Option<bool> {
    let (after, before) = (end.saturating_sub(election), election.saturating_sub(end));
    match () {
        () if after > HALF_A_YEAR => Some(false),
        () if before > HALF_A_YEAR => None,
        () if after > SLACK => Some(true),
        () if before > SLACK => Some(false),
        () => None,
    }
}

/// Whether the winner is in the log.
fn tells_of(course: &[Moment], winner: &NodeName) -> bool {
    let mut words = course
        .iter()
        .flat_map(|one| one.words.split([' ', ':', '(', ')']));
    words.any(|word| word == winner.as_str())
}
