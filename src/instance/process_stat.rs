//! A line of `/proc/PID/stat` (proc(5)), which every user may read.

/// The letter of a process that a signal has stopped; under a debugger it is `t`.
pub const FROZEN: char = 'T';

/// What the line says of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStat {
    /// Its name, up to 15 bytes.
    pub name: String,
    /// One letter: `Z` is a zombie.
    pub state: char,
    /// Processor time, in clock ticks.
    pub cpu_ticks: u64,
    /// Whose child it is.
    pub parent: i32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
}

impl ProcessStat {
    /// Reads the line `pid (name) state …`. The name may hold blanks and parentheses,
    /// so it ends at the last one. The time used is in
    /// fields 14 and 15, the start is field 22.
    pub fn parse(line: &str) -> Option<Self> {
        let (head, tail) = line.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let fields: Vec<_> = tail.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            name: name.to_owned(),
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            cpu_ticks: number(14)?.saturating_add(number(15)?),
            start_ticks: number(22)?,
        })
    }

    /// Whether it lives. PID 1 of a container reaps late, so a zombie may be there for
    /// long.
    pub fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// Whether a signal has stopped it.
    pub fn is_frozen(&self) -> bool {
        self.state == FROZEN
    }

    /// Whether it has the usual name of a server: `postgres`, on old systems
    /// `postmaster`, of a rebranded PostgreSQL `edb-postgres`. Others have any.
    pub fn has_servers_name(&self) -> bool {
        self.name == "postmaster" || self.name.ends_with("postgres")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stat(name: &str, state: char) -> ProcessStat {
        let line = format!("42 ({name}) {state} 1 42 42 0 -1 4 1 0 0 0 7 8 0 0 20 0 1 0 5000 1 1");
        ProcessStat::parse(&line).unwrap()
    }

    #[test]
    fn the_name_ends_at_the_last_parenthesis() {
        let seen = stat("post (gres) x", 'S');
        assert_eq!(
            (seen.name.as_str(), seen.parent, seen.start_ticks),
            ("post (gres) x", 1, 5000)
        );
        assert_eq!(seen.cpu_ticks, 15);
        assert_eq!(ProcessStat::parse("garbage"), None);
    }

    #[test]
    fn a_server_lives_and_most_have_a_servers_name() {
        for name in ["postgres", "postmaster", "edb-postgres"] {
            assert!(stat(name, 'S').has_servers_name(), "{name}");
        }
        assert!(stat("postgres", 'S').lives() && !stat("postgres", 'Z').lives());
        assert!(!stat("psql", 'S').has_servers_name());
    }

    proptest! {
        #[test]
        fn no_line_panics(line in ".*", fields in "[0-9SZ() ]*") {
            let _ = ProcessStat::parse(&line);
            let _ = ProcessStat::parse(&fields);
        }
    }
}
