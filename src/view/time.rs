//! Moments in words, in UTC: logs of several nodes are compared by them.

use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;
/// From here on the calendar is counted, in days before the epoch: a leap day ends each year.
const FROM_MARCH_OF_YEAR_0: u64 = 719_468;
/// The calendar repeats itself after 400 years.
const DAYS_OF_400_YEARS: u64 = 146_097;

/// `2026-11-27T03:12:44Z` (RFC 3339).
pub fn rfc3339(since_epoch: Duration) -> String {
    let ((year, month, day), (hour, minute, second)) = parts(since_epoch);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `2026-11-27 03:12:44 UTC`.
pub fn in_words(since_epoch: Duration) -> String {
    let ((year, month, day), (hour, minute, second)) = parts(since_epoch);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

type Three = (u64, u64, u64);

fn parts(since_epoch: Duration) -> (Three, Three) {
    let seconds = since_epoch.as_secs();
    let time = seconds % DAY;
    (
        date(seconds / DAY),
        (time / 3600, time / 60 % 60, time % 60),
    )
}

/// Year, month and day of a day since the epoch.
fn date(days: u64) -> Three {
    let days = days + FROM_MARCH_OF_YEAR_0;
    let (cycle, rest) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365;
    let of_year = rest - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = cycle * 400 + year + u64::from(month <= 2);
    (year, month, day)
}

#[test]
fn moments_are_those_of_the_calendar() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_767_225_599, "2025-12-31T23:59:59Z"),
        (1_795_749_164, "2026-11-27T03:12:44Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
    ] {
        assert_eq!(rfc3339(Duration::from_secs(seconds)), text);
    }
    let words = in_words(Duration::from_secs(1_795_749_164));
    assert_eq!(words, "2026-11-27 03:12:44 UTC");
}
