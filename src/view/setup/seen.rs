//! What was seen of a machine, of its server and of its cluster.

use super::options::Options;
use crate::instance::configuration::Finding;
use crate::ocf::NodeName;

/// What was seen of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// `uname -n`.
    pub name: Option<String>,
    /// What that name leads to here.
    pub addresses: Vec<String>,
    /// `/etc/corosync/corosync.conf`.
    pub corosync: Option<String>,
    /// Why that is there and cannot be read.
    pub no_corosync: Option<String>,
    /// Whether something keeps its clock right.
    pub has_clock: bool,
    /// The firewalls that are on and have no rule for PostgreSQL.
    pub firewalls: Vec<&'static str>,
    /// Whether packages are upgraded by themselves.
    pub upgrades: bool,
    /// The fence agents and their tools that are not installed, of those that were asked for.
    pub missing: Vec<String>,
}

/// What was seen of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// What it is: version and directories.
    pub what: String,
    /// Why nothing can be started, by files and directories.
    pub broken: Option<String>,
    /// What is wrong with its configuration.
    pub findings: Vec<Finding>,
    /// `listen_addresses`.
    pub listen: Option<String>,
    /// `pg_hba.conf`.
    pub hba: Option<String>,
    /// The file that has the system start it.
    pub boot_start: Option<String>,
    /// What gives the role of `db_role` the rights that it lacks, or why that cannot be told; `None`:
    /// there is no such role, or no server runs.
    pub grants: Option<Result<Vec<String>, String>>,
}

/// All that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// The machine.
    pub machine: Machine,
    /// The nodes of the cluster; empty: there is none, or it cannot be seen.
    pub nodes: Vec<NodeName>,
    /// The configuration of the cluster and of the resource, or why there is none to see.
    pub options: Option<Options>,
    /// Why there is none.
    pub no_cluster: Option<String>,
    /// The server, or why it could not be looked at.
    pub database: Option<Database>,
    /// Why it could not.
    pub no_database: Option<String>,
}
