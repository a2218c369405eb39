//! From where a rebuild copies, and whether that can be reached.

use std::path::Path;

use crate::instance::configuration::Conninfo;
use crate::instance::rebuild::Source;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::postgres::{Installed, RealServer, Upstream};
use crate::steps::rejoin::primary;
use crate::system::user;

/// Whether this process may do what only root may.
pub fn is_root() -> bool {
    user::is_root()
}

/// Whether a program can be run.
pub fn is_executable(server: &RealServer, program: &Path) -> bool {
    server.is_executable(program)
}

/// The connection: what was typed, or that of the configuration; `None` if there is none.
pub fn conninfo(
    server: &RealServer,
    (node, typed): (Option<&str>, Option<&str>),
    deadline: Deadline,
) -> Result<Option<Conninfo>, Failure> {
    let own = match typed {
        Some(text) => {
            let parsed = Conninfo::parse(text);
            Some(parsed.map_err(|error| Failure::soft(format!("--conninfo: {error}")))?)
        }
        None => primary::conninfo(server, deadline),
    };
    let Some(node) = node else {
        return Ok(own);
    };
    let name =
        NodeName::new(node).ok_or_else(|| Failure::soft(format!("{node} is no name of a node")))?;
    // A standby is meant, as it may be.
    Ok(own.map(|own| own.at(name.as_str())))
}

/// Asks there.
pub fn ask(server: &RealServer, source: &Conninfo, deadline: Deadline) -> Source {
    if let Some(secret) = source.secret_without_variable() {
        return Source::Silent(format!(
            "{secret} in the connection string would be seen in the list of processes"
        ));
    }
    match server.offered_by(source, deadline) {
        Ok(offered) => Source::Answers(offered),
        Err(error) => Source::Silent(error.to_string()),
    }
}
