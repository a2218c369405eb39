//! How replication slots are made, moved and dropped. PostgreSQL itself refuses to move or to drop
//! one that is in use.

use std::io;

use ::postgres::types::PgLsn;

use super::real_server::RealServer;
use super::server::{Server, Slots};
use super::{slots, version_file};
use crate::instance::NoAnswer;
use crate::ocf::{Deadline, Parameters, Slots as For};
use crate::wal::Lsn;

const MAKE: &str = "SELECT pg_catalog.pg_create_physical_replication_slot($1::text::name, true)";
const ADVANCE: &str = "SELECT pg_catalog.pg_replication_slot_advance($1::text::name, $2)";
const DROP: &str = "SELECT pg_catalog.pg_drop_replication_slot($1::text::name)";

impl RealServer {
    /// Whether it has slots that the agent looks after, and knows their state.
    pub(super) fn keeps_slots(&self) -> bool {
        let Parameters { slots, datadir, .. } = self.parameters();
        let knows = |version| version >= slots::OLDEST;
        *slots == For::Nodes && version_file::major(datadir).is_some_and(knows)
    }
}

impl Slots for RealServer {
    fn make_slot(&self, name: &str, deadline: Deadline) -> Result<(), NoAnswer> {
        let name = name.to_owned();
        self.ask(deadline, move |client| {
            client.query(MAKE, &[&name]).map(drop)
        })
    }

    fn advance_slot(&self, name: &str, to: Lsn, deadline: Deadline) -> Result<(), NoAnswer> {
        let (name, to) = (name.to_owned(), PgLsn::from(to.as_u64()));
        self.ask(deadline, move |client| {
            client.query(ADVANCE, &[&name, &to]).map(drop)
        })
    }

    fn drop_slot(&self, name: &str, deadline: Deadline) -> Result<(), NoAnswer> {
        let name = name.to_owned();
        self.ask(deadline, move |client| {
            client.query(DROP, &[&name]).map(drop)
        })
    }

    fn slots_on_disk(&self) -> io::Result<Vec<String>> {
        let datadir = &self.parameters().datadir;
        self.user().act(|| slots::on_disk(datadir))
    }
}
