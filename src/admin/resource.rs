//! The resource as the cluster has it configured: a person's shell has no
//! `OCF_RESKEY_*`.

use std::time::Instant;

use crate::ocf::parameters::ALL;
use crate::ocf::{Deadline, Environment, Failure, Parameters, Request};
use crate::pacemaker::{RealCluster, ToolError, Tools};
use crate::postgres::RealServer;

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
        let asked = environment(&Tools::new(shell, deadline), name)?;
        let request = Request::from_environment(&asked, Instant::now());
        let parameters = Parameters::in_effect(&asked)?;
        Ok(Self {
            server: RealServer::look_up(parameters, &request.resource)?,
            cluster: RealCluster::new(Tools::new(&asked, request.deadline), &request.resource),
            deadline: request.deadline,
        })
    }
}

/// The environment that Pacemaker would give an action of `resource`.
fn environment(tools: &Tools, resource: &str) -> Result<Environment, ToolError> {
    let mut variables = vec![("OCF_RESOURCE_INSTANCE".to_owned(), resource.to_owned())];
    for name in ALL.map(|parameter| parameter.name) {
        let query = ["--resource", resource, "--get-parameter", name];
        let ended = tools.ask("crm_resource", &query)?;
        if ended.status.success() {
            variables.push((format!("OCF_RESKEY_{name}"), ended.stdout.trim().to_owned()));
        }
    }
    Ok(variables.into_iter().collect())
}
