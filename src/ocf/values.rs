//! How values are written: what counts as a boolean, a number, a directory.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The words that Pacemaker takes for a boolean (`crm_str_to_boolean`).
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "y" | "1" => Some(true),
        "false" | "off" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Whether an option of the cluster turns fencing off. The second name is that of Pacemaker 3.0.2 and
/// later.
pub fn turns_fencing_off(name: &str, value: &str) -> bool {
    ["stonith-enabled", "fencing-enabled"].contains(&name) && boolean(value) == Some(false)
}

/// Digits only: `parse` alone would take a sign.
pub fn number<N: FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A time with its unit, or a duration of ISO 8601 (`PT1M30S`), as Pacemaker reads both.
pub fn time(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Some(parts) = text.strip_prefix('P') {
        return iso8601(parts);
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let factor = match unit.trim() {
        "us" | "usec" => return Some(Duration::from_micros(number)),
        "ms" | "msec" => 1,
        "" | "s" | "sec" => 1000,
        "m" | "min" => 60_000,
        "h" | "hr" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.saturating_mul(factor)))
}

/// What stands behind the `P`. A year has 365 days in it, and a month 30.
fn iso8601(text: &str) -> Option<Duration> {
    let (days, hours) = match text.split_once('T') {
        Some((days, hours)) => (days, Some(hours).filter(|text| !text.is_empty())?),
        None => (text, ""),
    };
    let of_days = [
        ('Y', 365 * DAY),
        ('M', 30 * DAY),
        ('W', 7 * DAY),
        ('D', DAY),
    ];
    let of_hours = [('H', 3600), ('M', 60), ('S', 1)];
    let seconds = parts(days, &of_days)?.checked_add(parts(hours, &of_hours)?)?;
    (!text.is_empty()).then(|| Duration::from_secs(seconds))
}

const DAY: u64 = 24 * 3600;

/// The seconds of numbers with units, in the order of the units.
fn parts(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let (mut rest, mut seconds) = (text, 0_u64);
    for (unit, factor) in units {
        if let Some((amount, after)) = rest.split_once(*unit) {
            let amount = number::<u64>(amount).filter(|_| !amount.is_empty())?;
            seconds = seconds.checked_add(amount.checked_mul(*factor)?)?;
            rest = after;
        }
    }
    rest.is_empty().then_some(seconds)
}

/// A directory that means the same wherever the agent runs.
pub fn absolute(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(text)).filter(|path| path.is_absolute())
}

/// The name of a database role, or none; no longer one exists (`NAMEDATALEN`).
pub fn role(text: &str) -> Option<Option<String>> {
    let is_name = text.len() < 64 && !text.contains(char::is_control);
    let role = Some(text.to_owned()).filter(|text| !text.is_empty());
    is_name.then_some(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boolean_is_what_pacemaker_takes_for_one() {
        for text in ["true", "On", "YES", "y", "1"] {
            assert_eq!(boolean(text), Some(true), "{text}");
        }
        for text in ["false", "Off", "NO", "n", "0"] {
            assert_eq!(boolean(text), Some(false), "{text}");
        }
        for text in ["", "maybe", "2", "truely"] {
            assert_eq!(boolean(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_is_digits_and_nothing_else() {
        assert_eq!(number("18446744073709551615"), Some(u64::MAX));
        for text in ["", "1e6", "0x10", "inf", "nan", "-1", "+1", "1 000"] {
            assert_eq!(number::<u64>(text), None, "{text}");
        }
        assert_eq!(number::<u16>("65536"), None);
    }

    #[test]
    fn a_time_has_a_unit() {
        let millis = |text| time(text).map(|time| time.as_millis());
        for (text, wanted) in [
            ("5", Some(5000)),
            ("100ms", Some(100)),
            ("2 min", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("18446744073709551615h", Some(u128::from(u64::MAX))),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("1 week", None),
            ("PT10S", Some(10_000)),
            ("PT1M30S", Some(90_000)),
            ("P1DT2H", Some(93_600_000)),
            ("P1W", Some(604_800_000)),
            ("P1M", Some(2_592_000_000)),
            ("PT0S", Some(0)),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("PT10", None),
            ("P10S", None),
            ("PT1S1M", None),
            ("PT-1S", None),
            ("P18446744073709551615Y", None),
        ] {
            assert_eq!(millis(text), wanted, "{text:?}");
        }
    }
}
