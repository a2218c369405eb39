//! Values as people read them, in Grafana's units.

use super::dashboard::Look;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86400.0;

/// A value in its unit, or the text that stands for it; `now` is in seconds since 1970.
pub fn text(value: f64, look: &Look, now: f64) -> String {
    if let Some((text, _)) = look.texts.get(&value.to_string()) {
        return text.clone();
    }
    match look.unit.as_str() {
        "bytes" => bytes(value),
        "s" => seconds(value),
        "dateTimeFromNow" => ago(now - value / 1000.0),
        _ => plain(value, look.decimals),
    }
}

fn plain(value: f64, decimals: Option<usize>) -> String {
    match decimals {
        Some(decimals) => format!("{value:.decimals$}"),
        None => short(value),
    }
}

/// With two decimals at most, and no zeros at their end.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bytes(value: f64) -> String {
    let mut value = value;
    let mut units = ["B", "KiB", "MiB", "GiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value.abs() >= 1024.0 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / 1024.0, next);
    }
    let value = if value >= 100.0 { value.round() } else { value };
    format!("{} {unit}", short(value))
}

fn seconds(value: f64) -> String {
    match value {
        0.0 => "0 s".to_owned(),
        small if small < 1.0 => format!("{} ms", short((small * 1000.0).round())),
        long if long >= MINUTE => format!("{} min", short(long / MINUTE)),
        some => format!("{} s", short(some)),
    }
}

fn ago(seconds: f64) -> String {
    let of = |length: f64, one: &str, many: &str| {
        let count = (seconds / length).round();
        if count < 2.0 {
            format!("{one} ago")
        } else {
            format!("{count} {many} ago")
        }
    };
    match seconds {
        few if few < 45.0 => "a few seconds ago".to_owned(),
        some if some < 45.0 * MINUTE => of(MINUTE, "a minute", "minutes"),
        some if some < 22.0 * HOUR => of(HOUR, "an hour", "hours"),
        _ => of(DAY, "a day", "days"),
    }
}

/// Round values from `least` on, beyond `most` at the end: four or five of them.
pub fn ticks(least: f64, most: f64, look: &Look) -> Vec<f64> {
    let step = step((most - least).max(f64::EPSILON) / 4.0, look);
    let mut ticks = vec![(least / step).floor() * step];
    while let Some(last) = ticks.last().filter(|last| **last < most) {
        ticks.push(last + step);
    }
    ticks
}

/// The least round number that is not less than `wanted`.
fn step(wanted: f64, look: &Look) -> f64 {
    if look.unit == "bytes" {
        let power = wanted.max(1.0).log2().ceil();
        return power.exp2();
    }
    let whole = look.decimals == Some(0);
    let power = 10_f64.powf(wanted.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let found = round.into_iter().find(|step| *step >= wanted * 0.999);
    let found = found.unwrap_or(wanted);
    if whole { found.max(1.0) } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(unit: &str) -> Look {
        Look {
            unit: unit.to_owned(),
            ..Look::default()
        }
    }

    #[test]
    fn values_have_their_units() {
        let told = |value: f64, unit: &str| text(value, &of(unit), 1000.0);
        assert_eq!(told(0.0, "bytes"), "0 B");
        assert_eq!(told(1536.0, "bytes"), "1.5 KiB");
        assert_eq!(told(200.0 * 1024.0 * 1024.0, "bytes"), "200 MiB");
        assert_eq!(told(0.25, "s"), "250 ms");
        assert_eq!(told(1.5, "s"), "1.5 s");
        assert_eq!(told(90.0, "s"), "1.5 min");
        assert_eq!(told(880_000.0, "dateTimeFromNow"), "2 minutes ago");
        assert_eq!(told(3.0, ""), "3");
    }

    #[test]
    fn a_text_stands_for_its_value() {
        let mut look = of("");
        look.texts.insert("1".to_owned(), ("yes".to_owned(), None));
        assert_eq!(text(1.0, &look, 0.0), "yes");
        assert_eq!(text(2.0, &look, 0.0), "2");
    }

    #[test]
    fn ticks_are_round_and_reach_beyond_the_values() {
        assert_eq!(ticks(0.0, 3.0, &of("")), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(ticks(0.0, 700.0, &of("bytes")), [0.0, 256.0, 512.0, 768.0]);
        let look = Look {
            decimals: Some(0),
            ..Look::default()
        };
        assert_eq!(ticks(0.0, 1.0, &look), [0.0, 1.0]);
    }
}
