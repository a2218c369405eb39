//! By what the primary is reached.

use crate::instance::configuration::Conninfo;
use crate::ocf::Deadline;
use crate::postgres::Server;

/// `primary_conninfo` of the configuration; `None` if it names no host or cannot be read.
pub fn conninfo(server: &dyn Server, deadline: Deadline) -> Option<Conninfo> {
    let text = server.setting("primary_conninfo", deadline);
    let text = text.map_err(|error| error.to_string());
    let parsed = text.and_then(|text| Conninfo::parse(&text).map_err(|error| error.to_string()));
    match parsed {
        Ok(conninfo) => conninfo.get("host").is_some().then_some(conninfo),
        Err(error) => {
            log::warn!("primary_conninfo: {error}");
            None
        }
    }
}
