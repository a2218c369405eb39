//! What every action that looks at the instance needs.

use std::path::PathBuf;
use std::time::Instant;

use crate::ocf::{Environment, Failure, NodeName, OcfExit, Parameters, Request};
use crate::pacemaker::{Tools, membership};
use crate::system::SystemUser;

/// One call of the agent on this instance.
pub struct Call {
    /// All that the caller said.
    pub environment: Environment,
    /// The resource parameters.
    pub parameters: Parameters,
    /// Resource, node, deadline.
    pub request: Request,
    /// The account of PostgreSQL.
    pub user: SystemUser,
    /// Pacemaker's tools.
    pub tools: Tools,
    /// Root's own directory for files that a reboot may take (`HA_RSCTMP`).
    pub scratch: PathBuf,
}

impl Call {
    /// Reads parameters and request and looks the system user up.
    pub fn prepare(environment: &Environment) -> Result<Self, Failure> {
        let request = Request::from_environment(environment, Instant::now());
        let parameters = Parameters::in_effect(environment)?;
        let user = SystemUser::look_up(&parameters.system_user)
            .map_err(|error| Failure::new(OcfExit::Arguments, error.to_string()))?;
        let tools = Tools::new(environment, request.deadline);
        let scratch = environment
            .get("HA_RSCTMP")
            .unwrap_or("/run/resource-agents");
        Ok(Self {
            environment: environment.clone(),
            tools,
            scratch: PathBuf::from(scratch),
            parameters,
            request,
            user,
        })
    }

    /// A start is the time to insist on what other actions only log.
    pub fn parameters_are_right(&self) -> Result<(), Failure> {
        Parameters::from_environment(&self.environment)?;
        Ok(())
    }

    /// The name of this node in the cluster.
    pub fn node(&self) -> Result<NodeName, Failure> {
        if let Some(node) = &self.request.node {
            return Ok(node.clone());
        }
        membership::this_node(&self.tools)?
            .ok_or_else(|| Failure::soft("Pacemaker does not know the name of this node"))
    }
}
