//! Where a timeline branched off its ancestors.

use thiserror::Error;

use super::{Lsn, Timeline};

/// One step of a history: the branch left `timeline` at `at`. WAL of that
/// timeline belongs to the branch only up to `at`, this byte excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Switch {
    /// The timeline that was left.
    pub timeline: Timeline,
    /// The end of what the branch took from it.
    pub at: Lsn,
}

/// The ancestors of a timeline, oldest first.
///
/// Source: `pg_wal/%08X.history`. A history may be cut: a published vote
/// carries only the newest steps, and a node on PAF publishes none.
/// Then `is_complete` is false and what lies before is *unknown*, not absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct History {
    switches: Vec<Switch>,
    complete: bool,
}

/// What is wrong with the text of a history file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HistoryError {
    /// A line that is not `<timeline> <location> [reason]`.
    #[error("history line {line} is not a timeline and a WAL location: {text:?}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// The line as found.
        text: String,
    },
    /// Timelines must increase from line to line and stay below the child.
    #[error("history line {line}: timeline {timeline} is out of order")]
    Order {
        /// Counted from 1; the number of lines plus one for the child itself.
        line: usize,
        /// The timeline that does not fit.
        timeline: Timeline,
    },
}

impl History {
    /// The history of a timeline that has no ancestor.
    pub const fn root() -> Self {
        Self {
            switches: Vec::new(),
            complete: true,
        }
    }

    /// Nothing is known about the ancestors.
    pub const fn unknown() -> Self {
        Self {
            switches: Vec::new(),
            complete: false,
        }
    }

    /// Puts a history together from its steps, oldest first. `complete` tells
    /// whether nothing lies before the first. Steps out of order are refused.
    pub fn from_switches(
        switches: Vec<Switch>,
        child: Timeline,
        complete: bool,
    ) -> Result<Self, HistoryError> {
        let lines = switches.iter().map(|switch| switch.timeline);
        let mut last = None;
        for (index, timeline) in lines.chain([child]).enumerate() {
            if last >= Some(timeline) {
                return Err(HistoryError::Order {
                    line: index + 1,
                    timeline,
                });
            }
            last = Some(timeline);
        }
        Ok(Self { switches, complete })
    }

    /// Reads the text of the history file of `child`. Blank lines and lines
    /// that begin with `#` say nothing; the reason after the location is for
    /// people.
    pub fn parse(text: &str, child: Timeline) -> Result<Self, HistoryError> {
        let mut switches = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let meaning = line.trim();
            if meaning.is_empty() || meaning.starts_with('#') {
                continue;
            }
            let switch = parse_line(meaning).ok_or_else(|| HistoryError::Line {
                line: index + 1,
                text: line.chars().take(80).collect(),
            })?;
            switches.push(switch);
        }
        Self::from_switches(switches, child, true)
    }

    /// Where the branch left `timeline`; `None` if it is not a known ancestor.
    pub fn switch_point_of(&self, timeline: Timeline) -> Option<Lsn> {
        self.switches
            .binary_search_by_key(&timeline, |switch| switch.timeline)
            .ok()
            .map(|index| self.switches[index].at)
    }

    /// The known steps, oldest first.
    pub fn switches(&self) -> &[Switch] {
        &self.switches
    }

    /// Whether nothing lies before the first known step.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The same history with only its `count` newest steps.
    pub fn newest(&self, count: usize) -> Self {
        let cut = self.switches.len().saturating_sub(count);
        Self {
            switches: self.switches[cut..].to_vec(),
            complete: self.complete && cut == 0,
        }
    }
}

fn parse_line(line: &str) -> Option<Switch> {
    let mut words = line.split_ascii_whitespace();
    let timeline = Timeline::from_decimal(words.next()?).ok()?;
    let at = Lsn::from_hex(words.next()?).ok()?;
    Some(Switch { timeline, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(number: u32) -> Timeline {
        Timeline::new(number).unwrap()
    }

    #[test]
    fn a_file_as_postgresql_writes_it_is_read() {
        let text = "1\t0/5000000\tno recovery target specified\n\n\
                    # a remark\n2\t1/A0000028\tbefore 2026-01-01 00:00:00+00\n";
        let history = History::parse(text, timeline(3)).unwrap();
        assert_eq!(
            history.switch_point_of(timeline(1)),
            Some(Lsn::from(0x500_0000))
        );
        assert_eq!(
            history.switch_point_of(timeline(2)),
            Some(Lsn::from(0x1_A000_0028))
        );
        assert_eq!(history.switch_point_of(timeline(3)), None);
        assert!(history.is_complete());
    }

    #[test]
    fn an_empty_file_is_a_root() {
        assert_eq!(History::parse("", timeline(7)), Ok(History::root()));
    }

    #[test]
    fn thousands_of_lines_are_read() {
        let text: String = (1..=5000)
            .map(|n| format!("{n}\t{n:X}/0\tno recovery target specified\n\n"))
            .collect();
        let history = History::parse(&text, timeline(5001)).unwrap();
        assert_eq!(history.switches().len(), 5000);
        assert_eq!(
            history.switch_point_of(timeline(4711)),
            Some(Lsn::from(4711 << 32))
        );
        let cut = history.newest(32);
        assert_eq!(cut.switches().len(), 32);
        assert!(!cut.is_complete());
        assert_eq!(cut.switch_point_of(timeline(4711)), None);
    }

    #[test]
    fn damage_is_told_with_its_line() {
        let cases = [
            ("1 0/1\nx 0/2\n", 2),
            ("\n1\n", 2),
            ("1 0/1FFFFFFFFF", 1),
            ("0 0/1", 1),
        ];
        for (text, expected) in cases {
            match History::parse(text, timeline(9)) {
                Err(HistoryError::Line { line, .. }) => assert_eq!(line, expected, "{text:?}"),
                other => panic!("{text:?} gave {other:?}"),
            }
        }
    }

    #[test]
    fn timelines_must_increase_and_stay_below_the_child() {
        for (text, child) in [
            ("2 0/1\n1 0/2", 3),
            ("1 0/1\n1 0/2", 3),
            ("3 0/1", 3),
            ("4 0/1", 3),
        ] {
            let read = History::parse(text, timeline(child));
            assert!(matches!(read, Err(HistoryError::Order { .. })), "{text:?}");
        }
    }
}
