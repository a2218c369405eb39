//! The resource as the cluster has it configured: a person's shell has no
//! `OCF_RESKEY_*`.

use std::time::Instant;

use super::look::{environment, this_node};
use crate::ocf::{Deadline, Environment, Failure, Parameters, Request};
use crate::pacemaker::{RealCluster, Tools, whole_cib};
use crate::postgres::RealServer;
use crate::view::Cib;

/// One resource, as a person on this node reaches it.
pub struct Resource {
    /// Its server on this node.
    pub server: RealServer,
    /// Its cluster.
    pub cluster: RealCluster,
    /// By when everything must have answered.
    pub deadline: Deadline,
}

impl Resource {
    /// Asks Pacemaker for the parameters of the resource `name`.
    pub fn of_cluster(name: &str, shell: &Environment) -> Result<Self, Failure> {
        let deadline = Request::from_environment(shell, Instant::now()).deadline;
        let asked = asked(&Tools::new(shell, deadline), name, shell)?;
        let request = Request::from_environment(&asked, Instant::now());
        let parameters = Parameters::in_effect(&asked)?;
        Ok(Self {
            server: RealServer::look_up(parameters, &request.resource)?,
            cluster: RealCluster::new(Tools::new(&asked, request.deadline), &request.resource),
            deadline: request.deadline,
        })
    }
}

/// The environment that Pacemaker would give an action of `resource`, by the whole of the
/// configuration: a question for each parameter would have the default where it fails.
fn asked(tools: &Tools, resource: &str, shell: &Environment) -> Result<Environment, Failure> {
    let xml = whole_cib::ask(tools)?;
    let cib = Cib::parse(&xml, Some(resource));
    let cib = cib.map_err(|error| Failure::soft(error.to_string()))?;
    let here = this_node(&cib, true, tools);
    Ok(environment(&cib, here.as_ref(), shell))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn why_not(cibadmin: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let silent = "echo 'Could not connect to the CIB' >&2; exit 102";
        for (name, script) in [("cibadmin", cibadmin), ("crm_resource", silent)] {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let shell = Environment::of(&[("HA_SBIN_DIR", folder.path().to_str().unwrap())]);
        let found = Resource::of_cluster("pgsqld", &shell);
        found
            .err()
            .map(|failure| failure.reason)
            .unwrap_or_default()
    }

    /// Else another instance of this machine would be forced, or put on record as the cluster's.
    #[test]
    fn parameters_that_cannot_be_read_are_not_the_defaults() {
        let why = why_not("echo 'Could not connect to the CIB' >&2; exit 102");
        assert!(why.contains("Could not connect"), "{why}");
        let why = why_not("echo '<cib><configuration><resources/></configuration></cib>'");
        assert_eq!(
            why,
            "this cluster has no resource pgsqld of the agent pgsqlms"
        );
    }
}
