//! How tests write positions: `2@0/150<1@0/100` is timeline 2 at 0/150, which
//! left timeline 1 at 0/100. A history that ends with `<?` is cut there.

use super::{History, Lsn, Position, Switch, SystemId, Timeline};

/// The system of every position that is not given another.
pub(crate) const SYSTEM: u64 = 7;

/// Reads a position.
pub(crate) fn position(text: &str) -> Position {
    let mut parts = text.split('<');
    let (timeline, lsn) = place(parts.next().unwrap());
    let steps: Vec<&str> = parts.collect();
    let complete = steps.last() != Some(&"?");
    let known = steps.iter().filter(|step| **step != "?");
    let mut switches: Vec<Switch> = known
        .map(|step| place(step))
        .map(|(timeline, at)| Switch { timeline, at })
        .collect();
    switches.reverse();
    Position {
        system: Some(SystemId::from(SYSTEM)),
        timeline,
        lsn,
        history: History::from_switches(switches, timeline, complete).unwrap(),
    }
}

/// Reads `1@0/100`.
pub(crate) fn place(text: &str) -> (Timeline, Lsn) {
    let (timeline, lsn) = text.split_once('@').unwrap_or_else(|| panic!("{text:?}"));
    (
        Timeline::from_decimal(timeline).unwrap(),
        Lsn::from_hex(lsn).unwrap(),
    )
}
