//! What the role of a session may do.

use ::postgres::{Client, Error};

use crate::instance::NoAnswer;
use crate::instance::rights::Rights;

/// Members of a role that this version does not have are none. `USAGE`: a member that inherits
/// nothing has nothing.
const RIGHTS: &str = "SELECT r.rolname::text, r.rolsuper, r.rolreplication, \
     pg_catalog.has_function_privilege(r.oid, 'pg_catalog.pg_wal_replay_resume()', 'EXECUTE'), \
     (SELECT pg_catalog.pg_has_role(r.oid, oid, 'USAGE') FROM pg_catalog.pg_roles \
     WHERE rolname = 'pg_read_all_stats'), \
     (SELECT pg_catalog.pg_has_role(r.oid, oid, 'USAGE') FROM pg_catalog.pg_roles \
     WHERE rolname = 'pg_signal_backend'), \
     (SELECT pg_catalog.pg_has_role(r.oid, oid, 'USAGE') FROM pg_catalog.pg_roles \
     WHERE rolname = 'pg_checkpoint') \
     FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";

/// Asks.
pub fn query(client: &mut Client) -> Result<Rights, Error> {
    let row = client.query_one(RIGHTS, &[])?;
    let member = |column| row.try_get::<_, Option<bool>>(column);
    Ok(Rights {
        role: row.try_get(0)?,
        is_superuser: row.try_get(1)?,
        replication: row.try_get(2)?,
        resume: row.try_get(3)?,
        statistics: member(4)?.unwrap_or_default(),
        signals: member(5)?.unwrap_or_default(),
        checkpoint: member(6)?,
    })
}

/// The question, or why a role that is named by `db_role` cannot be asked it. That of old, a
/// superuser, may be asked anything.
pub fn seeing<T>(
    is_named: bool,
    question: impl Fn(&mut Client) -> Result<T, Error> + Send + 'static,
) -> impl Fn(&mut Client) -> Result<Result<T, String>, Error> + Send + 'static
where
    T: Send + 'static,
{
    move |client| {
        let blindness = if is_named {
            query(client)?.blindness()
        } else {
            None
        };
        match blindness {
            Some(why) => Ok(Err(why)),
            None => question(client).map(Ok),
        }
    }
}

/// What such a question was answered.
pub fn sighted<T>(answer: Result<Result<T, String>, NoAnswer>) -> Result<T, NoAnswer> {
    answer?.map_err(NoAnswer::Unprivileged)
}
