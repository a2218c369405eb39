//! Which WAL files hold what is behind a fork.

use super::{Lsn, Timeline};

/// The name of a WAL file, in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// Its number: that of its first byte, by the size of a file.
    pub number: u64,
    /// Its timeline.
    pub timeline: Timeline,
}

impl Segment {
    /// Reads a name such as `000000010000000000000005`; `None` for any other.
    pub fn parse(name: &str, size: u64) -> Option<Self> {
        let (timeline, rest) = name.split_at_checked(8)?;
        let (high, low) = rest.split_at_checked(8)?;
        let is_right = |digits: &str| {
            let known = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
            digits.len() == 8 && digits.bytes().all(known)
        };
        if !is_right(high) || !is_right(low) {
            return None;
        }
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        let per_id = 0x1_0000_0000_u64.checked_div(size)?;
        let (high, low) = (number(high)?, number(low)?);
        Some(Self {
            number: high
                .checked_mul(per_id)?
                .checked_add(low)
                .filter(|_| low < per_id)?,
            timeline: Timeline::from_file_name(timeline)?,
        })
    }

    /// Its first byte.
    pub fn begin(&self, size: u64) -> Lsn {
        Lsn::from(self.number.saturating_mul(size))
    }
}

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The files, the newest first.
    pub names: Vec<String>,
    /// Whether there are no others.
    pub is_whole: bool,
}

/// The files among these `names` with what a node on `timeline` has written from `fork` to `end`:
/// the newest of them, as many as have room in so many bytes.
pub fn behind(
    names: &[String],
    (timeline, size): (Timeline, u64),
    (fork, end): (Lsn, Lsn),
    room: u64,
) -> Kept {
    let number = |lsn: Lsn| lsn.as_u64().checked_div(size).unwrap_or(0);
    // A place between two files is the end of the first.
    let last = Lsn::from(end.as_u64().saturating_sub(1));
    let is_behind = |one: &Segment| {
        one.timeline <= timeline && (number(fork)..=number(last)).contains(&one.number)
    };
    let parsed = names
        .iter()
        .filter_map(|name| Some((Segment::parse(name, size)?, name)));
    let mut found: Vec<_> = parsed.filter(|(one, _)| is_behind(one)).collect();
    found.sort_unstable();
    found.reverse();
    let most = room.checked_div(size).unwrap_or(0);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Kept {
        is_whole: found.len() <= most,
        names: found
            .into_iter()
            .take(most)
            .map(|(_, name)| name.clone())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: u64 = 16 * 1024 * 1024;

    fn kept(names: &[&str], fork: u64, end: u64, room: u64) -> (String, bool) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let whose = (Timeline::new(2).unwrap(), SIZE);
        let kept = behind(&names, whose, (Lsn::from(fork), Lsn::from(end)), room);
        (kept.names.join(" "), kept.is_whole)
    }

    const NAMES: [&str; 7] = [
        "000000010000000000000005",
        "000000010000000000000006",
        "000000020000000000000006",
        "000000020000000000000007",
        // Recycled, and of a branch that was fetched.
        "000000020000000000000008",
        "000000030000000000000006",
        "00000002.history",
    ];

    #[test]
    fn what_is_behind_the_fork_is_kept_the_newest_first() {
        let (names, is_whole) = kept(&NAMES, 6 * SIZE + 9, 8 * SIZE, 1 << 30);
        assert_eq!(
            names,
            "000000020000000000000007 000000020000000000000006 000000010000000000000006"
        );
        assert!(is_whole);
    }

    #[test]
    fn where_room_is_short_the_oldest_go() {
        let all = (6 * SIZE + 9, 7 * SIZE + 1);
        let (names, is_whole) = kept(&NAMES, all.0, all.1, SIZE * 2 - 1);
        assert_eq!(names, "000000020000000000000007");
        assert!(!is_whole);
        assert_eq!(
            kept(&NAMES, 9 * SIZE, 9 * SIZE + 5, 1 << 30),
            (String::new(), true)
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(name in ".*", digits in "[0-9A-F]{24}", size: u64, fork: u64, end: u64) {
            let _ = Segment::parse(&name, size);
            let whose = (Timeline::FIRST, size);
            behind(&[digits], whose, (Lsn::from(fork), Lsn::from(end)), fork);
        }
    }
}
