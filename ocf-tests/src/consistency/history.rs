//! A history: which transactions clients began, when, and what they were told about each.
//!
//! As a line it reads `120-340 ok a3:17 r4:1,2 # who`: begin and end in µs, outcome, steps (an
//! append of 17 to list 3, a read of list 4), and a remark.

use std::fmt;

use anyhow::{Context, Result, bail};

/// What a client knows about a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its commit was acknowledged.
    Committed,
    /// It ended without a commit for certain.
    Failed,
    /// The connection was lost at the commit: it may have happened, even later.
    Unknown,
}

/// One step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Puts an element, which no other step ever appends, at the end of a list.
    Append {
        /// Number of the list.
        list: i64,
        /// The element.
        element: i64,
    },
    /// Reads a whole list; tells nothing where the transaction was not committed.
    Read {
        /// Number of the list.
        list: i64,
        /// What it had, in order.
        elements: Vec<i64>,
    },
}

/// A transaction as its client saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Just before its first statement was sent, in µs.
    pub begin: u64,
    /// Just after its outcome was known.
    pub end: u64,
    /// What its client knows.
    pub outcome: Outcome,
    /// What it did, in order.
    pub steps: Vec<Step>,
    /// Whose it was.
    pub who: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append { list, element } => write!(f, "a{list}:{element}"),
            Self::Read { list, elements } => {
                let texts: Vec<_> = elements.iter().map(i64::to_string).collect();
                write!(f, "r{list}:{}", texts.join(","))
            }
        }
    }
}

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Committed => "ok",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        };
        write!(f, "{}-{} {outcome}", self.begin, self.end)?;
        self.steps
            .iter()
            .try_for_each(|step| write!(f, " {step}"))?;
        if self.who.is_empty() {
            return Ok(());
        }
        write!(f, " # {}", self.who)
    }
}

/// A history as text, one line for each transaction.
pub fn write(history: &[Transaction]) -> String {
    history.iter().map(|one| format!("{one}\n")).collect()
}

/// Reads what [`write`] wrote, empty lines left out.
pub fn read(text: &str) -> Result<Vec<Transaction>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = lines.map(|line| transaction(line).with_context(|| line.to_owned()));
    read.collect()
}

fn transaction(line: &str) -> Result<Transaction> {
    let (line, who) = line.split_once('#').unwrap_or((line, ""));
    let mut words = line.split_whitespace();
    let (begin, end) = words
        .next()
        .and_then(|word| word.split_once('-'))
        .context("no times")?;
    let outcome = match words.next() {
        Some("ok") => Outcome::Committed,
        Some("failed") => Outcome::Failed,
        Some("unknown") => Outcome::Unknown,
        other => bail!("outcome {other:?}"),
    };
    Ok(Transaction {
        begin: begin.parse()?,
        end: end.parse()?,
        outcome,
        steps: words.map(step).collect::<Result<_>>()?,
        who: who.trim().to_owned(),
    })
}

fn step(word: &str) -> Result<Step> {
    let (place, what) = word.split_once(':').context("a step without a colon")?;
    if let Some(list) = place.strip_prefix('a') {
        let (list, element) = (list.parse()?, what.parse()?);
        return Ok(Step::Append { list, element });
    }
    let list = place.strip_prefix('r').context("neither a nor r")?;
    let elements = what.split(',').filter(|text| !text.is_empty());
    Ok(Step::Read {
        list: list.parse()?,
        elements: elements.map(str::parse).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_as_it_was_written() {
        let text = "1-4 ok a3:17 r4:1,2 # who\n2-5 unknown a3:18\n6-7 failed r4:\n";
        assert_eq!(write(&read(text).unwrap()), text);
    }

    #[test]
    fn what_is_no_transaction_is_an_error() {
        for line in [
            "1-2",
            "1 ok",
            "1-2 maybe",
            "1-2 ok a1",
            "1-2 ok x1:2",
            "1-2 ok r1:a",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
