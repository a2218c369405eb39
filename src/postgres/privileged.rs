//! How the agent asks as the role that it has: what its rights are, and what it may not see.

use ::postgres::{Client, Error};

use super::real_server::RealServer;
use super::rights;
use super::server::{Privileged, Server};
use crate::instance::NoAnswer;
use crate::instance::rights::Rights;
use crate::ocf::Deadline;

impl Privileged for RealServer {
    fn rights(&self, deadline: Deadline) -> Result<Rights, NoAnswer> {
        self.ask(deadline, rights::query)
    }
}

impl RealServer {
    /// Whether it asks as another role than the superuser of old.
    pub(super) fn logs_in_by_name(&self) -> bool {
        self.parameters().db_role.is_some()
    }

    /// Asks at the usual address what is answered from statistics.
    pub(super) fn ask_seeing<T: Send + 'static>(
        &self,
        deadline: Deadline,
        question: impl Fn(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let question = rights::seeing(self.logs_in_by_name(), question);
        rights::sighted(self.ask(deadline, question))
    }
}
