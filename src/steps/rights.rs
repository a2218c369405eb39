//! Whether the role of parameter `db_role` may do what the agent does by SQL. validate-all demands
//! it, where a server runs that can be asked.

use std::time::Duration;

use crate::instance::rights::Rights;
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
    match lacking(server, deadline) {
        Ok(grants) => enough(role, &grants.unwrap_or_default()),
        Err(NoAnswer::Login(why)) => Err(arguments(format!("db_role {role} cannot log in: {why}"))),
        Err(why) => {
            log::warn!("Cannot tell what db_role {role} may do: {why}");
            Ok(())
        }
    }
}

/// What gives it the rights that it lacks; `None`: there is no such role, or no server runs that
/// could be asked.
pub fn lacking(server: &dyn Server, deadline: Deadline) -> Result<Option<Vec<String>>, NoAnswer> {
    let parameters = server.parameters();
    if parameters.db_role.is_none() {
        return Ok(None);
    }
    let rights = look(server, deadline)?;
    Ok(rights.map(|rights| rights.grants(parameters.slots)))
}

/// `None`: no server runs that could be asked.
fn look(server: &dyn Server, deadline: Deadline) -> Result<Option<Rights>, NoAnswer> {
    match server.postmaster() {
        Ok(Postmaster::Alive(_)) => server.rights(deadline.within(LONGEST_LOOK)).map(Some),
        Ok(_) => Ok(None),
        Err(error) => Err(NoAnswer::Unknown(error.to_string())),
    }
}

fn enough(role: &str, grants: &[String]) -> Result<(), Failure> {
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
