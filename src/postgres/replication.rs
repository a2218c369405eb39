//! Who streams from this primary, and how far they are behind.

use ::postgres::Client;

use crate::election::ranking::Standby;
use crate::pacemaker::NodeName;

const QUERY: &str = "SELECT application_name, state, \
     pg_wal_lsn_diff(pg_current_wal_lsn(), write_lsn)::float8 \
     FROM pg_stat_replication";

/// Asks a primary. Rows without a name or a state cannot be a node's.
pub fn query(client: &mut Client) -> Result<Vec<Standby>, ::postgres::Error> {
    let rows = client.query(QUERY, &[])?;
    let mut standbys = Vec::new();
    for row in rows {
        let name: Option<String> = row.try_get(0)?;
        let state: Option<String> = row.try_get(1)?;
        let lag: Option<f64> = row.try_get(2)?;
        if let (Some(node), Some(state)) = (name.as_deref().and_then(NodeName::new), state) {
            let lag = lag.map(|bytes| bytes.max(0.0) as u64);
            standbys.push(Standby { node, state, lag });
        }
    }
    Ok(standbys)
}
