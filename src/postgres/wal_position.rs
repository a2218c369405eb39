//! What a standby holds: the end of the WAL that it has received or replayed.

use ::postgres::Client;
use ::postgres::types::PgLsn;

/// What the server said about its WAL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalPosition {
    /// Is it a standby?
    pub in_recovery: bool,
    /// The larger of received and replayed. The received LSN alone is a
    /// segment's start after a restart.
    pub end: u64,
    /// Up to where it has replayed.
    pub replayed: u64,
    /// Does the startup process wait for more WAL, as it can read no more of what is there?
    pub waits: bool,
    /// Timeline that the walreceiver last received, if one runs.
    pub received_timeline: Option<u32>,
    /// Has the startup process used up the local WAL? It has once it ever
    /// asked for streaming, or waits for more. Until then `end` is too small.
    pub complete: bool,
    /// Does it wait until a commit is old enough (`recovery_min_apply_delay`)?
    pub delayed: bool,
    /// Age of the last commit that was replayed, seconds; `None` if there was
    /// none since the start.
    pub last_commit_age_s: Option<u64>,
}

/// Wait events: `RecoveryWalAll` up to PostgreSQL 12, the others since.
const QUERY: &str = "SELECT pg_catalog.pg_last_wal_receive_lsn(), \
     pg_catalog.pg_last_wal_replay_lsn(), \
     (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver), \
     EXISTS (SELECT FROM pg_catalog.pg_stat_activity \
     WHERE backend_type = 'startup' AND wait_event IN \
     ('RecoveryWalAll', 'RecoveryWalStream', 'RecoveryRetrieveRetryInterval')), \
     EXISTS (SELECT FROM pg_catalog.pg_stat_activity \
     WHERE backend_type = 'startup' AND wait_event = 'RecoveryApplyDelay'), \
     extract(epoch FROM pg_catalog.clock_timestamp() \
     - pg_catalog.pg_last_xact_replay_timestamp())::float8, \
     pg_catalog.pg_is_in_recovery()";

/// Asks a standby.
pub fn query(client: &mut Client) -> Result<WalPosition, ::postgres::Error> {
    let row = client.query_one(QUERY, &[])?;
    let received: Option<PgLsn> = row.try_get(0)?;
    let replayed: Option<PgLsn> = row.try_get(1)?;
    let timeline: Option<i32> = row.try_get(2)?;
    let waiting: bool = row.try_get(3)?;
    let delayed: bool = row.try_get(4)?;
    let age: Option<f64> = row.try_get(5)?;
    Ok(WalPosition {
        in_recovery: row.try_get(6)?,
        end: received.max(replayed).map_or(0, u64::from),
        replayed: replayed.map_or(0, u64::from),
        waits: waiting,
        received_timeline: timeline.and_then(|timeline| u32::try_from(timeline).ok()),
        complete: received.is_some() || waiting,
        delayed,
        last_commit_age_s: age.map(|seconds| seconds.max(0.0) as u64),
    })
}
