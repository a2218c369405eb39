//! What a server says to `IDENTIFY_SYSTEM` on a connection for replication.

use crate::wal::{Lsn, Place, SystemId, Timeline};

/// What a standby can get from another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// Its database.
    pub system: SystemId,
    /// Up to where it sends WAL now, and on which timeline: what it has replayed or, on the
    /// same timeline, received (`GetStandbyFlushRecPtr` in `walsender.c`).
    pub place: Place,
}

impl Offered {
    /// `7301234567890123456|2|0/5000110|` as psql prints it without headings.
    pub fn parse(line: &str) -> Option<Self> {
        let mut fields = line.trim().split('|');
        let system = SystemId::from_decimal(fields.next()?).ok()?;
        let timeline = Timeline::new(fields.next()?.parse().ok()?)?;
        let lsn = Lsn::from_hex(fields.next()?).ok()?;
        Some(Self {
            system,
            place: Place { timeline, lsn },
        })
    }
}
