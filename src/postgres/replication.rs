//! What an instance says of its replication: a primary of its branch, its
//! synchronous standbys and who streams from it; a standby whether it
//! receives anything. Asked on the monitor's one connection.

use ::postgres::Client;
use ::postgres::types::PgLsn;

use crate::instance::replication::{Primary, Sender, SenderState};
use crate::wal::{Lsn, Timeline};

/// The name of the current WAL file begins with the timeline.
const SELF: &str = "SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), \
     pg_catalog.current_setting('synchronous_standby_names'), \
     pg_catalog.pg_current_wal_lsn()";
/// A standby whose machine lost power comes back while its former connection waits for
/// `wal_sender_timeout`: that one is silent, and confirms nothing any more. Both times are of one
/// clock, the receiver's.
const SENDERS: &str = "SELECT application_name, state, \
     pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), write_lsn)::float8, \
     sync_priority > 0 AND flush_lsn IS NOT NULL \
     AND coalesce(reply_time > pg_catalog.max(reply_time) OVER (PARTITION BY application_name) \
     - '20 s'::pg_catalog.interval, true) \
     FROM pg_catalog.pg_stat_replication ORDER BY application_name, state";

const STREAMS: &str = "SELECT received_tli \
     FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming'";

/// Asks a standby whether it streams, and on which timeline. One that has diverged has a
/// walreceiver now and then, which is told that there is nothing for it.
pub fn receives(client: &mut Client) -> Result<(bool, Option<Timeline>), ::postgres::Error> {
    let Some(row) = client.query_opt(STREAMS, &[])? else {
        return Ok((false, None));
    };
    let number = row.try_get::<_, Option<i32>>(0)?;
    let number = number.and_then(|number| u32::try_from(number).ok());
    Ok((true, number.and_then(Timeline::new)))
}

/// Asks a primary.
pub fn primary(client: &mut Client) -> Result<Primary, ::postgres::Error> {
    let row = client.query_one(SELF, &[])?;
    let file: String = row.try_get(0)?;
    let rows = client.query(SENDERS, &[])?;
    Ok(Primary {
        timeline: timeline_of(&file),
        written: Lsn::from(u64::from(row.try_get::<_, PgLsn>(2)?)),
        synchronous_standby_names: row.try_get(1)?,
        senders: rows.iter().map(sender).collect::<Result<_, _>>()?,
        slots: None,
    })
}

/// Columns are null where a role lacks the right to see them.
fn sender(row: &::postgres::Row) -> Result<Sender, ::postgres::Error> {
    let name: Option<String> = row.try_get(0)?;
    let state: Option<String> = row.try_get(1)?;
    let lag: Option<f64> = row.try_get(2)?;
    let confirms: Option<bool> = row.try_get(3)?;
    Ok(Sender {
        name: name.unwrap_or_default(),
        state: SenderState::from_column(state.as_deref().unwrap_or_default()),
        lag: lag.map(|bytes| bytes.max(0.0) as u64),
        confirms: confirms.unwrap_or_default(),
    })
}

/// The timeline in the name of a WAL file.
pub fn timeline_of(wal_file: &str) -> Option<Timeline> {
    Timeline::from_file_name(wal_file.get(..8)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_timeline_is_the_wal_files() {
        assert_eq!(timeline_of("0000000A0000000000000003"), Timeline::new(10));
        assert_eq!(timeline_of("0000"), None);
    }

    proptest! {
        #[test]
        fn only_a_wal_file_has_a_timeline(number in 1..=u32::MAX, text in ".*") {
            let file = format!("{number:08X}0000000000000003");
            prop_assert_eq!(timeline_of(&file), Timeline::new(number));
            let _ = timeline_of(&text);
            let follows = SenderState::from_column(&text) == SenderState::Following;
            prop_assert_eq!(follows, ["streaming", "catchup", "stopping"].contains(&text.as_str()));
        }
    }
}
