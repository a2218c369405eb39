//! Thresholds of monitoring plugins: `[@][start:][end]`, with sizes as people write them.

use std::str::FromStr;

/// The values that are well. Outside of them, or with `@` inside of them, an alert is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    from: u64,
    to: Option<u64>,
    is_inverted: bool,
}

/// A threshold of one measure: `lag=16MB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// Which measure.
    pub measure: Measure,
    /// What is well.
    pub range: Range,
}

/// What thresholds are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Bytes that a standby has not received.
    Lag,
    /// Bytes that a standby has not replayed.
    ReplayLag,
    /// Bytes that would be lost with the primary.
    Loss,
    /// Standbys that follow the primary.
    Standbys,
}

impl Measure {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lag => "lag",
            Self::ReplayLag => "replay_lag",
            Self::Loss => "loss",
            Self::Standbys => "standbys",
        }
    }

    /// Its unit in performance data.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Standbys => "",
            _ => "B",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let all = [Self::Lag, Self::ReplayLag, Self::Loss, Self::Standbys];
        all.into_iter().find(|one| one.name() == name)
    }
}

impl Range {
    /// Whether a value is well.
    pub fn holds(self, value: u64) -> bool {
        let is_within = value >= self.from && self.to.is_none_or(|to| value <= to);
        is_within != self.is_inverted
    }

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('@');
        let (is_inverted, text) = (rest.is_some(), rest.unwrap_or(text));
        if text.is_empty() {
            return None;
        }
        let (from, to) = text.split_once(':').unwrap_or(("0", text));
        let from = if from == "~" || from.is_empty() {
            0
        } else {
            size(from)?
        };
        let to = if to.is_empty() { None } else { Some(size(to)?) };
        let is_range = to.is_none_or(|to| to >= from);
        is_range.then_some(Self {
            from,
            to,
            is_inverted,
        })
    }
}

/// As performance data has it, in bytes.
impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let inverted = if self.is_inverted { "@" } else { "" };
        let to = self.to.map(|to| to.to_string()).unwrap_or_default();
        match self.from {
            0 if self.to.is_some() => write!(f, "{inverted}{to}"),
            from => write!(f, "{inverted}{from}:{to}"),
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not MEASURE=RANGE, such as lag=16MB or standbys=2:");
        let (name, range) = text.split_once('=').ok_or_else(wrong)?;
        let measure = Measure::named(name)
            .ok_or_else(|| format!("{name:?} is none of lag, replay_lag, loss, standbys"))?;
        let range = Range::parse(range).ok_or_else(wrong)?;
        Ok(Self { measure, range })
    }
}

/// `16777216`, `16384kB`, `16MB`, `1GB`: units as PostgreSQL's settings have them.
fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let factor = match &text[digits.len()..] {
        "" | "B" => 1,
        "kB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1_u64 << 40,
        _ => return None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = is_number.then(|| digits.parse().ok()).flatten()?;
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(range: &str, value: u64) -> bool {
        Range::parse(range).unwrap().holds(value)
    }

    #[test]
    fn a_range_is_that_of_the_plugin_guidelines() {
        assert!(holds("10", 0) && holds("10", 10) && !holds("10", 11));
        assert!(holds("2:", 2) && !holds("2:", 1));
        assert!(holds("~:10", 0) && !holds("~:10", 11));
        assert!(holds("10:20", 10) && !holds("10:20", 9) && !holds("10:20", 21));
        assert!(!holds("@10:20", 10) && holds("@10:20", 21));
    }

    #[test]
    fn sizes_have_the_units_of_postgresql() {
        for (text, bytes) in [("7", 7), ("7B", 7), ("16kB", 16384), ("16MB", 16_777_216)] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "MB", "16M", "16mb", "-1", "1.5MB", "99999999999TB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn a_threshold_names_its_measure() {
        let lag: Threshold = "lag=16MB".parse().unwrap();
        assert_eq!(
            (lag.measure, lag.range.to_string().as_str()),
            (Measure::Lag, "16777216")
        );
        let standbys: Threshold = "standbys=2:".parse().unwrap();
        assert_eq!(standbys.range.to_string(), "2:");
        for text in ["lag", "lag=", "speed=3", "lag=x", "lag=20:10"] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
    }
}
