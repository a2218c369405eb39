//! The whole of the cluster's configuration and state, as one text.

use std::fs;
use std::io;

use super::tools::{ToolError, Tools};

/// The copy that Pacemaker starts with. It has no state in it.
const ON_DISK: &str = "/var/lib/pacemaker/cib/cib.xml";

/// As it is now, from any node of the cluster.
pub fn ask(tools: &Tools) -> Result<String, ToolError> {
    tools.tell("cibadmin", &["--query"])
}

/// As this node had it last: for people, where Pacemaker does not run. Nothing is decided by
/// it, for the file is no interface.
pub fn on_disk() -> io::Result<String> {
    fs::read_to_string(ON_DISK)
}
