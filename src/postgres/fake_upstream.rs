//! Another server to stream from, in memory.

use super::fake_data::FakeData;
use crate::instance::StartOption;
use crate::instance::configuration::Conninfo;
use crate::wal::Lsn;

/// The server at this host sends WAL up to here.
#[derive(Debug, Clone, Copy)]
pub struct FakeUpstream {
    /// Its host.
    pub host: &'static str,
    /// Whether it takes no writes.
    pub is_standby: bool,
    /// The end of what it says that it sends.
    pub offers: Lsn,
    /// The end of what it does send.
    pub sends: Lsn,
}

impl FakeUpstream {
    /// Whether libpq gets there, and stays. A list of ports with one host is an error.
    pub fn lets_in(&self, source: &Conninfo) -> bool {
        let fits = source.get("port").is_none_or(|port| !port.contains(','));
        let is_wanted = !(self.is_standby && source.wants_a_primary());
        source.get("host") == Some(self.host) && fits && is_wanted
    }

    /// What a start with these options gets from there.
    pub fn stream(upstream: Option<Self>, data: &mut FakeData, options: &[StartOption]) {
        let Some(upstream) = upstream else { return };
        let host = format!("host='{}'", upstream.host);
        let asks = options
            .iter()
            .any(|one| matches!(one, StartOption::Upstream(from) if from.contains(&host)));
        if asks {
            data.end = data.end.max(upstream.sends);
        }
    }
}
