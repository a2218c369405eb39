//! Whether the role of parameter `db_role` may do what the agent does by SQL. validate-all demands
//! it, where a server runs that can be asked.

use std::time::Duration;

use crate::instance::{NoAnswer, Postmaster};
use crate::ocf::{Deadline, Failure, OcfExit};
use crate::postgres::Server;

/// How long it may take to answer.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// Fails where it cannot log in or lacks a right; what gives it that can be pasted.
pub fn demand(server: &dyn Server, deadline: Deadline) -> Result<(), Failure> {
    let Some(role) = &server.parameters().db_role else {
        return Ok(());
    };
    if !matches!(server.postmaster(), Ok(Postmaster::Alive(_))) {
        return Ok(());
    }
    let rights = match server.rights(deadline.within(LONGEST_LOOK)) {
        Ok(rights) => rights,
        Err(NoAnswer::Login(why)) => {
            return Err(arguments(format!("db_role {role} cannot log in: {why}")));
        }
        Err(why) => {
            log::warn!("Cannot tell what db_role {role} may do: {why}");
            return Ok(());
        }
    };
    let grants = rights.grants(server.parameters().slots);
    if grants.is_empty() {
        return Ok(());
    }
    let grants = grants.join(" ");
    Err(arguments(format!(
        "db_role {role} lacks rights; in the database postgres: {grants}"
    )))
}

fn arguments(reason: String) -> Failure {
    Failure::new(OcfExit::Arguments, reason)
}
