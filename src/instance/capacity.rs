//! Settings of which a standby needs at least as much as its primary: its memory has to
//! hold the transactions and locks that the WAL tells of.
//!
//! PostgreSQL compares them with the control file, which the WAL keeps up to date
//! (`CheckRequiredParameterValues`). A start with less is FATAL. A standby that runs pauses
//! its replay, and ends when that is resumed; 12 and 13 end at once.

use std::fmt;

/// Their names, in the order of their numbers.
pub const SETTINGS: [&str; 5] = [
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
];

/// As `pg_controldata` names them, in the same order.
pub const FIELDS: [&str; 5] = [
    "max_connections setting",
    "max_worker_processes setting",
    "max_wal_senders setting",
    "max_prepared_xacts setting",
    "max_locks_per_xact setting",
];

/// A value of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity(pub [u32; 5]);

/// A setting that is too small, and an option that makes it large enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSmall {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub own: u32,
    /// What the WAL demands.
    pub needed: u32,
}

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, own, needed } = self;
        write!(f, "{name}={own}, {needed} needed")
    }
}

impl Capacity {
    /// What is too small here for what is needed.
    pub fn lacks(&self, needed: &Self) -> Vec<TooSmall> {
        let values = SETTINGS.iter().zip(self.0).zip(needed.0);
        values
            .filter(|((_, own), needed)| own < needed)
            .map(|((name, own), needed)| TooSmall { name, own, needed })
            .collect()
    }
}

/// What is too small, in one line.
pub fn list(lacking: &[TooSmall]) -> String {
    let each: Vec<_> = lacking.iter().map(ToString::to_string).collect();
    each.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_smaller_is_too_small() {
        let own = Capacity([60, 8, 10, 0, 64]);
        assert!(own.lacks(&own).is_empty());
        assert!(own.lacks(&Capacity([59, 0, 0, 0, 0])).is_empty());
        let lacking = own.lacks(&Capacity([200, 8, 10, 5, 64]));
        let wanted = "max_connections=60, 200 needed; max_prepared_transactions=0, 5 needed";
        assert_eq!(list(&lacking), wanted);
    }
}
