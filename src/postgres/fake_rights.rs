//! The rights of the agent's role on a server in memory.

use super::fake_server::FakeServer;
use super::server::Privileged;
use crate::instance::NoAnswer;
use crate::instance::rights::Rights;
use crate::ocf::Deadline;

impl Privileged for FakeServer {
    fn rights(&self, _: Deadline) -> Result<Rights, NoAnswer> {
        self.question("rights", |of| of.data.rights.clone())
    }
}
