//! How far the replay of a standby is, and the end of sessions that hold it up.

use ::postgres::types::PgLsn;
use ::postgres::{Client, Error, Row};

use crate::instance::capacity::Capacity;
use crate::instance::replay::Replay;
use crate::wal::Lsn;

/// The columns of the settings are in the order of `capacity::SETTINGS`. Wait events:
/// `RecoveryWalAll` up to PostgreSQL 12, the others since.
const REPLAY: &str = "SELECT pg_catalog.pg_last_wal_replay_lsn(), \
     EXISTS (SELECT FROM pg_catalog.pg_stat_activity \
     WHERE backend_type = 'startup' AND wait_event IN \
     ('RecoveryWalAll', 'RecoveryWalStream', 'RecoveryRetrieveRetryInterval')), \
     EXISTS (SELECT FROM pg_catalog.pg_stat_activity \
     WHERE backend_type = 'startup' AND wait_event = 'RecoveryApplyDelay'), \
     pg_catalog.pg_is_wal_replay_paused(), \
     pg_catalog.current_setting('max_connections')::int4, \
     pg_catalog.current_setting('max_worker_processes')::int4, \
     pg_catalog.current_setting('max_wal_senders')::int4, \
     pg_catalog.current_setting('max_prepared_transactions')::int4, \
     pg_catalog.current_setting('max_locks_per_transaction')::int4";

/// A session that is idle and in no transaction holds no snapshot, no lock on a table and
/// no pin. Where activities are not tracked, each counts as busy. Those of superusers only a
/// superuser ends: one of them would fail all of it.
const END_SESSIONS: &str = "SELECT count(pg_catalog.pg_terminate_backend(pid)) \
     FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' \
     AND pid <> pg_catalog.pg_backend_pid() AND ($1 OR state IS DISTINCT FROM 'idle') \
     AND (pg_catalog.current_setting('is_superuser') = 'on' \
     OR usesysid NOT IN (SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper))";

/// Asks a standby.
pub fn query(client: &mut Client) -> Result<Replay, Error> {
    let row = client.query_one(REPLAY, &[])?;
    let replayed: Option<PgLsn> = row.try_get(0)?;
    Ok(Replay {
        replayed: replayed.map_or(Lsn::ZERO, |lsn| Lsn::from(u64::from(lsn))),
        waits: row.try_get(1)?,
        delayed: row.try_get(2)?,
        paused: row.try_get(3)?,
        capacity: capacity(&row, 4)?,
    })
}

/// The settings in the columns from `first` on.
fn capacity(row: &Row, first: usize) -> Result<Capacity, Error> {
    let mut capacity = Capacity([0; 5]);
    for (index, value) in capacity.0.iter_mut().enumerate() {
        let number: i32 = row.try_get(first + index)?;
        *value = u32::try_from(number).unwrap_or_default();
    }
    Ok(capacity)
}

/// The settings of a standby whose replay is paused.
pub fn paused(client: &mut Client) -> Result<Option<Capacity>, Error> {
    let question = "SELECT pg_catalog.pg_is_wal_replay_paused()";
    let is_paused: bool = client.query_one(question, &[])?.try_get(0)?;
    if !is_paused {
        return Ok(None);
    }
    Ok(Some(query(client)?.capacity))
}

/// Ends the sessions of clients, all or those in a transaction; how many.
pub fn end_sessions(client: &mut Client, all: bool) -> Result<i64, Error> {
    client.query_one(END_SESSIONS, &[&all])?.try_get(0)
}
