//! Replication slots: what a server says of them.

use std::fs;
use std::io;
use std::path::Path;

use ::postgres::types::PgLsn;
use ::postgres::{Client, Error, Row};

use crate::instance::Role;
use crate::instance::slots::{Slot, Slots as Seen};
use crate::wal::Lsn;

/// The first version with a bound (`max_slot_wal_keep_size`) and a state (`wal_status`).
pub const OLDEST: u32 = 13;

/// One row even where there is no slot. The settings are numbers of MB and of bytes.
macro_rules! question {
    ($end:literal, $redo:literal) => {
        concat!(
            "SELECT s.slot_name::text, s.slot_type = 'physical' AND NOT s.temporary, s.active, \
             s.restart_lsn, r.flush_lsn, coalesce(s.wal_status = 'lost', false), \
             (SELECT setting::int8 > 0 FROM pg_catalog.pg_settings \
             WHERE name = 'max_slot_wal_keep_size'), \
             (SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'), ",
            $end,
            ", ",
            $redo,
            " FROM (VALUES (1)) one LEFT JOIN pg_catalog.pg_replication_slots s ON true \
             LEFT JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid"
        )
    };
}

const OF_PRIMARY: &str = question!("pg_catalog.pg_current_wal_lsn()", "NULL::pg_catalog.pg_lsn");
const OF_STANDBY: &str = question!(
    "greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())",
    "(SELECT redo_lsn FROM pg_catalog.pg_control_checkpoint())"
);

/// Asks for all slots. That it fails is said, and changes nothing else.
pub fn query(client: &mut Client, role: Role) -> Option<Seen> {
    let question = match role {
        Role::Primary => OF_PRIMARY,
        Role::Standby => OF_STANDBY,
    };
    let seen = client.query(question, &[]).and_then(|rows| seen(&rows));
    seen.unwrap_or_else(|error| {
        let said = error.as_db_error().map(|error| error.message().to_owned());
        let said = said.unwrap_or_else(|| error.to_string());
        log::warn!("Cannot see the replication slots: {said}");
        None
    })
}

fn seen(rows: &[Row]) -> Result<Option<Seen>, Error> {
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let slots = rows.iter().map(slot);
    Ok(Some(Seen {
        all: slots
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect(),
        bounded: first.try_get::<_, Option<bool>>(6)?.unwrap_or_default(),
        segment: first.try_get::<_, i64>(7)?.unsigned_abs(),
        end: lsn(first, 8)?.unwrap_or(Lsn::ZERO),
        redo: lsn(first, 9)?,
    }))
}

fn slot(row: &Row) -> Result<Option<Slot>, Error> {
    let Some(name) = row.try_get(0)? else {
        return Ok(None);
    };
    Ok(Some(Slot {
        name,
        is_physical: row.try_get(1)?,
        is_active: row.try_get(2)?,
        restart: lsn(row, 3)?,
        flushed: lsn(row, 4)?,
        is_lost: row.try_get(5)?,
    }))
}

fn lsn(row: &Row, column: usize) -> Result<Option<Lsn>, Error> {
    let lsn: Option<PgLsn> = row.try_get(column)?;
    Ok(lsn.map(|lsn| Lsn::from(u64::from(lsn))))
}

/// The slots of a server that is stopped: each has a directory of its name.
pub fn on_disk(datadir: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(datadir.join("pg_replslot"))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}
