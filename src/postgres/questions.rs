//! The questions that a session puts to the server, each in one place with its SQL.

use ::postgres::{Client, Error};

use super::{replay, replication, slots};
use crate::instance::Role;
use crate::instance::replication::Details;

/// PostgreSQL 12 never ends recovery while its replay is paused.
const RESUME: &str = "SELECT pg_catalog.pg_wal_replay_resume() \
     WHERE pg_catalog.pg_is_wal_replay_paused()";

/// Whether it is a primary or a standby.
pub fn role(client: &mut Client) -> Result<Role, Error> {
    let row = client.query_one("SELECT pg_catalog.pg_is_in_recovery()", &[])?;
    Ok(if row.try_get(0)? {
        Role::Standby
    } else {
        Role::Primary
    })
}

/// What it says of its replication, by its role; and of its slots, where `with_slots`.
pub fn details(client: &mut Client, with_slots: bool) -> Result<Details, Error> {
    let details = match role(client)? {
        Role::Primary => Details::Primary(replication::primary(client)?),
        Role::Standby => {
            let (receives, timeline) = replication::receives(client)?;
            Details::Standby {
                receives,
                timeline,
                paused: replay::paused(client)?,
                slots: None,
            }
        }
    };
    if !with_slots {
        return Ok(details);
    }
    let slots = slots::query(client, details.role());
    Ok(details.with_slots(slots))
}

/// The value of `synchronous_standby_names`.
pub fn synchronous_standby_names(client: &mut Client) -> Result<String, Error> {
    let question = "SELECT pg_catalog.current_setting('synchronous_standby_names')";
    client.query_one(question, &[])?.try_get(0)
}

/// Has a primary write a checkpoint.
pub fn checkpoint(client: &mut Client) -> Result<(), Error> {
    client.batch_execute("CHECKPOINT")
}

/// Has a standby go on with a paused replay.
pub fn resume_replay(client: &mut Client) -> Result<(), Error> {
    client.batch_execute(RESUME)
}
