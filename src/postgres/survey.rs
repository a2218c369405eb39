//! What an instance says of itself to people, on one connection.

use ::postgres::types::PgLsn;
use ::postgres::{Client, Error, Row};

use super::questions;
use super::real_server::RealServer;
use super::replay;
use super::replication::timeline_of;
use super::slots;
use crate::instance::replication::SenderState;
use crate::instance::survey::{Follower, Receiver, Says, Survey, Writer};
use crate::instance::{NoAnswer, Role};
use crate::ocf::Deadline;
use crate::wal::{Lsn, Timeline};

const VERSION: &str = "SELECT pg_catalog.current_setting('server_version')";

/// The name of the current WAL file begins with the timeline.
const PRIMARY: &str = "SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), \
     pg_catalog.current_setting('synchronous_standby_names')";

/// The last question of a primary: what others have is never beyond what it has then.
const WRITTEN: &str = "SELECT pg_catalog.pg_current_wal_lsn()";

const RECEIVERS: &str = "SELECT application_name, state, write_lsn, flush_lsn, replay_lsn, sync_state \
     FROM pg_catalog.pg_stat_replication ORDER BY application_name, state";

const STANDBY: &str = "SELECT pg_catalog.pg_last_wal_receive_lsn(), \
     pg_catalog.pg_last_wal_replay_lsn(), \
     (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver), \
     EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming'), \
     (SELECT latest_end_lsn FROM pg_catalog.pg_stat_wal_receiver)";

impl RealServer {
    /// Asks the server that the parameters describe.
    pub fn survey(&self, deadline: Deadline) -> Result<Survey, NoAnswer> {
        let with_slots = self.keeps_slots();
        self.ask_seeing(deadline, move |client| query(client, with_slots))
    }
}

fn query(client: &mut Client, with_slots: bool) -> Result<Survey, Error> {
    let version: String = client.query_one(VERSION, &[])?.try_get(0)?;
    let role = questions::role(client)?;
    let says = match role {
        Role::Primary => Says::Primary(primary(client)?),
        Role::Standby => Says::Standby(standby(client)?),
    };
    let slots = with_slots.then(|| slots::query(client, role)).flatten();
    Ok(Survey {
        // `15.6 (Debian 15.6-0+deb12u1)`
        version: version.split(' ').next().unwrap_or_default().to_owned(),
        says,
        slots: slots.map(|slots| slots.kept()).unwrap_or_default(),
    })
}

fn primary(client: &mut Client) -> Result<Writer, Error> {
    let row = client.query_one(PRIMARY, &[])?;
    let file: String = row.try_get(0)?;
    let rows = client.query(RECEIVERS, &[])?;
    let written: PgLsn = client.query_one(WRITTEN, &[])?.try_get(0)?;
    Ok(Writer {
        timeline: timeline_of(&file),
        written: Lsn::from(u64::from(written)),
        synchronous_standby_names: row.try_get(1)?,
        receivers: rows.iter().map(receiver).collect::<Result<_, _>>()?,
    })
}

fn receiver(row: &Row) -> Result<Receiver, Error> {
    let state: Option<String> = row.try_get(1)?;
    Ok(Receiver {
        name: row.try_get::<_, Option<String>>(0)?.unwrap_or_default(),
        state: SenderState::from_column(state.as_deref().unwrap_or_default()),
        write: lsn(row, 2)?,
        flush: lsn(row, 3)?,
        replay: lsn(row, 4)?,
        sync: row.try_get::<_, Option<String>>(5)?.unwrap_or_default(),
    })
}

fn standby(client: &mut Client) -> Result<Follower, Error> {
    let row = client.query_one(STANDBY, &[])?;
    let timeline: Option<i32> = row.try_get(2)?;
    let timeline = timeline.and_then(|timeline| u32::try_from(timeline).ok());
    let replay = replay::query(client)?;
    Ok(Follower {
        received: lsn(&row, 0)?,
        replayed: lsn(&row, 1)?,
        received_timeline: timeline.and_then(Timeline::new),
        streams: row.try_get(3)?,
        primary_end: lsn(&row, 4)?,
        is_paused: replay.paused,
        is_delayed: replay.delayed,
        capacity: replay.capacity,
    })
}

fn lsn(row: &Row, column: usize) -> Result<Option<Lsn>, Error> {
    let lsn: Option<PgLsn> = row.try_get(column)?;
    Ok(lsn.map(|lsn| Lsn::from(u64::from(lsn))))
}
